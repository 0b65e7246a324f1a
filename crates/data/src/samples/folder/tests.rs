use flate2::Crc;
use png::{BitDepth, Encoder};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{ImageSource, read_samples};

/// A PNG file of this height and width; `palette` and `opacity` (tRNS) are left out where they are empty.
fn encode(size: [u32; 2], color: ColorType, depth: BitDepth, data: &[u8], [palette, opacity]: [&[u8]; 2]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, size[1], size[0]);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if !palette.is_empty() {
        encoder.set_palette(palette.to_vec());
    }
    if !opacity.is_empty() {
        encoder.set_trns(opacity.to_vec());
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A row of pixels, 8 bits deep.
fn row(color: ColorType, data: &[u8]) -> Vec<u8> {
    let width = data.len() / color.samples();
    encode([1, width as u32], color, BitDepth::Eight, data, [&[]; 2])
}

/// A folder with these files.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn read_folder(files: &[(&str, Vec<u8>)]) -> Result<Samples, String> {
    read_samples(folder(files).path(), None).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(files: &[(&str, Vec<u8>)], words: &[&str]) {
    let error = read_folder(files).map(|samples| samples.origin).unwrap_err();
    for word in words {
        assert!(error.contains(word), "{error}");
    }
}

/// Shape, pixels and remarks of a single file.
#[track_caller]
fn single(bytes: Vec<u8>) -> ([usize; 3], Vec<u8>, String) {
    let found = read_folder(&[("a.png", bytes)]).unwrap();
    let (_, remarks) = found.origin.split_once('(').unwrap();
    let remarks = remarks.trim_end_matches(')').to_owned();
    (found.images.shape(), found.images.pixels().to_vec(), remarks)
}

const ALL_GREY: &str = "PNG, colours that are all grey taken as one channel";

#[test]
fn grey_of_every_depth_becomes_bytes() {
    for (depth, width, data, expected) in [
        (BitDepth::One, 4, &[0b1010_0000][..], vec![255, 0, 255, 0]),
        (BitDepth::Two, 4, &[0b0001_1011][..], vec![0, 85, 170, 255]),
        (BitDepth::Four, 2, &[0x0f][..], vec![0, 255]),
        (BitDepth::Eight, 2, &[7, 200][..], vec![7, 200]),
        (BitDepth::Sixteen, 2, &[0x12, 0x34, 0xff, 0xff][..], vec![0x12, 0xff]),
    ] {
        let bytes = encode([1, width], ColorType::Grayscale, depth, data, [&[]; 2]);
        assert_eq!(
            single(bytes),
            ([1, 1, width as usize], expected, "PNG".to_owned()),
            "{depth:?}"
        );
    }
}

#[test]
fn colours_become_planes_unless_all_are_grey() {
    let coloured = row(ColorType::Rgb, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(single(coloured), ([3, 1, 2], vec![1, 4, 2, 5, 3, 6], "PNG".to_owned()));
    let grey = row(ColorType::Rgb, &[1, 1, 1, 9, 9, 9]);
    assert_eq!(single(grey), ([1, 1, 2], vec![1, 9], ALL_GREY.to_owned()));
    let data = [0, 9, 1, 9, 2, 9];
    let deep = encode([1, 1], ColorType::Rgb, BitDepth::Sixteen, &data, [&[]; 2]);
    assert_eq!(single(deep), ([3, 1, 1], vec![0, 1, 2], "PNG".to_owned()));
}

#[test]
fn palettes_are_resolved() {
    let colours = [10, 20, 30, 40, 50, 60];
    let indexed = |palette: &[u8], opacity: &[u8]| {
        encode(
            [1, 2],
            ColorType::Indexed,
            BitDepth::One,
            &[0b0100_0000],
            [palette, opacity],
        )
    };
    let planes = vec![10, 40, 20, 50, 30, 60];
    assert_eq!(
        single(indexed(&colours, &[])),
        ([3, 1, 2], planes.clone(), "PNG".to_owned())
    );
    assert_eq!(single(indexed(&colours, &[255])), ([3, 1, 2], planes, "PNG".to_owned()));
    let (_, pixels, remarks) = single(indexed(&colours, &[0]));
    assert_eq!(pixels, [0, 40, 0, 50, 0, 60]);
    assert_eq!(remarks, "PNG, transparent pixels laid over black");
    assert_eq!(
        single(indexed(&[5, 5, 5, 8, 8, 8], &[])),
        ([1, 1, 2], vec![5, 8], ALL_GREY.to_owned())
    );
}

#[test]
fn opaque_pixels_stay_and_others_are_laid_over_black() {
    let opaque = row(ColorType::GrayscaleAlpha, &[0, 255, 200, 255, 255, 255]);
    assert_eq!(single(opaque), ([1, 1, 3], vec![0, 200, 255], "PNG".to_owned()));
    let (_, pixels, remarks) = single(row(ColorType::GrayscaleAlpha, &[255, 128, 200, 0, 3, 128]));
    assert_eq!(
        (pixels, remarks),
        (vec![128, 0, 2], "PNG, transparent pixels laid over black".to_owned())
    );
    let (shape, pixels, remarks) = single(row(ColorType::Rgba, &[100, 100, 100, 51, 7, 7, 7, 255]));
    assert_eq!((shape, pixels), ([1, 1, 2], vec![20, 7]));
    assert_eq!(remarks, format!("{ALL_GREY}, transparent pixels laid over black"));
    let opaque = row(ColorType::Rgba, &[1, 2, 3, 255]);
    assert_eq!(single(opaque), ([3, 1, 1], vec![1, 2, 3], "PNG".to_owned()));
    // A grey that stands for transparent pixels.
    let (data, key) = ([5, 6], [0, 5]);
    let keyed = encode([1, 2], ColorType::Grayscale, BitDepth::Eight, &data, [&[], &key]);
    assert_eq!(single(keyed).1, [0, 6]);
}

#[test]
fn one_coloured_file_makes_all_coloured() {
    let grey = row(ColorType::Grayscale, &[1, 2]);
    let alike = row(ColorType::Rgb, &[3, 3, 3, 4, 4, 4]);
    let coloured = row(ColorType::Rgb, &[5, 6, 7, 8, 9, 10]);
    let files = [
        ("a.png", grey.clone()),
        ("b.png", alike),
        ("c.png", coloured),
        ("d.png", grey),
    ];
    let found = read_folder(&files).unwrap();
    assert_eq!(found.images.shape(), [3, 1, 2]);
    let expected = [
        [1, 2, 1, 2, 1, 2],
        [3, 4, 3, 4, 3, 4],
        [5, 8, 6, 9, 7, 10],
        [1, 2, 1, 2, 1, 2],
    ];
    assert_eq!(found.images.pixels(), expected.concat());
    assert!(
        found.origin.starts_with("4 colour images of 1×2 from "),
        "{}",
        found.origin
    );
    let found = read_folder(&files[..2]).unwrap();
    assert_eq!(
        (found.images.shape(), found.images.pixels()),
        ([1, 1, 2], &[1, 2, 3, 4][..])
    );
    assert!(found.origin.ends_with(&format!("({ALL_GREY})")), "{}", found.origin);
}

#[test]
fn files_come_in_the_order_of_their_paths() {
    let grey = |shade: u8| row(ColorType::Grayscale, &[shade]);
    let found = read_folder(&[
        ("b.PNG", grey(5)),
        ("a/2.png", grey(2)),
        ("a/10.png", grey(1)),
        ("a/deep/er/x.png", grey(3)),
        ("a.png", grey(4)),
        ("c/1.png", grey(6)),
        ("notes.txt", b"no picture".to_vec()),
        (".hidden.png", b"no picture".to_vec()),
        (".git/1.png", b"no picture".to_vec()),
        ("._b.png", b"no picture".to_vec()),
    ])
    .unwrap();
    assert_eq!(found.images.pixels(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_folder_without_pictures_is_refused() {
    refused(&[], &["a folder of .png files", "none in it"]);
    refused(
        &[(".png", Vec::new()), ("a.jpg", Vec::new())],
        &["a folder of .png files"],
    );
}

#[test]
fn the_first_file_of_another_size_is_named() {
    let (narrow, wide) = (row(ColorType::Grayscale, &[1]), row(ColorType::Grayscale, &[1, 2]));
    let files = [
        ("a.png", narrow.clone()),
        ("b.png", wide.clone()),
        ("c.png", narrow),
        ("d.png", wide),
    ];
    refused(
        &files,
        &["b.png: expected a picture of 1×1", "found one of 1×2; all must"],
    );
}

#[test]
fn damaged_files_are_named() {
    let whole = encode([2, 3], ColorType::Rgb, BitDepth::Eight, &[7; 18], [&[]; 2]);
    assert!(read_folder(&[("a.png", whole.clone())]).is_ok());
    for length in 0..whole.len() {
        refused(
            &[("a.png", whole[..length].to_vec())],
            &["a.png: expected a PNG file, found a damaged"],
        );
    }
    refused(
        &[("a.png", b"GIF89a, in truth".to_vec())],
        &["a.png: expected a PNG file"],
    );
}

#[test]
fn a_large_promise_takes_no_memory() {
    let mut bytes = row(ColorType::Grayscale, &[1]);
    // Width and height, and the sum of the chunk that they are in.
    bytes[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let mut sum = Crc::new();
    sum.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    let folder = folder(&[("a.png", bytes)]);
    let error = read_samples(folder.path(), None).unwrap_err();
    assert!(
        matches!(
            error,
            DataError::TooLarge {
                promised: 0x1_0000_0000,
                ..
            }
        ),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_once() {
    use std::os::unix::fs::symlink;

    let grey = |shade: u8| row(ColorType::Grayscale, &[shade]);
    let (first, second) = (
        folder(&[("b/1.png", grey(1)), ("b/2.png", grey(2))]),
        folder(&[("3.png", grey(3))]),
    );
    let inside = |name: &str| first.path().join(name);
    symlink(first.path(), inside("b/circle")).unwrap();
    symlink(inside("b"), inside("again")).unwrap();
    symlink(second.path(), inside("c")).unwrap();
    symlink(inside("b/1.png"), inside("d.png")).unwrap();
    symlink(inside("itself"), inside("itself")).unwrap();
    let found = read_samples(first.path(), None).unwrap();
    assert_eq!(found.images.pixels(), [1, 2, 3, 1]);
    symlink(inside("nowhere"), inside("lost.png")).unwrap();
    let error = read_samples(first.path(), None).unwrap_err();
    assert!(
        matches!(error, DataError::Io { .. }) && error.to_string().contains("lost.png"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn a_changed_file_does_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut changed = encode([2, 3], ColorType::Rgba, BitDepth::Eight, &[7; 24], [&[]; 2]);
        for (at, byte) in changes {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        let framed = [&b"\x89PNG\r\n\x1a\n"[..], &bytes[..]].concat();
        for bytes in [changed, framed, bytes] {
            let _ = read_folder(&[("a.png", bytes)]);
        }
    }
}
