//! Images from arrays of NumPy: `.npy` files, and the one array of images in an `.npz` archive.
//!
//! An array is read once where its range is known, and twice where it must be told from the values, so that memory holds one
//! byte a pixel and never the floats.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use npyz::half::f16;
use npyz::npz::array_name_from_file_name;
use npyz::{Deserialize, NpyFile, NpyHeader};
use zip::ZipArchive;
use zip::result::ZipError;

use super::header::{Element, ImageArray, description, read_header, unreadable};
use super::values::Extremes;
use super::{Outline, Samples, ValueRange, file_name, origin};
use crate::{DataError, ImageSet};

/// The names by which an array is chosen where several could be meant, best first.
const USUAL_NAMES: [&str; 6] = ["images", "samples", "x", "arr_0", "x_train", "train_images"];

/// How many arrays a message lists.
const LISTED: usize = 12;

/// How many bytes are read at a time.
const CHUNK: usize = 1 << 16;

/// The most bytes that a byte of Deflate can stand for.
const MOST_DEFLATED: u64 = 1032;

/// Reads the array of an `.npy` file.
pub(super) fn read_npy(path: &Path, range: Option<ValueRange>) -> Result<Samples, DataError> {
    let mut place = Place::File(path);
    let array = array_of_file(&mut place)?;
    read_array(&mut place, &array, range, None)
}

/// What an `.npy` file says of its images.
pub(super) fn outline_npy(path: &Path) -> Result<Outline, DataError> {
    outline(path, array_of_file(&mut Place::File(path))?, None)
}

/// What an `.npz` file says of its images.
pub(super) fn outline_npz(path: &Path) -> Result<Outline, DataError> {
    let Member { name, array, .. } = choose(&mut open_archive(path)?, path)?;
    outline(path, array, Some(name))
}

fn outline(path: &Path, array: ImageArray, name: Option<String>) -> Result<Outline, DataError> {
    refuse_none(path, &array)?;
    Ok(Outline {
        count: array.layout.count(),
        shape: array.layout.image_shape(),
        array: name,
    })
}

/// The array of an `.npy` file, by its header.
fn array_of_file(place: &mut Place<'_>) -> Result<ImageArray, DataError> {
    let path = place.path();
    let header = read_header(&mut place.open()?, path)?;
    let found = description(&header);
    let array = ImageArray::of(header).ok_or_else(|| DataError::format(path, expected_array(), found))?;
    // Known without reading it: a file cut short.
    match array.layout.len().saturating_mul(array.element.size()) > place.most_bytes()? {
        true => Err(unreadable(path, ErrorKind::UnexpectedEof.into())),
        false => Ok(array),
    }
}

/// Reads the array of an `.npz` file that holds images.
pub(super) fn read_npz(path: &Path, range: Option<ValueRange>) -> Result<Samples, DataError> {
    let mut archive = open_archive(path)?;
    let Member { index, name, array } = choose(&mut archive, path)?;
    let mut place = Place::Archive { path, archive, index };
    read_array(&mut place, &array, range, Some(&name))
}

/// An array of images in an archive.
struct Member {
    index: usize,
    name: String,
    array: ImageArray,
}

/// Finds the array of images in an archive.
fn choose(archive: &mut ZipArchive<BufReader<File>>, path: &Path) -> Result<Member, DataError> {
    let mut fitting: Vec<Member> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    let mut first_error = None;
    for index in 0..archive.len() {
        let name = match archive.name_for_index(index) {
            Some(Ok(inside)) => array_name_from_file_name(&inside).map(str::to_owned),
            _ => None,
        };
        let Some(name) = name else {
            continue;
        };
        let member = archive.by_index(index).map_err(|error| broken_archive(path, error));
        match member.and_then(|member| read_header(&mut BufReader::new(member), path)) {
            Ok(header) => {
                let described = format!("`{name}` ({})", description(&header));
                match ImageArray::of(header) {
                    Some(array) => fitting.push(Member { index, name, array }),
                    None => others.push(described),
                }
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let usual = |name: &&str| fitting.iter().position(|member| member.name == **name);
    let chosen = match fitting.len() {
        1 => Some(0),
        _ => USUAL_NAMES.iter().find_map(usual),
    };
    if let Some(chosen) = chosen {
        return Ok(fitting.swap_remove(chosen));
    }
    if !fitting.is_empty() {
        let expected = format!(
            "one array of images, or one of the name {}",
            listed(&quoted(&USUAL_NAMES))
        );
        let names: Vec<&str> = fitting.iter().map(|member| member.name.as_str()).collect();
        let found = format!("{}; leave one of them or rename it", listed(&quoted(&names)));
        return Err(DataError::format(path, expected, found));
    }
    Err(first_error.unwrap_or_else(|| {
        let found = if others.is_empty() {
            "no array".to_owned()
        } else {
            listed(&others)
        };
        DataError::format(path, expected_array(), found)
    }))
}

/// Reads an array as images; `name` is what the array is called in its archive.
fn read_array(
    place: &mut Place<'_>,
    array: &ImageArray,
    range: Option<ValueRange>,
    name: Option<&str>,
) -> Result<Samples, DataError> {
    let (path, layout) = (place.path(), &array.layout);
    refuse_none(path, array)?;
    let (range, guessed) = match (range, array.element) {
        // Bytes that are 0 and 1 can be meant as black and white; others are bytes, whatever range a file beside them needs.
        (Some(ValueRange::Unit), Element::U8) => {
            let mut is_binary = true;
            visit(place, array, &mut |value| is_binary &= value <= 1.0)?;
            let range = if is_binary { ValueRange::Unit } else { ValueRange::Bytes };
            (range, false)
        }
        (_, Element::U8) => (ValueRange::Bytes, false),
        (Some(range), _) => (range, false),
        (None, element) => {
            let mut extremes = Extremes::NONE;
            visit(place, array, &mut |value| extremes.include(value))?;
            (told_range(element, extremes, path)?, element.is_float())
        }
    };
    let mut pixels = Vec::new();
    let room = pixels.try_reserve_exact(layout.len().min(place.most_bytes()?));
    room.map_err(|_| DataError::io("read", path, ErrorKind::OutOfMemory.into()))?;
    visit(place, array, &mut |value| pixels.push(range.to_byte(value)))?;
    let pixels = layout.arrange(pixels);
    let images = ImageSet::new(file_name(path), pixels, None, layout.image_shape())?;
    let called = name.map(|name| format!("array `{name}`, ")).unwrap_or_default();
    let remarks = format!("{called}{}, taken as {range}", array.element.name());
    Ok(Samples {
        origin: origin(&images, path, Some(&remarks)),
        images,
        range,
        guessed,
        array: name.map(str::to_owned),
    })
}

/// Refuses an array without images.
fn refuse_none(path: &Path, array: &ImageArray) -> Result<(), DataError> {
    if array.layout.len() > 0 {
        return Ok(());
    }
    let found = format!("none: {}", description(&array.header));
    Err(DataError::format(path, "at least one image", found))
}

/// What the values of an array show of their range.
fn told_range(element: Element, extremes: Extremes, path: &Path) -> Result<ValueRange, DataError> {
    let (range, expected) = if element.is_float() {
        (
            extremes.range_of_floats(),
            "numbers from 0 to 1, from -1 to 1 or from 0 to 255",
        )
    } else {
        (extremes.range_of_integers(), "whole numbers from 0 to 255")
    };
    range.ok_or_else(|| {
        let found = format!(
            "numbers from {extremes}; scale them to one of these ranges, or give the range that they are to be taken as \
             ({}, {} or {}), and what lies outside is cut off",
            ValueRange::Bytes,
            ValueRange::Unit,
            ValueRange::Symmetric
        );
        DataError::format(path, expected, found)
    })
}

/// Where an array lies, to be opened once for each time that it is read.
enum Place<'a> {
    File(&'a Path),
    Archive {
        path: &'a Path,
        archive: ZipArchive<BufReader<File>>,
        index: usize,
    },
}

impl<'a> Place<'a> {
    /// The file's path.
    fn path(&self) -> &'a Path {
        match self {
            Self::File(path) | Self::Archive { path, .. } => path,
        }
    }

    /// The most bytes that an array can have in a file of this length, whatever its header promises; room for no more is made before they come.
    fn most_bytes(&self) -> Result<usize, DataError> {
        let path = self.path();
        let about = fs::metadata(path).map_err(|error| DataError::io("read", path, error))?;
        let most = match self {
            Self::File(_) => about.len(),
            Self::Archive { .. } => about.len().saturating_mul(MOST_DEFLATED),
        };
        Ok(usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// The bytes of the array, header and all.
    fn open(&mut self) -> Result<BufReader<Box<dyn Read + '_>>, DataError> {
        let stream: Box<dyn Read + '_> = match self {
            Self::File(path) => {
                let file = File::open(&**path).map_err(|error| DataError::io("open", path, error))?;
                Box::new(file)
            }
            Self::Archive { path, archive, index } => {
                let member = archive.by_index(*index).map_err(|error| broken_archive(path, error))?;
                Box::new(member)
            }
        };
        Ok(BufReader::with_capacity(CHUNK, stream))
    }
}

/// Passes all values of an array to `take`, in the order in which they are stored, and sees that they are finite and as many
/// as the header says.
fn visit(place: &mut Place<'_>, array: &ImageArray, take: &mut impl FnMut(f64)) -> Result<(), DataError> {
    let path = place.path();
    let stream = &mut place.open()?;
    // The header that counts is the one that was judged, even if the file has been replaced since.
    read_header(stream, path)?;
    match array.element {
        Element::U8 => visit_as::<u8>(stream, array, path, f64::from, take),
        Element::I32 => visit_as::<i32>(stream, array, path, f64::from, take),
        Element::I64 => visit_as::<i64>(stream, array, path, |value| value as f64, take),
        Element::F16 => visit_as::<f16>(stream, array, path, f64::from, take),
        Element::F32 => visit_as::<f32>(stream, array, path, f64::from, take),
        Element::F64 => visit_as::<f64>(stream, array, path, |value| value, take),
    }
}

fn visit_as<T: Deserialize>(
    stream: &mut impl Read,
    array: &ImageArray,
    path: &Path,
    convert: fn(T) -> f64,
    take: &mut impl FnMut(f64),
) -> Result<(), DataError> {
    let file = NpyFile::with_header(array.header.clone(), &mut *stream);
    let numbers = file.data::<T>();
    let numbers = numbers.map_err(|error| DataError::format(path, expected_array(), error.to_string()))?;
    for (index, number) in numbers.enumerate() {
        let value = convert(number.map_err(|error| unreadable(path, error))?);
        if !value.is_finite() {
            let image = array.layout.image_of(index);
            let found = format!("{value} in image {image}, counted from 0; leave such images out");
            return Err(DataError::format(path, "finite numbers", found));
        }
        take(value);
    }
    check_end(stream, &array.header, path)
}

/// Refuses what goes on after the numbers; reading on also makes an archive check its sum.
pub(super) fn check_end(stream: &mut impl Read, header: &NpyHeader, path: &Path) -> Result<(), DataError> {
    let mut beyond = Vec::new();
    let read = stream.take(1).read_to_end(&mut beyond);
    match read.map_err(|error| unreadable(path, error))? {
        0 => Ok(()),
        _ => {
            let expected = format!("as many numbers as the header says, {}", description(header));
            Err(DataError::format(
                path,
                expected,
                "more than that; make or fetch the file again",
            ))
        }
    }
}

/// Opens an archive of arrays.
pub(super) fn open_archive(path: &Path) -> Result<ZipArchive<BufReader<File>>, DataError> {
    let file = File::open(path).map_err(|error| DataError::io("open", path, error))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| broken_archive(path, error))
}

/// What an archive that cannot be read means.
pub(super) fn broken_archive(path: &Path, error: ZipError) -> DataError {
    match error {
        // An invalid argument is a place outside of the file that the archive's directory leads to.
        ZipError::Io(error) if error.raw_os_error().is_some() && error.kind() != ErrorKind::InvalidInput => {
            DataError::io("read", path, error)
        }
        error => {
            let found = format!("a damaged, incomplete or foreign file ({error}); make or fetch it again");
            DataError::format(path, "an archive of arrays as numpy.savez writes it", found)
        }
    }
}

/// What arrays of images look like, for messages.
fn expected_array() -> String {
    "an array of images: uint8, int32, int64, float16, float32 or float64, of the shape N×H×W, N×H×W×C, N×C×H×W (C is 1 or 3) \
     or N×(H·W) with H = W"
        .to_owned()
}

fn quoted(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("`{name}`")).collect()
}

/// The first few of many words, and how many there are besides.
fn listed(words: &[String]) -> String {
    let first = words[..words.len().min(LISTED)].join(", ");
    match words.len().saturating_sub(LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
