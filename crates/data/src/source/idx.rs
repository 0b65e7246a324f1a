//! IDX files, the format of MNIST and its relatives, plain or compressed with gzip.
//!
//! An IDX file (LeCun, "The MNIST database") starts with four bytes: two zeros, the type of the
//! numbers (8 for bytes, the only one read here) and the number of dimensions. Then follows the
//! size of each dimension as a big-endian 32-bit number, and then the numbers, the last dimension
//! running fastest.
//!
//! A file may be broken, cut short or made to do harm, so nothing is believed before it is seen:
//! memory grows with the bytes that really arrive, and a stream longer than its header says is not
//! read on.

use std::io::{self, Read};
use std::path::Path;

use crate::source::gzip::{Content, sum_of};
use crate::source::published::Verdict;
use crate::{DataError, DataFile, ImageSet};

mod write;

pub use write::{header, write_images, write_labels};

/// The most bytes of data that are read from one file. MNIST's largest file holds 47 million.
pub(crate) const LIMIT: u64 = 1 << 30;

/// The type byte for unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// How many bytes are read at a time.
const CHUNK: usize = 1 << 16;

/// The images of an IDX file with three dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxImages {
    /// How many images there are.
    pub count: usize,
    /// The height of each, in pixels.
    pub rows: usize,
    /// The width of each, in pixels.
    pub columns: usize,
    /// One byte a pixel, in N·H·W order.
    pub pixels: Vec<u8>,
}

/// Reads an image file (IDX with three dimensions); gzip is known by its first bytes, not by the
/// name.
///
/// # Errors
///
/// [`DataError::Io`] if the file cannot be read, [`DataError::Swapped`] if it holds labels,
/// [`DataError::TooLarge`] if its header promises more than 2³⁰ bytes, and [`DataError::Format`] if
/// it is no IDX file of bytes, is broken, empty, too short or too long.
pub fn read_images(path: &Path) -> Result<IdxImages, DataError> {
    let ([count, rows, columns], pixels, _) = read(path, Kind::Images, None)?;
    Ok(IdxImages {
        count,
        rows,
        columns,
        pixels,
    })
}

/// Reads a label file (IDX with one dimension); gzip is known by its first bytes, not by the name.
///
/// # Errors
///
/// As [`read_images`], with [`DataError::Swapped`] if the file holds images.
pub fn read_labels(path: &Path) -> Result<Vec<u8>, DataError> {
    let ([_], labels, _) = read(path, Kind::Labels, None)?;
    Ok(labels)
}

/// Reads how high and wide the images of a file are, from its header alone.
///
/// # Errors
///
/// As [`read_images`], for what the header shows.
pub fn read_image_size(path: &Path) -> Result<[usize; 2], DataError> {
    let [_, rows, columns] = read_image_header(path)?;
    Ok([rows, columns])
}

/// Reads how many images a file has, from its header alone.
///
/// # Errors
///
/// As [`read_image_size`].
pub fn read_image_count(path: &Path) -> Result<usize, DataError> {
    let [count, _, _] = read_image_header(path)?;
    Ok(count)
}

/// Reads how many images there are, how high and how wide.
pub(crate) fn read_image_header(path: &Path) -> Result<[usize; 3], DataError> {
    parse_header::<3>(&mut Content::open(path, false)?, path, Kind::Images)
}

/// Reads an image file and, where there is one, its label file into one set of grey images.
///
/// # Errors
///
/// As [`read_images`] and [`read_labels`], and [`DataError::CountMismatch`] if there are not as
/// many labels as images.
pub fn read_image_set(images_path: &Path, labels_path: Option<&Path>, name: &str) -> Result<ImageSet, DataError> {
    Ok(read_judged_set(images_path, labels_path, name, [None; 2])?.0)
}

/// As [`read_image_set`], with what the sums of both files say, where the published files are given.
pub(crate) fn read_judged_set(
    images_path: &Path,
    labels_path: Option<&Path>,
    name: &str,
    [images_file, labels_file]: [Option<&DataFile>; 2],
) -> Result<(ImageSet, Vec<Verdict>), DataError> {
    let ([count, rows, columns], pixels, verdict) = read(images_path, Kind::Images, images_file)?;
    let mut verdicts = Vec::from_iter(verdict);
    let mut labels = None;
    if let Some(labels_path) = labels_path {
        let ([label_count], found, verdict) = read(labels_path, Kind::Labels, labels_file)?;
        if count != label_count {
            return Err(DataError::CountMismatch {
                images_path: images_path.to_owned(),
                images: count,
                labels_path: labels_path.to_owned(),
                labels: label_count,
            });
        }
        labels = Some(found);
        verdicts.extend(verdict);
    }
    Ok((ImageSet::new(name, pixels, labels, [1, rows, columns])?, verdicts))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Images,
    Labels,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Labels => "labels",
        }
    }

    /// What a file of it is.
    fn file(self) -> String {
        format!("an IDX file of {}", self.name())
    }

    /// What a file with so many dimensions holds.
    const fn of_dimensions(dimensions: u8) -> Option<Self> {
        match dimensions {
            1 => Some(Self::Labels),
            3 => Some(Self::Images),
            _ => None,
        }
    }
}

/// What a file with `N` dimensions holds: their sizes, the data and, where the published file is given, whether it is that.
type File<const N: usize> = ([usize; N], Vec<u8>, Option<Verdict>);

fn read<const N: usize>(path: &Path, kind: Kind, published: Option<&DataFile>) -> Result<File<N>, DataError> {
    let mut content = Content::open(path, published.is_some())?;
    let (sizes, data) = parse(&mut content, path, kind)?;
    let gzip_sum = content.gzip_sum();
    let verdict = published.map(|file| {
        Verdict::of(path, file, gzip_sum, || {
            // A header that was read can be written.
            sum_of(&[&header(&sizes).unwrap_or_default(), &data])
        })
    });
    Ok((sizes, data, verdict))
}

/// What a stream that cannot be read on means.
fn broken(path: &Path, kind: Kind, compressed: bool) -> impl Fn(io::Error) -> DataError {
    move |error| {
        if compressed {
            let found = format!("a damaged or incomplete gzip file ({error}); delete it and fetch it again");
            DataError::format(path, kind.file(), found)
        } else {
            DataError::io("read", path, error)
        }
    }
}

/// Reads and checks the sizes of a file's `N` dimensions.
fn parse_header<const N: usize>(stream: &mut Content, path: &Path, kind: Kind) -> Result<[usize; N], DataError> {
    let what = || kind.file();
    let broken = broken(path, kind, stream.is_gzip());
    let magic = read_up_to(stream, 4).map_err(&broken)?;
    let [zero, nought, element, dimensions] = magic[..] else {
        return Err(DataError::format(path, what(), format!("only {} bytes", magic.len())));
    };
    if zero != 0 || nought != 0 {
        let found = format!("a file that starts with the bytes {magic:02x?} instead of two zeros");
        return Err(DataError::format(path, what(), found));
    }
    if element != UNSIGNED_BYTE {
        let found = format!("element type 0x{element:02x} instead of 0x08 (unsigned bytes)");
        return Err(DataError::format(path, what(), found));
    }
    match Kind::of_dimensions(dimensions) {
        Some(found) if found == kind => {}
        Some(found) => {
            return Err(DataError::Swapped {
                path: path.to_owned(),
                expected: kind.name(),
                found: found.name(),
            });
        }
        None => {
            let found = format!("{dimensions} dimensions instead of {N}");
            return Err(DataError::format(path, what(), found));
        }
    }
    let header = read_up_to(stream, 4 * N as u64).map_err(&broken)?;
    if header.len() < 4 * N {
        let found = format!("a file that ends within its header, after {} bytes", 4 + header.len());
        return Err(DataError::format(path, what(), found));
    }
    let mut sizes = [0; N];
    for (size, bytes) in sizes.iter_mut().zip(header.chunks_exact(4)) {
        *size = bytes
            .iter()
            .fold(0_u32, |number, &byte| (number << 8) | u32::from(byte));
    }
    let promised = sizes.iter().fold(1_u128, |product, &size| product * u128::from(size));
    if promised == 0 {
        let found = format!("an empty one, with the sizes {sizes:?}");
        return Err(DataError::format(path, what(), found));
    }
    if promised > u128::from(LIMIT) {
        return Err(DataError::TooLarge {
            path: path.to_owned(),
            promised,
            limit: LIMIT,
        });
    }
    Ok(sizes.map(|size| size as usize))
}

fn parse<const N: usize>(stream: &mut Content, path: &Path, kind: Kind) -> Result<([usize; N], Vec<u8>), DataError> {
    let sizes = parse_header::<N>(stream, path, kind)?;
    let length = sizes.iter().fold(1, |product, &size| product * size as u64);
    let broken = broken(path, kind, stream.is_gzip());
    // One byte more than promised shows a file that is too long, and makes gzip check its sum.
    let data = read_up_to(stream, length + 1).map_err(broken)?;
    let read = data.len() as u64;
    if read != length {
        let expected = format!("{length} bytes of {} as its header says, {sizes:?}", kind.name());
        let found = if read < length {
            format!("only {read}")
        } else {
            "more than that".to_owned()
        };
        return Err(DataError::format(
            path,
            expected,
            format!("{found}; delete it and fetch it again"),
        ));
    }
    Ok((sizes, data))
}

/// Reads until the stream ends or `limit` bytes have come. Memory grows with what arrives, at most
/// to twice that, and never beyond `limit` bytes.
fn read_up_to(stream: &mut impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let limit = usize::try_from(limit).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut data = Vec::new();
    while data.len() < limit {
        let start = data.len();
        if data.capacity() == start {
            let growth = start.max(CHUNK).min(limit - start);
            data.try_reserve_exact(growth).map_err(|_| io::ErrorKind::OutOfMemory)?;
        }
        let room = (data.capacity().min(limit) - start).min(CHUNK);
        data.resize(start + room, 0);
        let read = match stream.read(&mut data[start..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                data.truncate(start);
                continue;
            }
            Err(error) => return Err(error),
        };
        data.truncate(start + read);
        if read == 0 {
            break;
        }
    }
    Ok(data)
}

#[cfg(test)]
mod tests;
