//! What stands before the numbers of an array of NumPy: their type, their order and the array's shape.
//!
//! A header is a dictionary in Python's notation, `{'descr': '<f4', 'fortran_order': False, 'shape': (9, 28, 28), }`. It may
//! come from anywhere, so [`check`] looks at it before npyz does.

use std::io::{self, Read};
use std::path::Path;

use npyz::{DType, NpyHeader, Order, TypeChar};

use super::check_promised;
use super::layout::Layout;
use crate::DataError;

/// What files of arrays begin with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that is read, in bytes. NumPy's own limit is 10,000.
const LONGEST: u32 = 1 << 16;

/// How deep a header's brackets may be nested: a tuple in a dictionary.
const DEEPEST: usize = 2;

/// What an array is, in messages.
const ARRAY: &str = "an array of NumPy";

/// The types of numbers that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    U8,
    I32,
    I64,
    F16,
    F32,
    F64,
}

impl Element {
    fn of(dtype: &DType) -> Option<Self> {
        let DType::Plain(plain) = dtype else {
            return None;
        };
        match (plain.type_char(), plain.size_field()) {
            (TypeChar::Uint, 1) => Some(Self::U8),
            (TypeChar::Int, 4) => Some(Self::I32),
            (TypeChar::Int, 8) => Some(Self::I64),
            (TypeChar::Float, 2) => Some(Self::F16),
            (TypeChar::Float, 4) => Some(Self::F32),
            (TypeChar::Float, 8) => Some(Self::F64),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// Bytes of a number.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::F16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    pub(super) const fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::F32 | Self::F64)
    }
}

/// An array that can be read as images.
pub(super) struct ImageArray {
    pub(super) header: NpyHeader,
    pub(super) element: Element,
    pub(super) layout: Layout,
}

impl ImageArray {
    /// Takes an array for images; `None` if its type or its shape is another one.
    pub(super) fn of(header: NpyHeader) -> Option<Self> {
        let element = Element::of(&header.dtype())?;
        let layout = Layout::of(header.shape(), header.order() == Order::Fortran)?;
        Some(Self {
            header,
            element,
            layout,
        })
    }
}

/// The type and the shape of an array, for messages: `'<f4', 9×28×28`.
pub(super) fn description(header: &NpyHeader) -> String {
    let sides: Vec<String> = header.shape().iter().map(u64::to_string).collect();
    let shape = match sides.len() {
        0 => "a single number".to_owned(),
        1..=6 => sides.join("×"),
        many => format!("{many} axes"),
    };
    format!("{}, {shape}", header.dtype().descr())
}

/// Reads a header and leaves the stream where the numbers begin. The product of all sides but those that are 0 is at most
/// [`LIMIT`](super::LIMIT).
pub(super) fn read_header(stream: &mut impl Read, path: &Path) -> Result<NpyHeader, DataError> {
    let mut fill = |into: &mut [u8]| stream.read_exact(into).map_err(|error| unreadable(path, error));
    let mut bytes = vec![0_u8; 10];
    fill(&mut bytes)?;
    if !bytes.starts_with(MAGIC) {
        let found = format!("a file that starts with the bytes {:02x?}", &bytes[..MAGIC.len()]);
        return Err(DataError::format(path, ARRAY, found));
    }
    let length = match bytes[..] {
        [.., 1, _, low, high] => u32::from(u16::from_le_bytes([low, high])),
        [.., 2 | 3, _, low, high] => {
            let mut more = [0_u8; 2];
            fill(&mut more)?;
            bytes.extend(more);
            u32::from_le_bytes([low, high, more[0], more[1]])
        }
        _ => {
            let found = format!("one of version {}.{}", bytes[6], bytes[7]);
            return Err(DataError::format(
                path,
                format!("{ARRAY}, of version 1.0 to 3.0"),
                found,
            ));
        }
    };
    if length > LONGEST {
        let found = format!("a header of {length} bytes");
        return Err(DataError::format(path, ARRAY, found));
    }
    let start = bytes.len();
    bytes.resize(start + length as usize, 0);
    fill(&mut bytes[start..])?;
    check(&bytes[start..], path)?;
    // npyz' own words for what it cannot parse take several lines.
    NpyHeader::from_reader(&bytes[..]).map_err(|_| foreign_header(&bytes[start..], path))
}

/// What a stream that cannot be read on means: the system's refusal has a number, and all else is the file's fault.
pub(super) fn unreadable(path: &Path, error: io::Error) -> DataError {
    if error.raw_os_error().is_some() {
        return DataError::io("read", path, error);
    }
    let found = format!("a damaged or incomplete one ({error}); make or fetch it again");
    DataError::format(path, ARRAY, found)
}

/// Lets only those headers through that NumPy writes for plain numbers, and only those with at most [`LIMIT`](super::LIMIT) of them.
///
/// npyz multiplies the sides whether the product fits or not, and the grammar below it adds numbers of any length and goes
/// into nested brackets as deep as they are, so a header made to do harm could stop the program. What passes here has few
/// brackets, strings without escapes, whole numbers without signs, and the two words that Python has for truth.
fn check(text: &[u8], path: &Path) -> Result<(), DataError> {
    let foreign = || foreign_header(text, path);
    let mut sides = Vec::new();
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let mut length = 1;
        match first {
            b'{' | b'(' if depth < DEEPEST => depth += 1,
            b'}' | b')' => depth = depth.saturating_sub(1),
            b':' | b',' | b' ' | b'\n' => {}
            b'\'' => {
                let end = after.iter().position(|&byte| byte == b'\'').ok_or_else(foreign)?;
                // Two quotes side by side could be the beginning of a string in three quotes.
                if end == 0 || after[..end].contains(&b'\\') {
                    return Err(foreign());
                }
                length = end + 2;
            }
            _ => {
                length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
                let word = &rest[..length];
                if !matches!(word, b"True" | b"False") {
                    let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<u64>().ok());
                    // A side of 0 makes an array empty, but npyz multiplies the others all the same.
                    sides.push(number.ok_or_else(foreign)?.max(1));
                }
            }
        }
        rest = &rest[length..];
    }
    check_promised(path, sides)
}

/// What a header that is not understood means.
fn foreign_header(text: &[u8], path: &Path) -> DataError {
    let shown = String::from_utf8_lossy(text);
    let shown: String = shown.chars().filter(|letter| !letter.is_control()).take(100).collect();
    let expected = "the header that NumPy writes for an array of plain numbers";
    DataError::format(path, expected, format!("`{}`", shown.trim_end()))
}

#[cfg(test)]
mod tests;
