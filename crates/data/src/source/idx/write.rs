//! IDX files, written.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::UNSIGNED_BYTE;
use crate::DataError;
use crate::files::write_atomically;

/// Writes grey images, given in N·H·W order, as an IDX file with three dimensions.
///
/// The file is compressed if its name ends in `.gz`, and written [atomically](write_atomically).
///
/// # Errors
///
/// [`DataError::Format`] if `pixels` does not hold one or more whole images or a size does not fit
/// the format, and [`DataError::Io`] if the file cannot be written.
pub fn write_images(path: &Path, pixels: &[u8], rows: usize, columns: usize) -> Result<(), DataError> {
    let area = rows.checked_mul(columns).filter(|&area| area > 0);
    let count = area
        .filter(|area| pixels.len().is_multiple_of(*area))
        .map(|area| pixels.len() / area);
    match count {
        Some(count) if count > 0 => write(path, &[count, rows, columns], pixels),
        _ => Err(DataError::format(
            path,
            format!("at least one whole image of {rows} × {columns} pixels to write"),
            format!("{} bytes", pixels.len()),
        )),
    }
}

/// Writes labels as an IDX file with one dimension, under the same terms as [`write_images`].
///
/// # Errors
///
/// [`DataError::Format`] if there are no labels or more than the format holds, and
/// [`DataError::Io`] if the file cannot be written.
pub fn write_labels(path: &Path, labels: &[u8]) -> Result<(), DataError> {
    if labels.is_empty() {
        return Err(DataError::format(path, "at least one label to write", "none"));
    }
    write(path, &[labels.len()], labels)
}

/// What stands before the bytes of an IDX file of so many dimensions; `None` where a size does not fit the format.
#[must_use]
pub fn header(sizes: &[usize]) -> Option<Vec<u8>> {
    let mut header = vec![0, 0, UNSIGNED_BYTE, u8::try_from(sizes.len()).ok()?];
    for &size in sizes {
        header.extend(u32::try_from(size).ok()?.to_be_bytes());
    }
    Some(header)
}

fn write(path: &Path, sizes: &[usize], data: &[u8]) -> Result<(), DataError> {
    let header = header(sizes)
        .ok_or_else(|| DataError::format(path, "sizes of at most 4294967295 to write", format!("{sizes:?}")))?;
    let compressed = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    write_atomically(path, |out| {
        if !compressed {
            out.write_all(&header)?;
            return out.write_all(data);
        }
        let mut encoder = GzEncoder::new(out, Compression::default());
        encoder.write_all(&header)?;
        encoder.write_all(data)?;
        encoder.finish().map(drop)
    })
}
