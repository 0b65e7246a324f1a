//! What became of images of one's own.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::options::Fit;

/// A picture that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadPicture {
    /// Its path as seen from the folder or archive.
    pub name: String,
    /// Why not: `is empty`.
    pub reason: String,
}

impl BadPicture {
    pub(super) fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self {
            name: path.to_string_lossy().into_owned(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for BadPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names may hold anything, also what moves a terminal's cursor.
        write!(f, "{} {}", self.name.escape_debug(), self.reason)
    }
}

/// What was found, and what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnReport {
    /// How many images there are now.
    pub images: usize,
    /// What cannot be used, in the order of names.
    pub bad: Vec<BadPicture>,
    /// Files beside them that are no pictures by their names.
    pub ignored: usize,
    /// Width and height of the smallest and of the largest picture, by area.
    pub from: [[u32; 2]; 2],
    /// Channels, height and width of the images; `None` where pictures of several sizes were looked at as they are.
    pub shape: Option<[usize; 3]>,
    /// How pictures of another aspect ratio were made to fit; `None` where there were none.
    pub fitted: Option<Fit>,
    /// What the classes are called; empty where there are none.
    pub classes: Vec<String>,
}

/// `1203` as `1,203`.
fn grouped(number: usize) -> String {
    crate::samples::thousands(number)
}

impl fmt::Display for OwnReport {
    /// `1,203 images, 3 skipped, 512×384 to 64×64, cropped`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |number: usize, word: &str| match number {
            1 => format!("1 {word}"),
            _ => format!("{} {word}s", grouped(number)),
        };
        f.write_str(&plural(self.images, "image"))?;
        if !self.classes.is_empty() {
            let plural = if self.classes.len() == 1 { "class" } else { "classes" };
            write!(f, " of {} {plural}", self.classes.len())?;
        }
        if !self.bad.is_empty() {
            write!(f, ", {} skipped", grouped(self.bad.len()))?;
        }
        let [smallest, largest] = self.from.map(|[width, height]| format!("{width}×{height}"));
        let Some([channels, height, width]) = self.shape else {
            return write!(f, ", {smallest} … {largest}, which a size brings to one");
        };
        let to = format!("{width}×{height}");
        match smallest == largest {
            true if smallest == to => write!(f, ", {to}")?,
            true => write!(f, ", {smallest} to {to}")?,
            false => write!(f, ", {smallest} … {largest} to {to}")?,
        }
        match self.fitted {
            Some(Fit::Crop) => f.write_str(", cropped")?,
            Some(Fit::Pad) => f.write_str(", padded")?,
            Some(Fit::Stretch) => f.write_str(", stretched")?,
            None => {}
        }
        f.write_str(if channels == 1 { ", grey" } else { ", in colours" })
    }
}
