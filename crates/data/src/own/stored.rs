//! Images that lie in one file as numbers: arrays of NumPy, IDX files, CIFAR-10's binary files.

use std::fs;
use std::path::{Path, PathBuf};

use super::pictures::Pictures;
use crate::samples::{Outline, outline, read_labels};
use crate::{DataError, ImageSet, idx, read_samples};

/// Bytes of a record of CIFAR-10: a label, and 32×32 pixels in three planes.
const RECORD: usize = 1 + 3 * 32 * 32;

/// What CIFAR-10's files of training images are called.
const CIFAR_FILES: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];

/// CIFAR-10's classes in the order of their numbers, as `batches.meta.txt` has them.
const CIFAR_CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// How much of a file of images is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What its header says.
    Outside,
    /// Everything.
    Whole,
}

/// Images, their labels where the file has any, and what those are called.
pub(super) struct Stored {
    pub pictures: Pictures,
    /// What the class of each is called, where the file says that.
    pub labels: Option<Vec<String>>,
}

/// Whether a file's name is that of one that [`read`] reads.
pub(super) fn is_stored(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    [".npy", ".npz", ".idx", "-ubyte", ".gz", ".bin"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// CIFAR-10's files in a folder, where it is such a folder.
pub(super) fn cifar_files(folder: &Path) -> Option<Vec<PathBuf>> {
    let files: Vec<PathBuf> = CIFAR_FILES
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.is_file())
        .collect();
    (!files.is_empty()).then_some(files)
}

/// Reads the images of a file, or what its header says of them, and their labels.
pub(super) fn read(path: &Path, depth: Depth) -> Result<Stored, DataError> {
    let name = path.to_string_lossy().to_ascii_lowercase();
    if name.ends_with(".bin") {
        return read_cifar(&[path.to_owned()]);
    }
    let (pictures, array) = match depth {
        Depth::Outside => {
            let Outline { count, shape, array } = outline(path)?;
            (Pictures::Unread { count, shape }, array)
        }
        Depth::Whole => {
            let samples = read_samples(path, None)?;
            if samples.guessed {
                tracing::info!("{}", samples.origin);
            }
            (Pictures::Memory(samples.images), samples.array)
        }
    };
    let count = pictures.len();
    let labels = match &array {
        Some(array) => read_labels(path, array, count),
        None if name.ends_with(".npy") => None,
        None => labels_beside(path)
            .map(|beside| of_idx(path, &beside, count))
            .transpose()?,
    };
    Ok(Stored {
        pictures,
        // They begin anywhere, as EMNIST's letters do at 1, so they are names, which get numbers from 0.
        labels: labels.map(|labels| labels.iter().map(i64::to_string).collect()),
    })
}

/// The labels of `count` images in the file beside theirs.
fn of_idx(images: &Path, beside: &Path, count: usize) -> Result<Vec<i64>, DataError> {
    let labels = idx::read_labels(beside)?;
    match labels.len() == count {
        true => Ok(labels.into_iter().map(i64::from).collect()),
        false => Err(DataError::format(
            images,
            format!("a label for each of {count} images"),
            format!("{} labels in the file beside it", labels.len()),
        )),
    }
}

/// The IDX file of labels that belongs to one of images: `…-labels-idx1-ubyte` beside `…-images-idx3-ubyte`.
fn labels_beside(images: &Path) -> Option<PathBuf> {
    let name = images.file_name()?.to_str()?;
    let wanted = ["images-idx3", "images.idx3"]
        .iter()
        .find(|part| name.contains(**part))
        .map(|part| name.replace(part, &part.replace("images", "labels").replace("idx3", "idx1")))?;
    let bare = wanted.trim_end_matches(".gz").to_owned();
    let candidates = [format!("{bare}.gz"), bare, wanted];
    candidates
        .into_iter()
        .map(|name| images.with_file_name(name))
        .find(|path| path.is_file())
}

/// Reads CIFAR-10's binary files, one after the other; they are small, and always read whole.
pub(super) fn read_cifar(files: &[PathBuf]) -> Result<Stored, DataError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for path in files {
        let bytes = fs::read(path).map_err(|error| DataError::io("read", path, error))?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
            let expected =
                format!("CIFAR-10's records of {RECORD} bytes, a label and 32×32 pixels in three colours each");
            return Err(DataError::format(path, expected, format!("{} bytes", bytes.len())));
        }
        for record in bytes.chunks_exact(RECORD) {
            let label = record[0];
            let Some(name) = CIFAR_CLASSES.get(usize::from(label)) else {
                return Err(DataError::format(path, "labels from 0 to 9", label.to_string()));
            };
            labels.push(name.to_string());
            pixels.extend_from_slice(&record[1..]);
        }
    }
    Ok(Stored {
        pictures: Pictures::Memory(ImageSet::new("cifar-10", pixels, None, [3, 32, 32])?),
        labels: Some(labels),
    })
}
