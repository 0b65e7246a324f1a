//! What is to be done with images of one's own.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How pictures of another shape become squares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// The largest square in their middle is taken.
    #[default]
    Crop,
    /// All of them is taken, and `background` fills what is missing at two sides.
    Pad,
    /// They are squeezed.
    Stretch,
}

/// The colour under transparent pixels and at the sides of padded pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Background(pub [u8; 3]);

impl FromStr for Background {
    type Err = String;

    /// `black`, `white`, or `#` and six hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected `black`, `white` or a colour such as `#8090a0`, found `{text}`");
        match text {
            "black" => return Ok(Self([0; 3])),
            "white" => return Ok(Self([255; 3])),
            _ => {}
        }
        let digits = text.strip_prefix('#').ok_or_else(expected)?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(expected());
        }
        let part = |from: usize| u8::from_str_radix(&digits[from..from + 2], 16).map_err(|_| expected());
        Ok(Self([part(0)?, part(2)?, part(4)?]))
    }
}

impl TryFrom<String> for Background {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Background> for String {
    fn from(Background([red, green, blue]): Background) -> Self {
        match [red, green, blue] {
            [0, 0, 0] => "black".to_owned(),
            [255, 255, 255] => "white".to_owned(),
            _ => format!("#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

/// Where the classes of pictures are said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum LabelSource {
    /// Nowhere, but for `.npz`, IDX and CIFAR-10 files, which have their own.
    #[default]
    None,
    /// The topmost folder that each lies in is its class.
    Folders,
    /// A table with the columns `file` and `label`, its path as seen from the folder or archive.
    Table(PathBuf),
}

impl From<String> for LabelSource {
    fn from(text: String) -> Self {
        match text.as_str() {
            "none" => Self::None,
            "folders" => Self::Folders,
            _ => Self::Table(text.into()),
        }
    }
}

impl From<LabelSource> for String {
    fn from(source: LabelSource) -> Self {
        match source {
            LabelSource::None => "none".to_owned(),
            LabelSource::Folders => "folders".to_owned(),
            LabelSource::Table(path) => path.to_string_lossy().into_owned(),
        }
    }
}

/// Which images, and what is to become of them.
#[derive(Debug, Clone, Default)]
pub struct OwnOptions {
    /// A folder of pictures or of CIFAR-10's binary files, a `.zip` of pictures, `.npy`, `.npz`, an IDX file, or a `.bin` as CIFAR-10 has them.
    pub path: PathBuf,
    /// The side in pixels that all are brought to; `None` to leave them as they are, which takes pictures of one size.
    pub image_size: Option<usize>,
    /// 1 or 3; `None` for 1 where the first 64 (of all, evenly) have no colours, else 3.
    pub channels: Option<usize>,
    /// How they become squares.
    pub fit: Fit,
    /// What is behind them.
    pub background: Background,
    /// Where their classes are said.
    pub labels: LabelSource,
    /// Whether rows and columns are exchanged first, as the letters of EMNIST need it.
    pub transpose: bool,
    /// Whether what cannot be used is left out; else it is an error.
    pub skip_bad: bool,
    /// How many are taken, from the first on; `None` for all.
    pub count: Option<usize>,
    /// The most bytes that they may take; `None` for any number.
    pub most_bytes: Option<u64>,
    /// The folder of decoded pictures; `None` to keep none.
    pub cache: Option<PathBuf>,
}

impl OwnOptions {
    /// What the images are called: the last part of the path.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}
