use std::io::{Cursor, Write};
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::{Canvas, normalize, write_png};

/// An `.npy` file of an array of this type, order and shape.
pub(super) fn npy(descr: &str, is_fortran: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
    let order = if is_fortran { "True" } else { "False" };
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({sides}), }}\n");
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, text.as_bytes(), data].concat()
}

/// An `.npz` file of arrays with names.
pub(super) fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = SimpleFileOptions::default();
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Puts `bytes` into a file; the folder lives as long as the first part of the answer.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Reads a file with these bytes.
pub(super) fn read(name: &str, bytes: &[u8], range: Option<ValueRange>) -> Result<Samples, String> {
    let (_folder, path) = file(name, bytes);
    read_samples(&path, range).map_err(|error| error.to_string())
}

/// What is said when a file with these bytes is refused: its name comes first.
#[track_caller]
pub(super) fn refused(name: &str, bytes: &[u8], words: &[&str]) {
    let error = read(name, bytes, None).map(|samples| samples.origin).unwrap_err();
    assert!(error.contains(&format!("{name}: expected ")), "{error}");
    for word in words {
        assert!(error.contains(word), "{error}");
    }
}

/// Five images of 6 × 7.
fn pixels() -> Vec<u8> {
    (0..5 * 6 * 7_u32).map(|index| (index * 37 % 256) as u8).collect()
}

#[test]
fn the_same_images_are_the_same_whatever_they_come_in() {
    let pixels = pixels();
    let floats = |value: fn(u8) -> f32| -> Vec<u8> {
        let numbers = pixels.iter().map(|&byte| value(byte));
        numbers.flat_map(f32::to_le_bytes).collect()
    };
    let symmetric = floats(normalize);
    let unit = floats(|byte| f32::from(byte) / 255.0);
    let floats = npy("<f4", false, &[5, 6, 7], &symmetric);
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("symmetric.npy"), &floats).unwrap();
    fs::write(place("unit.npy"), npy("<f4", false, &[5, 1, 6, 7], &unit)).unwrap();
    fs::write(place("bytes.npy"), npy("|u1", false, &[5, 6, 7, 1], &pixels)).unwrap();
    fs::write(place("archive.npz"), npz(&[("arr_0", floats)])).unwrap();
    for name in [
        "images.idx",
        "images.idx.gz",
        "t10k-images-idx3-ubyte",
        "t10k-images-idx3-ubyte.gz",
    ] {
        idx::write_images(&place(name), &pixels, 6, 7).unwrap();
    }
    for (index, image) in pixels.chunks_exact(6 * 7).enumerate() {
        let name = format!("{index}.png");
        fs::create_dir_all(place("pictures")).unwrap();
        let canvas = Canvas::new(7, 6, 1, image.to_vec()).unwrap();
        write_png(&canvas, &place("pictures").join(name)).unwrap();
    }
    for (name, range, guessed) in [
        ("symmetric.npy", ValueRange::Symmetric, true),
        ("unit.npy", ValueRange::Unit, true),
        ("bytes.npy", ValueRange::Bytes, false),
        ("archive.npz", ValueRange::Symmetric, true),
        ("images.idx", ValueRange::Bytes, false),
        ("images.idx.gz", ValueRange::Bytes, false),
        ("t10k-images-idx3-ubyte", ValueRange::Bytes, false),
        ("t10k-images-idx3-ubyte.gz", ValueRange::Bytes, false),
        ("pictures", ValueRange::Bytes, false),
    ] {
        let found = read_samples(&place(name), None).unwrap();
        assert_eq!(found.images.pixels(), pixels, "{name}");
        assert_eq!((found.range, found.guessed), (range, guessed), "{name}");
        assert_eq!(
            (found.images.shape(), found.images.labels()),
            ([1, 6, 7], None),
            "{name}"
        );
        assert_eq!(found.images.name(), name);
        let beginning = format!("5 images of 6×7 from {name}");
        assert!(found.origin.starts_with(&beginning), "{}", found.origin);
    }
}

#[test]
fn the_origin_says_what_was_taken_for_what() {
    let origin = |name: &str, bytes: &[u8]| read(name, bytes, None).unwrap().origin;
    let many = npy("|u1", false, &[1234, 2, 2], &[0; 1234 * 4]);
    assert_eq!(
        origin("s.npy", &many),
        "1,234 images of 2×2 from s.npy (u8, taken as 0..255)"
    );
    let one = npy("|u1", false, &[1, 2, 1, 3], &[0; 6]);
    assert_eq!(
        origin("s.npz", &npz(&[("x", one)])),
        "1 colour image of 2×1 from s.npz (array `x`, u8, taken as 0..255)"
    );
    let idx = [&[0_u8, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2][..], &[7, 8]].concat();
    assert_eq!(origin("S.IDX", &idx), "1 image of 1×2 from S.IDX");
}

#[test]
fn thousands_are_grouped_from_the_right() {
    assert_eq!(thousands(7), "7");
    assert_eq!(thousands(123_456), "123,456");
    assert_eq!(thousands(1_234_567), "1,234,567");
}

#[test]
fn other_names_are_refused_with_those_that_are_read() {
    for name in ["samples.bin", "samples", "picture.png"] {
        refused(name, b"", &[".npy", ".npz", "IDX", "folder of .png files"]);
    }
    let error = read_samples(Path::new("nowhere/samples.npy"), None).unwrap_err();
    assert!(matches!(error, DataError::Io { .. }));
    assert!(error.to_string().contains("nowhere/samples.npy"), "{error}");
}

#[test]
fn broken_idx_files_are_refused() {
    refused("samples.idx", b"no such file", &["an IDX file of images"]);
    refused("samples.gz", b"\x1f\x8b\x08", &["damaged or incomplete"]);
    let labels = read("samples-ubyte", &[0, 0, 8, 1, 0, 0, 0, 1, 0], None);
    assert!(labels.unwrap_err().contains("expected images, found labels"));
}

#[test]
fn files_of_bytes_have_one_range_whatever_is_asked_for() {
    let (_folder, path) = file("images.idx", b"");
    idx::write_images(&path, &pixels(), 6, 7).unwrap();
    let found = read_samples(&path, Some(ValueRange::Unit)).unwrap();
    assert_eq!((found.range, found.guessed), (ValueRange::Bytes, false));
    assert_eq!(found.images.pixels(), pixels());
}

/// The names of all kinds of files.
const NAMES: [&str; 4] = ["s.npy", "s.npz", "s.idx", "s.gz"];

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for beginning in [&b""[..], b"\x93NUMPY\x01\x00\x40\x00", b"PK\x03\x04", b"\0\0\x08\x03", b"\x1f\x8b\x08\x00"] {
            for name in NAMES {
                let _ = read(name, &[beginning, &bytes[..]].concat(), None);
            }
        }
    }

    #[test]
    fn arrays_are_read_whatever_is_in_them(
        data in prop::collection::vec(any::<u8>(), 32), is_fortran: bool, archived: bool,
        descr in prop::sample::select(vec!["|u1", "<i4", ">i8", "<f2", ">f4", "<f8"]),
        range in prop::sample::select(vec![None, Some(ValueRange::Bytes), Some(ValueRange::Unit), Some(ValueRange::Symmetric)]),
    ) {
        let size: usize = descr[2..].parse().unwrap();
        let bytes = npy(descr, is_fortran, &[32 / size, 1, 1, 1], &data);
        let found = if archived {
            read("s.npz", &npz(&[("x", bytes)]), range)
        } else {
            read("s.npy", &bytes, range)
        };
        match found {
            Ok(found) => prop_assert_eq!(found.images.pixels().len(), 32 / size),
            Err(error) => prop_assert!(error.contains("numbers"), "{}", error),
        }
    }

    #[test]
    fn a_changed_archive_is_refused_or_gives_as_many_images(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = npz(&[("x", npy("|u1", false, &[5, 6, 7], &pixels()))]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(found) = read("s.npz", &bytes, None) {
            prop_assert_eq!(found.images.pixels(), pixels());
        }
    }
}
