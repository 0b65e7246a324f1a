//! Pictures by number, wherever they lie.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

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
    /// Images of a file of which only the header was read.
    Unread { count: usize, shape: [usize; 3] },
    /// Images that lie in memory.
    Memory(ImageSet),
}

impl Pictures {
    pub fn len(&self) -> usize {
        match self {
            Self::Folder { entries, .. } | Self::Archive { entries, .. } => entries.len(),
            Self::Unread { count, .. } => *count,
            Self::Memory(set) => set.len(),
        }
    }

    /// The shape that all images of a file have; pictures have each their own.
    pub fn stored_shape(&self) -> Option<[usize; 3]> {
        match self {
            Self::Folder { .. } | Self::Archive { .. } => None,
            Self::Unread { shape, .. } => Some(*shape),
            Self::Memory(set) => Some(set.shape()),
        }
    }

    /// The first so many.
    pub fn truncate(&mut self, count: usize) {
        match self {
            Self::Folder { entries, .. } | Self::Archive { entries, .. } => entries.truncate(count),
            Self::Unread { count: all, .. } => *all = count.min(*all),
            Self::Memory(set) => *set = taken(set).truncated(count),
        }
    }

    /// The pixels of all images, where they lie in memory in this shape already; nothing of them is left here.
    pub fn take_pixels(&mut self, shape: [usize; 3]) -> Option<Vec<u8>> {
        match self {
            Self::Memory(set) if set.shape() == shape => Some(taken(set).into_pixels()),
            _ => None,
        }
    }

    /// What messages call picture `index`.
    pub fn path(&self, index: usize) -> PathBuf {
        match self {
            Self::Folder { entries, .. } | Self::Archive { entries, .. } => entries[index].path.clone(),
            Self::Unread { .. } | Self::Memory(_) => format!("image {index}").into(),
        }
    }

    /// The files, where there are any.
    pub fn entries(&self) -> Option<&[Entry]> {
        match self {
            Self::Folder { entries, .. } | Self::Archive { entries, .. } => Some(entries),
            Self::Unread { .. } | Self::Memory(_) => None,
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

/// A set, in whose place an empty one is left.
fn taken(set: &mut ImageSet) -> ImageSet {
    std::mem::replace(set, ImageSet::from_parts("", Vec::new(), None, [1; 3]))
}

/// Why a picture cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable {
    pub reason: String,
    /// Whether the system refused it, which it may not do the next time.
    pub is_passing: bool,
}

impl From<String> for Unusable {
    fn from(reason: String) -> Self {
        Self {
            reason,
            is_passing: false,
        }
    }
}

impl Unusable {
    fn refused(error: &io::Error) -> Self {
        Self {
            reason: format!("cannot be read: {error}"),
            is_passing: true,
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
    pub fn outside(&mut self, index: usize) -> Result<Outside, Unusable> {
        match self.pictures.stored_shape() {
            Some([channels, height, width]) => Ok(Outside {
                width: width as u32,
                height: height as u32,
                is_grey: channels == 1,
            }),
            None => Ok(decode::outside(&self.bytes(index)?)?),
        }
    }

    /// A picture as it lies there, upright.
    pub fn picture(&mut self, index: usize, background: Background) -> Result<DynamicImage, Unusable> {
        match self.pictures {
            Pictures::Memory(set) => Ok(in_memory(set, index)?),
            _ => Ok(decode::decode(&self.bytes(index)?, background)?),
        }
    }

    fn bytes(&mut self, index: usize) -> Result<Vec<u8>, Unusable> {
        match self.pictures {
            Pictures::Folder { root, entries } => {
                let file = File::open(root.join(&entries[index].path)).map_err(|error| Unusable::refused(&error))?;
                limited(file).map_err(|error| Unusable::refused(&error))?
            }
            Pictures::Archive { path, entries } => {
                let archive = match &mut self.archive {
                    Some(archive) => archive,
                    none => none.insert(open(path).map_err(|error: DataError| error.to_string())?),
                };
                let member = entries[index].member;
                let file = archive.by_index(member);
                let file = file.map_err(|error| format!("cannot be unpacked: {error}"))?;
                limited(file).map_err(|error| format!("cannot be unpacked: {error}"))?
            }
            Pictures::Unread { .. } | Pictures::Memory(_) => Some(Vec::new()),
        }
        .ok_or_else(|| format!("has more than {MOST} bytes").into())
    }
}

/// All bytes, unless they are too many, whatever a header promises.
fn limited(file: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MOST).then_some(bytes))
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

/// The topmost folder of each path that is not the folder of all: archives often hold everything in one. `None` for those that lie in none.
pub(super) fn top_folders(entries: &[Entry]) -> Vec<Option<String>> {
    let parts = |entry: &Entry| -> Vec<String> {
        let parts = entry.path.iter().filter(|part| *part != ".");
        parts.map(|part| part.to_string_lossy().into_owned()).collect()
    };
    let all: Vec<Vec<String>> = entries.iter().map(parts).collect();
    let mut depth = 0;
    // As long as all lie in one folder, and each in another within.
    while let Some(first) = all.first().and_then(|parts| parts.get(depth))
        && all
            .iter()
            .all(|parts| parts.len() > depth + 2 && parts[depth] == *first)
    {
        depth += 1;
    }
    let class = |parts: Vec<String>| (parts.len() > depth + 1).then(|| parts[depth].clone());
    all.into_iter().map(class).collect()
}
