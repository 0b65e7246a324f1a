//! Images that any tool made, read to be judged: arrays of NumPy, IDX files, and folders of PNG files.
//!
//! Whoever made them may have other habits than ganvas, so much is taken: bytes and floats, images with their channels first
//! or last, numbers from 0 to 1 or from −1 to 1. What is taken for what is told in [`Samples::origin`], so that nobody judges
//! inverted or half black images without a word.
//!
//! As in IDX files, nothing is believed before it is seen: a header that promises more than 2³¹ pixels is refused, and room is
//! made for no more than a file of its length can hold.

use std::fs;
use std::path::Path;

use crate::{DataError, ImageSet, ImageSource, idx};

mod arrays;
mod folder;
mod header;
mod labels;
mod layout;
mod values;

pub(crate) use labels::read_labels;
pub use values::{UnknownRange, ValueRange};

/// The most pixels that are read from one place, one byte each. 50,000 images of 64 × 64 in colours have 0.6 · 10⁹.
const LIMIT: u64 = 1 << 31;

/// What can be read, for messages.
const READABLE: &str =
    "a .npy or .npz file of NumPy, an IDX file (.idx, -ubyte, both also with .gz) or a folder of .png files";

/// Images that were read, and what they were taken for.
#[derive(Debug, Clone)]
pub struct Samples {
    /// The images, without labels, grey or in colours.
    pub images: ImageSet,
    /// What the numbers of the file were taken for.
    pub range: ValueRange,
    /// Whether the range was told from the values alone, because neither the caller nor the type of the numbers says it.
    pub guessed: bool,
    /// One line for people: ``10,000 images of 28×28 from samples.npz (array `images`, f32, taken as -1..1)``.
    pub origin: String,
    /// What their array is called in its archive.
    pub(crate) array: Option<String>,
}

/// Reads the images of a file or of a folder; which kind it is says the name.
///
/// - `.npy` and `.npz`: an array of the types uint8, int32, int64, float16, float32 or float64, of either byte order and of C
///   or Fortran order, with the shape N×H×W, N×H×W×C, N×C×H×W (C is 1 or 3) or N×(H·W) for square grey images. Of several
///   such arrays in an `.npz` file the one is taken whose name is `images`, `samples`, `x`, `arr_0`, `x_train` or
///   `train_images`, in this order.
/// - `.idx`, `.gz` and names that end in `-ubyte`: IDX files.
/// - A folder: all PNG files in it and in its folders, in the order of their paths, but none whose name begins with a dot.
///   All become 8 bits deep; what is transparent is laid over black; colours that are all grey become one channel.
///
/// `range` says what the numbers of an array stand for; what lies outside is cut off. Without it integers are 0..255, and
/// floats are what their least and largest values show. Bytes, in arrays, PNG and IDX files,
/// are 0..255, but for arrays of zeros and ones where `range` is 0..1.
///
/// # Errors
///
/// [`DataError::Io`] if something cannot be read, [`DataError::TooLarge`] if more than 2³¹ pixels are promised, and
/// [`DataError::Format`] if it is nothing of the above, is broken or empty, has numbers that are not finite or fit no range,
/// pictures of several sizes, or several arrays that could be meant; [`DataError::Swapped`] for an IDX file of labels.
pub fn read_samples(path: &Path, range: Option<ValueRange>) -> Result<Samples, DataError> {
    let about = fs::metadata(path).map_err(|error| DataError::io("read", path, error))?;
    if about.is_dir() {
        return folder::read(path);
    }
    let name = file_name(path).to_ascii_lowercase();
    if name.ends_with(".npy") {
        arrays::read_npy(path, range)
    } else if name.ends_with(".npz") {
        arrays::read_npz(path, range)
    } else if [".idx", ".gz", "-ubyte"].iter().any(|ending| name.ends_with(ending)) {
        read_idx(path)
    } else {
        Err(DataError::format(
            path,
            READABLE,
            "a file of another name; convert or rename it",
        ))
    }
}

/// What the header of a file says of its images.
pub(crate) struct Outline {
    pub(crate) count: usize,
    /// Channels, height and width.
    pub(crate) shape: [usize; 3],
    /// What their array is called in its archive.
    pub(crate) array: Option<String>,
}

/// What is said of the images of a file that [`read_samples`] would read, without reading them.
///
/// # Errors
///
/// As [`read_samples`], for what the header shows.
pub(crate) fn outline(path: &Path) -> Result<Outline, DataError> {
    let name = file_name(path).to_ascii_lowercase();
    if name.ends_with(".npy") {
        arrays::outline_npy(path)
    } else if name.ends_with(".npz") {
        arrays::outline_npz(path)
    } else {
        let [count, rows, columns] = idx::read_image_header(path)?;
        Ok(Outline {
            count,
            shape: [1, rows, columns],
            array: None,
        })
    }
}

/// Reads the images of an IDX file.
fn read_idx(path: &Path) -> Result<Samples, DataError> {
    let found = idx::read_images(path)?;
    let images = ImageSet::new(file_name(path), found.pixels, None, [1, found.rows, found.columns])?;
    Ok(Samples {
        range: ValueRange::Bytes,
        guessed: false,
        origin: origin(&images, path, None),
        images,
        array: None,
    })
}

/// Refuses a file that promises more pixels than the limit: the product of `sides`.
fn check_promised(path: &Path, sides: impl IntoIterator<Item = u64>) -> Result<(), DataError> {
    let sides = sides.into_iter().map(u128::from);
    let promised = sides.fold(1_u128, u128::saturating_mul);
    match promised > u128::from(LIMIT) {
        true => Err(DataError::TooLarge {
            path: path.to_owned(),
            promised,
            limit: LIMIT,
        }),
        false => Ok(()),
    }
}

/// The last part of a path, or all of it where it ends in none, as `..` does.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Says in one line how many images of which size came from where, and what is to be known besides.
fn origin(images: &ImageSet, path: &Path, remarks: Option<&str>) -> String {
    let [channels, height, width] = images.shape();
    let colour = if channels == 3 { "colour " } else { "" };
    let plural = if images.len() == 1 { "" } else { "s" };
    let remarks = remarks.map(|remarks| format!(" ({remarks})")).unwrap_or_default();
    let (count, name) = (thousands(images.len()), file_name(path));
    format!("{count} {colour}image{plural} of {height}×{width} from {name}{remarks}")
}

/// 1234567 as `1,234,567`.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests;
