use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::ImageSource;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

/// Puts `bytes` into a file; the folder lives as long as the first part of the answer.
fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some-file");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn images_of(bytes: &[u8]) -> Result<IdxImages, DataError> {
    let (_folder, path) = file(bytes);
    read_images(&path)
}

fn labels_of(bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let (_folder, path) = file(bytes);
    read_labels(&path)
}

#[track_caller]
fn refused(bytes: &[u8], word: &str) {
    for bytes in [bytes.to_vec(), gzip(bytes)] {
        let error = images_of(&bytes).unwrap_err().to_string();
        assert!(error.contains("some-file") && error.contains(word), "{error}");
    }
}

#[test]
fn sound_files_are_read() {
    let bytes = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
    let expected = IdxImages {
        count: 2,
        rows: 1,
        columns: 3,
        pixels: vec![1, 2, 3, 4, 5, 6],
    };
    assert_eq!(images_of(&bytes).unwrap(), expected);
    assert_eq!(images_of(&gzip(&bytes)).unwrap(), expected);
    assert_eq!(labels_of(&idx(&[3], &[7, 8, 9])).unwrap(), [7, 8, 9]);
}

#[test]
fn broken_files_are_refused_with_the_reason() {
    refused(b"", "only 0 bytes");
    refused(b"\0\0\x08", "only 3 bytes");
    refused(b"<!DOCTYPE html>", "instead of two zeros");
    refused(&[0, 0, 0x0d, 3, 0, 0, 0, 1], "0x0d");
    refused(&idx(&[1, 1], &[0]), "2 dimensions instead of 3");
    refused(&[0, 0, 8, 3, 0, 0, 0, 1, 0], "within its header");
    refused(&idx(&[0, 28, 28], &[]), "empty");
    refused(&idx(&[2, 0, 28], &[]), "empty");
    refused(&idx(&[2, 1, 3], &[0; 5]), "only 5");
    refused(&idx(&[2, 1, 3], &[0; 7]), "more than that");
    refused(
        &idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 7]),
        "at most 1073741824 bytes",
    );
    refused(&idx(&[3], &[0; 3]), "swapped");
    let error = labels_of(&idx(&[1, 1, 1], &[0])).unwrap_err();
    assert!(matches!(
        error,
        DataError::Swapped {
            expected: "labels",
            found: "images",
            ..
        }
    ));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = read_images(Path::new("nowhere/images.gz")).unwrap_err();
    assert!(matches!(error, DataError::Io { .. }));
    assert!(error.to_string().contains("nowhere/images.gz"));
}

#[test]
fn a_large_promise_takes_no_memory() {
    // The header promises a gigabyte; the vector must not be larger than a few chunks.
    let bytes = idx(&[1 << 10, 1 << 10, 1 << 10], &[1; 1000]);
    let data = read_up_to(&mut &bytes[16..], 1 << 30).unwrap();
    assert_eq!(data.len(), 1000);
    assert!(data.capacity() <= CHUNK);
    refused(&bytes, "only 1000");
}

#[test]
fn a_gzip_bomb_is_read_no_further_than_its_header() {
    let bomb = gzip(&idx(&[1, 28, 28], &vec![0; 64 << 20]));
    assert!(bomb.len() < 1 << 17);
    assert!(images_of(&bomb).unwrap_err().to_string().contains("more than that"));
    let data = read_up_to(&mut io::repeat(0), 100_001).unwrap();
    assert_eq!((data.len(), data.capacity()), (100_001, 100_001));
}

#[test]
fn counts_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
    write_images(&images, &[0; 12], 2, 2).unwrap();
    write_labels(&labels, &[1, 2]).unwrap();
    let error = read_image_set(&images, Some(&labels), "test").unwrap_err().to_string();
    assert!(error.contains("3 images") && error.contains("2 labels"), "{error}");
    write_labels(&labels, &[1, 2, 3]).unwrap();
    let set = read_image_set(&images, Some(&labels), "test").unwrap();
    assert_eq!((set.len(), set.shape(), set.name()), (3, [1, 2, 2], "test"));
    assert!(matches!(
        read_image_set(&labels, Some(&images), "test"),
        Err(DataError::Swapped { .. })
    ));
}

#[test]
fn only_whole_images_are_written() {
    let path = Path::new("never-written");
    for (length, rows, columns) in [(5, 2, 2), (0, 2, 2), (4, 0, 2), (4, usize::MAX, 2)] {
        assert!(write_images(path, &vec![0; length], rows, columns).is_err());
    }
    assert!(write_labels(path, &[]).is_err());
    assert!(!path.exists());
}

/// Reads the real MNIST where GANVAS_DATA names a folder with it, and synthetic digits otherwise.
#[test]
fn a_data_set_is_read_from_its_files() {
    let real = std::env::var_os("GANVAS_DATA").map(|folder| PathBuf::from(folder).join("mnist"));
    let folder = tempfile::tempdir().unwrap();
    let (names, expected) = (crate::Split::Test.file_names(), 10_000);
    let (place, expected) = match real.filter(|place| place.join(names.0).exists()) {
        Some(place) => (place, expected),
        None => {
            eprintln!("GANVAS_DATA names no MNIST: reading synthetic digits instead");
            let set = crate::synthetic_digits(1, crate::Split::Test, 50);
            write_images(&folder.path().join(names.0), set.pixels(), 28, 28).unwrap();
            write_labels(&folder.path().join(names.1), set.labels().unwrap()).unwrap();
            (folder.path().to_owned(), 50)
        }
    };
    let set = read_image_set(&place.join(names.0), Some(&place.join(names.1)), "mnist").unwrap();
    assert_eq!((set.len(), set.shape()), (expected, [1, 28, 28]));
    assert!(set.labels().unwrap().iter().all(|&label| label < 10));
}

fn sizes_and_pixels() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
    (1_usize..5, 1_usize..6, 1_usize..6).prop_flat_map(|(count, rows, columns)| {
        let pixels = prop::collection::vec(any::<u8>(), count * rows * columns);
        (Just(rows), Just(columns), pixels)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read((rows, columns, pixels) in sizes_and_pixels(), compressed: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(if compressed { "images.gz" } else { "images" });
        write_images(&path, &pixels, rows, columns).unwrap();
        prop_assert_eq!(fs::read(&path).unwrap().starts_with(&[0x1f, 0x8b]), compressed);
        let images = read_images(&path).unwrap();
        prop_assert_eq!(images.count * rows * columns, pixels.len());
        prop_assert_eq!((images.rows, images.columns, images.pixels), (rows, columns, pixels));
    }

    #[test]
    fn a_file_cut_short_or_grown_is_refused(
        (rows, columns, pixels) in sizes_and_pixels(), at: prop::sample::Index,
        tail in prop::collection::vec(any::<u8>(), 1..20), compressed: bool,
    ) {
        // Zeros behind a gzip file are padding.
        prop_assume!(!compressed || tail.iter().any(|&byte| byte != 0));
        let count = (pixels.len() / rows / columns) as u32;
        let plain = idx(&[count, rows as u32, columns as u32], &pixels);
        let bytes = if compressed { gzip(&plain) } else { plain };
        prop_assert!(images_of(&bytes[..at.index(bytes.len())]).is_err());
        prop_assert!(images_of(&[bytes, tail].concat()).is_err());
    }

    #[test]
    fn a_changed_gzip_file_is_refused_or_gives_the_same_images(
        (rows, columns, pixels) in sizes_and_pixels(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let count = (pixels.len() / rows / columns) as u32;
        let mut bytes = gzip(&idx(&[count, rows as u32, columns as u32], &pixels));
        // The first two bytes decide that it is a gzip file at all.
        for (at, byte) in changes {
            let at = 2 + at.index(bytes.len() - 2);
            bytes[at] = byte;
        }
        if let Ok(images) = images_of(&bytes) {
            prop_assert_eq!(images.pixels, pixels);
        }
    }

    #[test]
    fn a_changed_plain_file_gives_no_more_than_its_bytes(
        (rows, columns, pixels) in sizes_and_pixels(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let count = (pixels.len() / rows / columns) as u32;
        let mut bytes = idx(&[count, rows as u32, columns as u32], &pixels);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(images) = images_of(&bytes) {
            prop_assert_eq!(images.count * images.rows * images.columns, images.pixels.len());
            prop_assert_eq!(&images.pixels, &bytes[16..]);
        }
        let _ = labels_of(&bytes);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let framed = [&[0, 0, 8, 3], &bytes[..]].concat();
        for bytes in [&bytes, &framed, &gzip(&bytes), &gzip(&framed), &[&[0x1f, 0x8b], &bytes[..]].concat()] {
            let _ = (images_of(bytes), labels_of(bytes));
        }
    }
}
