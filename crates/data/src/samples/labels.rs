//! Labels from the archive of NumPy that holds the images, in the array that belongs to theirs.

use std::collections::BTreeSet;
use std::io::{BufReader, Read};
use std::path::Path;

use npyz::{DType, Deserialize, NpyFile, NpyHeader, TypeChar};
use zip::result::ZipError;

use super::arrays::{broken_archive, check_end, open_archive};
use super::header::{description, read_header, unreadable};
use crate::DataError;
use crate::source::MOST_CLASSES;

/// What the labels of images with these names are called in Keras' archives, MedMNIST's and samplers'; `labels` is their name beside images of any.
const PAIRS: [(&str, &str); 4] = [
    ("x", "y"),
    ("x_train", "y_train"),
    ("arr_0", "arr_1"),
    ("train_images", "train_labels"),
];

/// Reads the labels of the `count` images in the array `images` of an `.npz` file; `None` where there are none.
///
/// An array of that name may be anything (one-hot vectors, names of files, the classes of ImageNet), and images can be trained on without labels: what
/// cannot be taken as such is left out with a warning, and who needs classes finds none.
pub(crate) fn read_labels(path: &Path, images: &str, count: usize) -> Option<Vec<i64>> {
    // Beside its images, where an archive has folders.
    let (folder, name) = images
        .rsplit_once('/')
        .map_or(("", images), |(folder, name)| (folder, name));
    let slash = if folder.is_empty() { "" } else { "/" };
    let pair = PAIRS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, labels)| *labels);
    for name in pair.into_iter().chain(["labels"]) {
        let name = format!("{folder}{slash}{name}");
        match read_array(path, &name, count) {
            Ok(Some(labels)) => {
                tracing::info!("labels from the array `{name}`");
                return Some(labels);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!("the array `{name}` is not taken for labels: {error}"),
        }
    }
    None
}

/// Reads an array of a label for each image; `None` where there is no such array.
fn read_array(path: &Path, name: &str, count: usize) -> Result<Option<Vec<i64>>, DataError> {
    let mut archive = open_archive(path)?;
    let mut stream = match archive.by_name(&format!("{name}.npy")) {
        Ok(member) => BufReader::new(member),
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(broken_archive(path, error)),
    };
    let header = read_header(&mut stream, path)?;
    let found = description(&header);
    let is_one_each = matches!(header.shape(), [all] | [all, 1] if *all == count as u64);
    let numbers = match is_one_each {
        true => integers(header, &mut stream, path)?,
        false => None,
    };
    let expected = format!("a whole number for each of {count} images");
    let numbers = numbers.ok_or_else(|| DataError::format(path, expected, found))?;
    let classes = numbers.iter().collect::<BTreeSet<_>>().len();
    match classes > MOST_CLASSES {
        true => Err(DataError::format(
            path,
            format!("at most {MOST_CLASSES} classes"),
            classes.to_string(),
        )),
        false => Ok(Some(numbers)),
    }
}

/// The numbers of an array of integers; `None` for one of others.
fn integers(header: NpyHeader, stream: &mut impl Read, path: &Path) -> Result<Option<Vec<i64>>, DataError> {
    let DType::Plain(plain) = header.dtype() else {
        return Ok(None);
    };
    let numbers = match (plain.type_char(), plain.size_field()) {
        (TypeChar::Uint, 1) => read::<u8>(header, stream, path),
        (TypeChar::Uint, 2) => read::<u16>(header, stream, path),
        (TypeChar::Uint, 4) => read::<u32>(header, stream, path),
        (TypeChar::Uint, 8) => read::<u64>(header, stream, path),
        (TypeChar::Int, 1) => read::<i8>(header, stream, path),
        (TypeChar::Int, 2) => read::<i16>(header, stream, path),
        (TypeChar::Int, 4) => read::<i32>(header, stream, path),
        (TypeChar::Int, 8) => read::<i64>(header, stream, path),
        _ => return Ok(None),
    };
    numbers.map(Some)
}

fn read<T: Deserialize + TryInto<i64>>(
    header: NpyHeader,
    stream: &mut impl Read,
    path: &Path,
) -> Result<Vec<i64>, DataError> {
    let expected = "as many whole numbers below 2⁶³ as the header says";
    let damaged = |found: String| DataError::format(path, expected, found);
    let file = NpyFile::with_header(header.clone(), &mut *stream);
    let numbers = file.data::<T>().map_err(|error| damaged(error.to_string()))?;
    let mut labels = Vec::new();
    for number in numbers {
        let number = number.map_err(|error| unreadable(path, error))?;
        labels.push(number.try_into().map_err(|_| damaged("a larger one".to_owned()))?);
    }
    check_end(stream, &header, path)?;
    Ok(labels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::tests::{npy, npz};
    use crate::{ImageSource, OwnOptions, load_own};

    /// An archive of eight images and this array.
    fn archive(names: [&str; 2], labels: Vec<u8>) -> (tempfile::TempDir, OwnOptions) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.npz");
        let pixels: Vec<u8> = (0..8 * 16).collect();
        let images = npy("|u1", false, &[8, 4, 4], &pixels);
        std::fs::write(&path, npz(&[(names[1], labels), (names[0], images)])).unwrap();
        let options = OwnOptions {
            path,
            ..OwnOptions::default()
        };
        (folder, options)
    }

    fn load(options: &OwnOptions) -> Result<Option<Vec<u32>>, String> {
        let (images, _) = load_own(options, &|_, _| ()).map_err(|error| error.to_string())?;
        Ok((0..images.len()).map(|index| images.label(index)).collect())
    }

    /// Made by NumPy (`fixtures/make.py`).
    #[test]
    fn labels_of_an_archive_are_its_images_classes() {
        let options = OwnOptions {
            path: Path::new(env!("CARGO_MANIFEST_DIR")).join("src/samples/fixtures/labelled.npz"),
            ..OwnOptions::default()
        };
        let (images, report) = load_own(&options, &|_, _| ()).unwrap();
        assert_eq!(report.classes, ["3", "4", "5"]);
        assert_eq!(images.pixels(), (0..192).collect::<Vec<u8>>());
        assert_eq!(load(&options).unwrap(), Some((0..12).map(|index| index % 3).collect()));
    }

    #[test]
    fn labels_of_every_integer_and_name_are_taken() {
        let wanted = Some(vec![0, 1, 0, 1, 0, 1, 0, 1]);
        for (images, labels) in PAIRS.into_iter().chain([("images", "labels"), ("faces", "labels")]) {
            for (descr, width) in [("|u1", 1), ("<u2", 2), ("<i4", 4), ("<u8", 8), ("|i1", 1), ("<i8", 8)] {
                let numbers: Vec<u8> = (0..8)
                    .flat_map(|index| (10 + index % 2_u64).to_le_bytes()[..width].to_vec())
                    .collect();
                for shape in [&[8][..], &[8, 1]] {
                    let (_folder, options) = archive([images, labels], npy(descr, false, shape, &numbers));
                    assert_eq!(load(&options), Ok(wanted.clone()), "{labels} {descr} {shape:?}");
                }
            }
        }
    }

    #[test]
    fn arrays_that_are_no_labels_are_left_out() {
        let structured = {
            let mut array = npy("|u1", false, &[8], &[0; 8]);
            let at = array.windows(5).position(|part| part == b"'|u1'").unwrap();
            array[at..at + 5].copy_from_slice(b"['a']");
            array
        };
        for labels in [
            npy("|u1", false, &[7], &[0; 7]),
            npy("|u1", false, &[8, 10], &[0; 80]),
            npy("<f4", false, &[8], &[0; 32]),
            npy("<u8", false, &[8], &[255; 64]),
            npy("<U1", false, &[8], &[0; 32]),
            npy("|u1", false, &[8], &[0; 7]),
            npy("|u1", false, &[8], &[0; 9]),
            structured,
        ] {
            for names in [["images", "labels"], ["arr_0", "arr_1"]] {
                let (_folder, options) = archive(names, labels.clone());
                assert_eq!(load(&options), Ok(None));
            }
        }
    }

    #[test]
    fn more_classes_than_a_byte_has_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.npz");
        for (classes, is_taken) in [(256_i16, true), (257, false)] {
            let pixels: Vec<u8> = (0..300 * 16).map(|index| (index % 251) as u8).collect();
            let labels: Vec<u8> = (0..300).flat_map(|index| (index % classes - 1).to_le_bytes()).collect();
            let arrays = [
                ("arr_0", npy("|u1", false, &[300, 4, 4], &pixels)),
                ("arr_1", npy("<i2", false, &[300], &labels)),
            ];
            std::fs::write(&path, npz(&arrays)).unwrap();
            let options = OwnOptions {
                path: path.clone(),
                ..OwnOptions::default()
            };
            let (images, report) = load_own(&options, &|_, _| ()).unwrap();
            assert_eq!(images.label(0).is_some(), is_taken);
            if is_taken {
                // In the order of numbers, the negative one first.
                assert_eq!(report.classes[..4], ["-1", "0", "1", "2"]);
                assert_eq!(report.classes[255], "254");
            }
        }
    }

    #[test]
    fn labels_lie_beside_their_images_under_either_name() {
        let wanted = Some((0..8).collect::<Vec<u32>>());
        let numbers = npy("|u1", false, &[8], &[0, 1, 2, 3, 4, 5, 6, 7]);
        for names in [
            ["x", "labels"],
            ["train/images", "train/labels"],
            ["train/x", "train/y"],
        ] {
            let (_folder, options) = archive(names, numbers.clone());
            assert_eq!(load(&options), Ok(wanted.clone()), "{names:?}");
        }
        // Those of others are not theirs.
        let (_folder, options) = archive(["train/images", "labels"], numbers);
        assert_eq!(load(&options), Ok(None));
    }

    proptest! {
        /// Whatever the bytes of the array are, there is an answer.
        #[test]
        fn damaged_labels_are_refused_or_read(at in 0_usize..88, value in any::<u8>()) {
            let mut labels = npy("|u1", false, &[8], &[0, 1, 2, 3, 0, 1, 2, 3]);
            let length = labels.len();
            labels[at % length] = value;
            let (_folder, options) = archive(["images", "labels"], labels);
            if let Ok(Some(labels)) = load(&options) {
                prop_assert_eq!(labels.len(), 8);
            }
        }
    }
}
