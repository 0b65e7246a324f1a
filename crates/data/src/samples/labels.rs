//! Labels from the archive of NumPy that holds the images, in the array that belongs to theirs.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use npyz::{DType, Deserialize, NpyFile, NpyHeader, TypeChar};
use zip::ZipArchive;
use zip::result::ZipError;

use super::arrays::broken_archive;
use super::header::{description, read_header, unreadable};
use crate::DataError;

/// What the labels of images with these names are called, in Keras' archives, MedMNIST's and samplers'; those of others are `labels`.
const PAIRS: [(&str, &str); 4] = [
    ("x", "y"),
    ("x_train", "y_train"),
    ("arr_0", "arr_1"),
    ("train_images", "train_labels"),
];

/// Reads the labels of the images in the array `images` of an `.npz` file; `None` where no array has the name that labels of these would have.
///
/// # Errors
///
/// [`DataError::Io`] and [`DataError::Format`] where the array is damaged, or no whole number for each of `count` images.
pub(crate) fn read_labels(path: &Path, images: &str, count: usize) -> Result<Option<Vec<i64>>, DataError> {
    let known = PAIRS.iter().find(|(known, _)| *known == images);
    let name = known.map_or("labels", |(_, name)| name);
    let file = File::open(path).map_err(|error| DataError::io("open", path, error))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| broken_archive(path, error))?;
    let mut stream = match archive.by_name(&format!("{name}.npy")) {
        Ok(member) => BufReader::new(member),
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(broken_archive(path, error)),
    };
    let header = read_header(&mut stream, path)?;
    let expected = || format!("a whole number for each of {count} images in the array `{name}`, their labels");
    let is_one_each = matches!(header.shape(), [all] | [all, 1] if *all == count as u64);
    let described = description(&header);
    let numbers = match is_one_each {
        true => integers(header, &mut stream, path)?,
        false => None,
    };
    match numbers {
        Some(numbers) => Ok(Some(numbers)),
        // A name that says nothing may be that of anything.
        None if name == "arr_1" => Ok(None),
        None => Err(DataError::format(path, expected(), described)),
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
    let damaged = |found: String| DataError::format(path, "an array of labels", found);
    let file = NpyFile::with_header(header, &mut *stream);
    let numbers = file.data::<T>().map_err(|error| damaged(error.to_string()))?;
    let mut labels = Vec::new();
    for number in numbers {
        let number = number.map_err(|error| unreadable(path, error))?;
        labels.push(
            number
                .try_into()
                .map_err(|_| damaged("a number beyond 2⁶³".to_owned()))?,
        );
    }
    // Reading on makes the archive check its sum.
    let beyond = std::io::copy(stream, &mut std::io::sink()).map_err(|error| unreadable(path, error))?;
    match beyond {
        0 => Ok(labels),
        _ => Err(damaged(format!("{beyond} bytes more than its header says"))),
    }
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
    fn what_is_no_label_for_each_image_is_refused() {
        let cases = [
            npy("|u1", false, &[7], &[0; 7]),
            npy("|u1", false, &[4, 2], &[0; 8]),
            npy("<f4", false, &[8], &[0; 32]),
        ];
        for case in cases {
            let (_folder, options) = archive(["images", "labels"], case.clone());
            let error = load(&options).unwrap_err();
            assert!(
                error.contains("expected a whole number for each of 8 images in the array `labels`"),
                "{error}"
            );
            let (_folder, options) = archive(["arr_0", "arr_1"], case);
            assert_eq!(load(&options), Ok(None));
        }
        for length in [7, 9] {
            let (_folder, options) = archive(["x", "y"], npy("|u1", false, &[8], &vec![0; length]));
            let error = load(&options).unwrap_err();
            assert!(error.contains("own.npz"), "{error}");
        }
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
