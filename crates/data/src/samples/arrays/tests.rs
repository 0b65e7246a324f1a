use super::*;
use crate::samples::tests::{npy, npz, read, refused};
use crate::{ImageSource, normalize};

/// Numbers as an array of the type `descr` has them.
fn encode(descr: &str, values: &[f64]) -> Vec<u8> {
    let one = |value: f64| match &descr[1..] {
        "u1" => vec![value as u8],
        "i4" => (value as i32).to_be_bytes().to_vec(),
        "i8" => (value as i64).to_be_bytes().to_vec(),
        "f2" => f16::from_f64(value).to_be_bytes().to_vec(),
        "f4" => (value as f32).to_be_bytes().to_vec(),
        "f8" => value.to_be_bytes().to_vec(),
        other => panic!("{other}"),
    };
    let mut encoded = Vec::new();
    for &value in values {
        let mut bytes = one(value);
        if !descr.starts_with('>') {
            bytes.reverse();
        }
        encoded.extend(bytes);
    }
    encoded
}

/// An `.npy` file of images of 1 × 2 with these values.
fn pairs(descr: &str, values: &[f64]) -> Vec<u8> {
    npy(descr, false, &[values.len() / 2, 1, 2], &encode(descr, values))
}

const BYTES: [u8; 8] = [0, 255, 51, 204, 102, 153, 1, 254];

#[test]
fn every_type_of_numbers_is_read() {
    for descr in ["|u1", "<i4", ">i4", "<i8", ">i8"] {
        let found = read("s.npy", &pairs(descr, &BYTES.map(f64::from)), None).unwrap();
        assert_eq!(found.images.pixels(), BYTES, "{descr}");
        assert_eq!((found.range, found.guessed), (ValueRange::Bytes, false));
        assert_eq!((found.images.len(), found.images.shape()), (4, [1, 1, 2]));
    }
    for descr in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"] {
        for (values, range) in [
            (BYTES.map(f64::from), ValueRange::Bytes),
            (BYTES.map(|byte| f64::from(byte) / 255.0), ValueRange::Unit),
            (BYTES.map(|byte| f64::from(normalize(byte))), ValueRange::Symmetric),
        ] {
            let found = read("s.npy", &pairs(descr, &values), None).unwrap();
            assert_eq!(found.images.pixels(), BYTES, "{descr} {range}");
            assert_eq!((found.range, found.guessed), (range, true));
        }
    }
}

/// What is at a place of an array, which is counted along its axes.
type Value<'a> = &'a dyn Fn(&[usize]) -> usize;

/// What an array of this shape holds in memory.
fn stored(shape: &[usize], is_fortran: bool, value: Value<'_>) -> Vec<u8> {
    let mut data = Vec::new();
    let length: usize = shape.iter().product();
    for index in 0..length {
        let mut rest = index;
        let mut place = vec![0; shape.len()];
        let mut step = |axis: usize| {
            place[axis] = rest % shape[axis];
            rest /= shape[axis];
        };
        if is_fortran {
            (0..shape.len()).for_each(&mut step);
        } else {
            (0..shape.len()).rev().for_each(&mut step);
        }
        data.push(value(&place) as u8);
    }
    data
}

#[test]
fn every_layout_is_read() {
    // The place of a value in N·C·H·W order is its value.
    let ordered = |[images, channels, rows, columns]: [usize; 4], [c, h, w]: [usize; 3]| {
        ((images * c + channels) * h + rows) * w + columns
    };
    let colours = |place: [usize; 4]| ordered(place, [3, 4, 5]);
    let grey = |place: [usize; 4]| ordered(place, [1, 4, 4]);
    for is_fortran in [false, true] {
        let layouts: [(&[usize], Value<'_>, [usize; 3]); 6] = [
            (&[2, 4, 5, 3], &|at| colours([at[0], at[3], at[1], at[2]]), [3, 4, 5]),
            (&[2, 3, 4, 5], &|at| colours([at[0], at[1], at[2], at[3]]), [3, 4, 5]),
            (&[2, 4, 4, 1], &|at| grey([at[0], at[3], at[1], at[2]]), [1, 4, 4]),
            (&[2, 1, 4, 4], &|at| grey([at[0], at[1], at[2], at[3]]), [1, 4, 4]),
            (&[2, 4, 4], &|at| grey([at[0], 0, at[1], at[2]]), [1, 4, 4]),
            (&[2, 16], &|at| grey([at[0], 0, at[1] / 4, at[1] % 4]), [1, 4, 4]),
        ];
        for (shape, value, image) in layouts {
            let data = stored(shape, is_fortran, value);
            let found = read("s.npy", &npy("|u1", is_fortran, shape, &data), None).unwrap();
            let expected: Vec<u8> = (0..data.len() as u8).collect();
            assert_eq!(found.images.pixels(), expected, "{shape:?} {is_fortran}");
            assert_eq!(found.images.shape(), image, "{shape:?} {is_fortran}");
        }
    }
}

#[test]
fn files_that_numpy_wrote_are_read() {
    let grey: Vec<u8> = (0..24)
        .map(|step| (f64::from(step) * 255.0 / 23.0).round() as u8)
        .collect();
    let compressed = read("s.npz", include_bytes!("../fixtures/compressed.npz"), None).unwrap();
    assert_eq!(compressed.images.pixels(), grey);
    assert_eq!(
        compressed.origin,
        "2 images of 3×4 from s.npz (array `images`, f32, taken as -1..1)"
    );
    let fortran = read("s.npy", include_bytes!("../fixtures/fortran.npy"), None).unwrap();
    assert_eq!(fortran.images.pixels(), grey);
    assert_eq!(fortran.images.shape(), [1, 3, 4]);
    let colours = read("s.npy", include_bytes!("../fixtures/colours.npy"), None).unwrap();
    assert_eq!(colours.images.shape(), [3, 2, 3]);
    let first = [0, 15, 30, 45, 60, 75, 5, 20, 35, 50, 65, 80, 10, 25, 40, 55, 70, 85];
    assert_eq!(colours.images.pixels()[..18], first);
}

#[test]
fn the_array_of_images_is_found_by_its_shape_or_name() {
    let array = |shade: u8| npy("|u1", false, &[1, 2, 2], &[shade; 4]);
    let labels = npy("<i8", false, &[1], &[0; 8]);
    let column = npy("<i8", false, &[1, 1], &[0; 8]);
    let shade = |arrays: &[(&str, Vec<u8>)]| read("s.npz", &npz(arrays), None).map(|found| found.images.pixels()[0]);
    assert_eq!(
        shade(&[("y", labels.clone()), ("whatever", array(7)), ("column", column)]),
        Ok(7)
    );
    for (index, best) in USUAL_NAMES.into_iter().enumerate() {
        // Worse names come before it, and another array that looks like images.
        let mut arrays: Vec<(&str, Vec<u8>)> = vec![("z", array(99))];
        for name in USUAL_NAMES.into_iter().skip(index).rev() {
            arrays.push((name, array(if name == best { 7 } else { 8 })));
        }
        assert_eq!(shade(&arrays), Ok(7), "{best}");
    }
    let several = npz(&[("real", array(1)), ("fake", array(2)), ("y", labels.clone())]);
    refused(
        "s.npz",
        &several,
        &["`images`, `samples`", "found `real`, `fake`; leave one"],
    );
    refused("s.npz", &npz(&[("y", labels)]), &["N×H×W", "found `y` ('<i8', 1)"]);
    refused("s.npz", &npz(&[]), &["found no array"]);
    // A broken array is of interest only if no other can be read.
    let broken = b"\x93NUMPY".to_vec();
    assert_eq!(shade(&[("a", broken.clone()), ("b", array(7))]), Ok(7));
    refused("s.npz", &npz(&[("a", broken)]), &["damaged or incomplete"]);
}

#[test]
fn numbers_that_are_not_finite_are_found_with_their_image() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for range in [None, Some(ValueRange::Unit)] {
            let error = read("s.npy", &pairs("<f4", &[0.0, 1.0, 0.0, 1.0, 0.0, value]), range).unwrap_err();
            assert!(
                error.contains("finite numbers") && error.contains("in image 2, counted from 0"),
                "{error}"
            );
        }
    }
    let data = encode("<f8", &[0.0, 0.0, 0.0, 0.0, f64::NAN, 0.0]);
    refused("s.npy", &npy("<f8", true, &[3, 1, 2], &data), &["NaN in image 1"]);
}

#[test]
fn numbers_of_no_range_are_refused_unless_it_is_given() {
    refused(
        "s.npy",
        &pairs("<f4", &[-3.0, 2.5, 0.0, 1.0]),
        &["from 0 to 1, from -1 to 1", "numbers from -3 to 2.5", "give the range"],
    );
    refused(
        "s.npy",
        &pairs("<i4", &[-1.0, 255.0]),
        &["whole numbers from 0 to 255", "-1 to 255"],
    );
    let values = pairs("<f4", &[-3.0, -1.0, 0.0, 0.5, 1.0, 2.5, 128.4, 300.0]);
    for (range, expected) in [
        (ValueRange::Bytes, [0, 0, 0, 1, 1, 3, 128, 255]),
        (ValueRange::Unit, [0, 0, 0, 128, 255, 255, 255, 255]),
        (ValueRange::Symmetric, [0, 0, 128, 191, 255, 255, 255, 255]),
    ] {
        let found = read("s.npy", &values, Some(range)).unwrap();
        assert_eq!(found.images.pixels(), expected, "{range}");
        assert_eq!((found.range, found.guessed), (range, false));
    }
    // Bytes that are 0 and 1 can be meant as black and white.
    let binary = read("s.npy", &pairs("|u1", &[0.0, 1.0]), Some(ValueRange::Unit)).unwrap();
    assert_eq!(binary.images.pixels(), [0, 255]);
    for range in [ValueRange::Unit, ValueRange::Symmetric, ValueRange::Bytes] {
        let bytes = read("s.npy", &pairs("|u1", &[0.0, 200.0]), Some(range)).unwrap();
        assert_eq!((bytes.images.pixels(), bytes.range), (&[0, 200][..], ValueRange::Bytes));
    }
}

#[test]
fn arrays_of_no_images_are_refused() {
    for shape in [&[0, 28, 28][..], &[3, 0, 28], &[0, 3, 28, 28]] {
        refused(
            "s.npy",
            &npy("|u1", false, shape, &[]),
            &["at least one image", "none: '|u1', "],
        );
    }
    for shape in [&[9][..], &[3, 3], &[1, 4, 4, 2]] {
        refused("s.npy", &npy("|u1", false, shape, &[0; 32]), &["uint8", "N×H×W"]);
    }
    for descr in ["|i1", "<u2", "|b1", "<c16", "|O"] {
        refused("s.npy", &npy(descr, false, &[1, 2, 2], &[0; 64]), &["uint8", descr]);
    }
    refused("s.npy", b"PK\x03\x04 an archive", &["an array of NumPy", "50, 4b"]);
    refused("s.npz", &pairs("|u1", &[0.0, 1.0]), &["archive"]);
}

#[test]
fn a_large_promise_takes_no_memory() {
    let bytes = npy("|u1", false, &[1 << 21, 32, 32], &[0; 100]);
    refused("s.npy", &bytes, &["incomplete"]);
    for shape in [[1 << 21, 32, 33], [1 << 62, 1 << 62, 1 << 62]] {
        let bytes = npy("<f4", false, &shape, &[0; 100]);
        refused("s.npy", &bytes, &["at most 2147483648"]);
        refused("s.npz", &npz(&[("x", bytes)]), &["at most 2147483648"]);
    }
}

#[test]
fn a_file_cut_short_or_grown_is_refused() {
    let values: Vec<f64> = (0..48).map(|step| f64::from(step) / 47.0).collect();
    let plain = npy("<f4", false, &[3, 4, 4], &encode("<f4", &values));
    let archive = npz(&[("x", plain.clone())]);
    for (name, bytes) in [("s.npy", &plain), ("s.npz", &archive)] {
        assert!(read(name, bytes, None).is_ok());
        for length in 0..bytes.len() {
            refused(name, &bytes[..length], &["make or fetch it again"]);
        }
    }
    let grown = [&plain[..], &[0]].concat();
    refused("s.npy", &grown, &["as many numbers", "more than that"]);
    refused("s.npz", &npz(&[("x", grown)]), &["as many numbers", "more than that"]);
    let short = plain[..plain.len() - 1].to_vec();
    refused("s.npz", &npz(&[("x", short)]), &["incomplete"]);
}

#[test]
fn the_sum_of_an_archived_array_is_checked() {
    let mut bytes = include_bytes!("../fixtures/compressed.npz").to_vec();
    // It stands before the data and in the directory at the end.
    let entry = bytes.windows(4).position(|word| word == b"PK\x01\x02").unwrap();
    bytes[entry + 16] ^= 1;
    bytes[14] ^= 1;
    let error = read("s.npz", &bytes, None).map(|found| found.origin).unwrap_err();
    assert!(error.contains("hecksum"), "{error}");
}
