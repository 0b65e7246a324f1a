//! Which pictures a folder or an archive holds.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use walkdir::{DirEntry, WalkDir};
use zip::ZipArchive;

use super::report::BadPicture;
use crate::DataError;

/// The endings of pictures' names, in small letters.
const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"];

/// A picture that was found.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// As seen from the folder or archive.
    pub path: PathBuf,
    /// Its number in the archive; 0 in a folder.
    pub member: usize,
    /// What shows that it is another than before: its length, and when it was changed or its checksum.
    pub state: [u64; 2],
}

/// The pictures in the order of their paths, and what else was met.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub entries: Vec<Entry>,
    /// Folders and links that lead nowhere.
    pub bad: Vec<BadPicture>,
    /// Files that are no pictures by their names.
    pub ignored: usize,
}

impl Listing {
    /// The same order on every system: bytes of the paths.
    fn sorted(mut self) -> Self {
        let bytes = |entry: &Entry| entry.path.as_os_str().as_encoded_bytes().to_vec();
        self.entries.sort_by_cached_key(bytes);
        self.bad.sort_by(|left, right| left.name.cmp(&right.name));
        self
    }
}

/// Whether a name is that of a picture.
fn is_picture(path: &Path) -> bool {
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    ENDINGS.contains(&&*ending)
}

/// Whether systems keep such a name from people's eyes.
fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".") || name == b"__MACOSX"
}

/// All pictures of a folder and of those in it; links are followed.
pub(super) fn of_folder(root: &Path) -> Listing {
    let mut listing = Listing::default();
    let is_seen = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name().as_encoded_bytes());
    for entry in WalkDir::new(root).follow_links(true).into_iter().filter_entry(is_seen) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_picture(entry.path()) => {
                let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned();
                let about = entry.metadata().ok();
                let changed = about.as_ref().and_then(|about| about.modified().ok());
                let changed = changed.and_then(|changed| changed.duration_since(UNIX_EPOCH).ok());
                let changed = changed.map_or(0, |since| since.as_nanos() as u64);
                listing.entries.push(Entry {
                    path,
                    member: 0,
                    state: [about.map_or(0, |about| about.len()), changed],
                });
            }
            Ok(entry) => listing.ignored += usize::from(entry.file_type().is_file()),
            Err(error) => {
                let path = error.path().unwrap_or(root);
                let reason = match error.loop_ancestor() {
                    Some(_) => "is a link to a folder that it lies in".to_owned(),
                    None => error
                        .io_error()
                        .map_or_else(|| error.to_string(), |error| format!("cannot be read: {error}")),
                };
                listing
                    .bad
                    .push(BadPicture::new(path.strip_prefix(root).unwrap_or(path), reason));
            }
        }
    }
    listing.sorted()
}

/// Opens a zip archive.
pub(super) fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>, DataError> {
    let file = File::open(path).map_err(|error| DataError::io("open", path, error))?;
    ZipArchive::new(BufReader::new(file))
        .map_err(|error| DataError::format(path, "a zip archive of pictures", format!("a damaged one: {error}")))
}

/// All pictures of a zip archive.
pub(super) fn of_archive(path: &Path) -> Result<Listing, DataError> {
    let mut archive = open(path)?;
    let mut listing = Listing::default();
    for member in 0..archive.len() {
        let Ok(file) = archive.by_index_raw(member) else {
            listing.bad.push(BadPicture::new(
                Path::new(&format!("member {member}")),
                "cannot be found in the archive",
            ));
            continue;
        };
        if !file.is_file() {
            continue;
        }
        let name = match file.name() {
            Ok(name) => name.into_owned(),
            Err(_) => String::from_utf8_lossy(file.name_raw()).into_owned(),
        };
        // Archives made on Windows may have its separators.
        let path: PathBuf = name.replace('\\', "/").into();
        if path
            .iter()
            .any(|part| is_hidden(part.as_encoded_bytes()) && part != "." && part != "..")
        {
            continue;
        }
        if !is_picture(&path) {
            listing.ignored += 1;
        } else if file.encrypted() {
            listing.bad.push(BadPicture::new(&path, "is encrypted"));
        } else {
            listing.entries.push(Entry {
                path,
                member,
                state: [file.size(), file.crc32().into()],
            });
        }
    }
    Ok(listing.sorted())
}
