//! Arrays that NumPy reads, for figures and for checks in other languages.

use std::io::Write;
use std::path::Path;

use crate::DataError;
use crate::files::write_atomically;

/// The data starts at a multiple of this many bytes, so that it can be mapped into memory and read
/// in place.
const ALIGNMENT: usize = 64;

/// Writes `data` as a little-endian `float32` array of shape `shape`, in C order (the last axis
/// runs fastest).
///
/// The format is `.npy` version 1.0, as `numpy.lib.format` describes it; the file is written
/// [atomically](write_atomically).
///
/// # Errors
///
/// [`DataError::NpyShape`] if `data` is not as long as the shape says, or if the shape has so many
/// axes that its description does not fit the format, and [`DataError::Io`] if the file cannot be
/// written.
pub fn write_f32(path: &Path, data: &[f32], shape: &[usize]) -> Result<(), DataError> {
    let expected = shape
        .iter()
        .try_fold(1_usize, |product, &side| product.checked_mul(side));
    let header = header(F32, shape).filter(|_| expected == Some(data.len()));
    let Some(header) = header else {
        return Err(DataError::NpyShape {
            path: path.to_owned(),
            shape: shape.to_vec(),
            found: data.len(),
        });
    };
    write_atomically(path, |out| {
        out.write_all(&header)?;
        data.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
    })
}

/// Little-endian `float32`, as a description of numbers.
pub const F32: &str = "<f4";
/// Bytes, as a description of numbers.
pub const U8: &str = "|u1";

/// What stands before the numbers of an array in C order: magic bytes, version, length and the description, padded to the alignment; `None` if the
/// shape is too long. `numbers` is [`F32`] or [`U8`].
#[must_use]
pub fn header(numbers: &str, shape: &[usize]) -> Option<Vec<u8>> {
    let mut axes: String = shape.iter().map(|side| format!("{side}, ")).collect();
    // Python's tuple of one keeps its comma, all others lose the last one.
    axes.truncate(axes.len().saturating_sub(if shape.len() == 1 { 1 } else { 2 }));
    let mut text = format!("{{'descr': '{numbers}', 'fortran_order': False, 'shape': ({axes}), }}");
    let fixed = 10;
    let whole = (fixed + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.push_str(&" ".repeat(whole - fixed - text.len() - 1));
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
    header.extend(text.as_bytes());
    Some(header)
}

/// Reads an array of `float32` or `float64` numbers in C order: its shape, and its numbers.
///
/// # Errors
///
/// [`DataError::Io`] if it cannot be read; [`DataError::Format`] if it is another file, or of other numbers, or of ones that are not finite.
pub fn read_f32(path: &Path) -> Result<(Vec<usize>, Vec<f32>), DataError> {
    let expected = "an array of NumPy of float32 or float64 in C order (.npy)";
    let refuse = |found: String| DataError::format(path, expected, found);
    let file = std::fs::File::open(path).map_err(|error| DataError::io("read", path, error))?;
    let file = npyz::NpyFile::new(std::io::BufReader::new(file)).map_err(|error| refuse(error.to_string()))?;
    if file.order() != npyz::Order::C && file.shape().len() > 1 {
        return Err(refuse("one in Fortran order".to_owned()));
    }
    let shape: Vec<usize> = file.shape().iter().map(|&side| side as usize).collect();
    // Room is made for what is there, not for what a header promises.
    let promised = shape
        .iter()
        .try_fold(4_u64, |product, &side| product.checked_mul(side as u64));
    let length = std::fs::metadata(path).map_or(0, |about| about.len());
    if promised.is_none_or(|promised| promised > length) {
        return Err(refuse(format!("a header that promises {shape:?} and {length} bytes")));
    }
    let of_f64 = |file: npyz::NpyFile<_>| {
        file.into_vec::<f64>()
            .map(|numbers| numbers.into_iter().map(|number| number as f32).collect())
    };
    let numbers: Vec<f32> = match file.dtype().descr().trim_matches(['\'', '<', '>', '=']) {
        "f4" => file.into_vec().map_err(|error| refuse(error.to_string()))?,
        "f8" => of_f64(file).map_err(|error| refuse(error.to_string()))?,
        other => return Err(refuse(format!("numbers of the type {other}"))),
    };
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(place) => Err(refuse(format!("{} as number {place}", numbers[place]))),
        None => Ok((shape, numbers)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_was_not_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("array.npy");
        write_f32(&path, &[1.5, -2.0, 3.0, 4.0, 0.0, 7.0], &[3, 2]).unwrap();
        assert_eq!(
            read_f32(&path).unwrap(),
            (vec![3, 2], vec![1.5, -2.0, 3.0, 4.0, 0.0, 7.0])
        );
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 5, 40, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read_f32(&path).is_err(), "{length} bytes");
        }
        let replaced = |from: &str, to: &str| {
            let place = whole
                .windows(from.len())
                .position(|part| part == from.as_bytes())
                .unwrap();
            let mut bytes = whole.clone();
            bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
            std::fs::write(&path, bytes).unwrap();
            read_f32(&path).unwrap_err().to_string()
        };
        assert!(replaced("<f4", "<i4").contains("numbers of the type i4"));
        assert!(replaced("(3, 2), }   ", "(3000, 2), }").contains("a header that promises [3000, 2]"));
        write_f32(&path, &[1.0, f32::NAN], &[2]).unwrap();
        assert!(read_f32(&path).unwrap_err().to_string().contains("NaN as number 1"));
    }

    fn written(data: &[f32], shape: &[usize]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("array.npy");
        write_f32(&path, data, shape).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn the_layout_is_numpys() {
        let bytes = written(&[1.0, -2.5, 0.0, 4.0, 5.0, 6.0], &[2, 3]);
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((10 + length) % 64, 0);
        let text = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
        assert!(text.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"));
        assert!(text.ends_with('\n'));
        assert_eq!(bytes.len(), 10 + length + 24);
        assert_eq!(&bytes[10 + length + 4..10 + length + 8], &(-2.5_f32).to_le_bytes());
    }

    #[test]
    fn short_shapes_are_pythons_tuples() {
        let text = |data: &[f32], shape: &[usize]| String::from_utf8_lossy(&written(data, shape)).into_owned();
        assert!(text(&[1.0], &[]).contains("'shape': (), "));
        assert!(text(&[1.0, 2.0], &[2]).contains("'shape': (2,), "));
        assert!(text(&[], &[0, 4]).contains("'shape': (0, 4), "));
    }

    #[test]
    fn a_shape_that_does_not_fit_is_refused() {
        let path = Path::new("never-written.npy");
        for shape in [&[2, 3][..], &[usize::MAX, 2], &[1; 40_000]] {
            let error = write_f32(path, &[0.0; 4], shape).unwrap_err().to_string();
            assert!(error.contains("never-written.npy"), "{error}");
        }
        assert!(!path.exists());
    }
}
