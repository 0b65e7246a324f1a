//! Pictures by number, wherever they lie.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, RgbImage};
use zip::ZipArchive;

use super::decode::{self, Outside};
use super::listing::{Entry, open};
use super::options::Background;
use crate::{DataError, ImageSet, ImageSource};

/// The most bytes of a file.
const MOST: u64 = 1 << 30;

/// Pictures by number.
#[derive(Debug)]
pub(super) enum Pictures {
    /// Files of a folder.
    Folder { root: PathBuf, entries: Vec<Entry> },
    /// Members of a zip archive.
    Archive { path: PathBuf, entries: Vec<Entry> },
    /// Images that lie in memory.
    Memory(ImageSet),
}

impl Pictures {
    pub fn len(&self) -> usize {
        match self {
            Self::Folder { entries, .. } | Self::Archive { entries, .. } => entries.len(),
            Self::Memory(set) => set.len(),
        }
    }

    /// The first so many.
    pub fn truncate(&mut self, count: usize) {
        match self {
            Self::Folder { entries, .. } | Self::Archive { entries, .. } => entries.truncate(count),
            Self::Memory(set) => {
                let all = std::mem::replace(set, ImageSet::from_parts("", Vec::new(), None, [1; 3]));
                *set = all.truncated(count);
            }
        }
    }

    /// What messages call picture `index`.
    pub fn path(&self, index: usize) -> PathBuf {
        match self {
            Self::Folder { entries, .. } | Self::Archive { entries, .. } => entries[index].path.clone(),
            Self::Memory(_) => format!("image {index}").into(),
        }
    }

    /// The files, where there are any.
    pub fn entries(&self) -> Option<&[Entry]> {
        match self {
            Self::Folder { entries, .. } | Self::Archive { entries, .. } => Some(entries),
            Self::Memory(_) => None,
        }
    }

    /// For each thread its own.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            pictures: self,
            archive: None,
        }
    }
}

/// Reads pictures, one after the other.
pub(super) struct Reader<'a> {
    pictures: &'a Pictures,
    /// Opened with the first picture.
    archive: Option<ZipArchive<BufReader<File>>>,
}

impl Reader<'_> {
    /// Size and colours of a picture, without its pixels.
    pub fn outside(&mut self, index: usize) -> Result<Outside, String> {
        match self.pictures {
            Pictures::Memory(set) => {
                let [channels, height, width] = set.shape();
                Ok(Outside {
                    width: width as u32,
                    height: height as u32,
                    is_grey: channels == 1,
                })
            }
            _ => decode::outside(&self.bytes(index)?),
        }
    }

    /// A picture as it lies there, upright.
    pub fn picture(&mut self, index: usize, background: Background) -> Result<DynamicImage, String> {
        match self.pictures {
            Pictures::Memory(set) => in_memory(set, index),
            _ => decode::decode(&self.bytes(index)?, background),
        }
    }

    fn bytes(&mut self, index: usize) -> Result<Vec<u8>, String> {
        let because = |error: std::io::Error| format!("cannot be read: {error}");
        match self.pictures {
            Pictures::Folder { root, entries } => {
                let file = File::open(root.join(&entries[index].path)).map_err(because)?;
                limited(file)
            }
            Pictures::Archive { path, entries } => {
                let archive = match &mut self.archive {
                    Some(archive) => archive,
                    none => none.insert(open(path).map_err(|error: DataError| error.to_string())?),
                };
                let file = archive
                    .by_index(entries[index].member)
                    .map_err(|error| format!("cannot be unpacked: {error}"))?;
                limited(file)
            }
            Pictures::Memory(_) => Ok(Vec::new()),
        }
    }
}

/// All bytes, unless they are too many, whatever a header promises.
fn limited(file: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    match bytes.len() as u64 > MOST {
        true => Err(format!("has more than {MOST} bytes")),
        false => Ok(bytes),
    }
}

/// An image of a set as a picture.
fn in_memory(set: &ImageSet, index: usize) -> Result<DynamicImage, String> {
    let image = set.image(index).map_err(|error| error.to_string())?;
    let [channels, height, width] = set.shape();
    let plane = height * width;
    let (wide, high) = (width as u32, height as u32);
    let picture = match channels {
        1 => GrayImage::from_raw(wide, high, image.into_owned()).map(DynamicImage::ImageLuma8),
        _ => {
            let pixels = (0..plane).flat_map(|pixel| [0, 1, 2].map(|channel| image[channel * plane + pixel]));
            RgbImage::from_raw(wide, high, pixels.collect()).map(DynamicImage::ImageRgb8)
        }
    };
    picture.ok_or_else(|| "has no pixels".to_owned())
}

/// The topmost folder of a path that lies in one.
pub(super) fn top_folder(path: &Path) -> Option<String> {
    let mut parts = path.iter();
    let first = parts.next()?;
    parts.next()?;
    Some(first.to_string_lossy().into_owned())
}
