//! What lies at a path: pictures, or a file of images, and their classes.

use std::path::Path;

use super::options::{LabelSource, OwnOptions};
use super::pictures::{Pictures, top_folders};
use super::report::BadPicture;
use super::stored::Depth;
use super::{label_table, listing, stored};
use crate::DataError;

/// The fewest pictures that something can be learned from; a handful is a mistake in the path.
pub const FEWEST_OWN: usize = 8;

/// Pictures, and the class of each.
pub(super) struct Found {
    pub pictures: Pictures,
    /// `None` for those whose class is not said.
    pub labels: Option<Vec<Option<u8>>>,
    pub classes: Vec<String>,
    pub bad: Vec<BadPicture>,
    pub ignored: usize,
}

/// Pictures, and what the class of each is called.
struct Named {
    pictures: Pictures,
    labels: Option<Vec<Option<String>>>,
    bad: Vec<BadPicture>,
    ignored: usize,
}

/// Finds the pictures and their classes.
pub(super) fn find(options: &OwnOptions, depth: Depth) -> Result<Found, DataError> {
    let path = &options.path;
    let about = std::fs::metadata(path).map_err(|error| DataError::io("read", path, error))?;
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let of_stored = |stored: stored::Stored| Named {
        labels: stored.labels.map(|labels| labels.into_iter().map(Some).collect()),
        pictures: stored.pictures,
        bad: Vec::new(),
        ignored: 0,
    };
    let mut found = if about.is_dir() {
        match stored::cifar_files(path) {
            Some(files) => of_stored(stored::read_cifar(&files)?),
            None => {
                let listing = listing::of_folder(path);
                of_files(options, listing, |root, entries| Pictures::Folder { root, entries })?
            }
        }
    } else if ending == "zip" {
        let listing = listing::of_archive(path)?;
        of_files(options, listing, |path, entries| Pictures::Archive { path, entries })?
    } else if stored::is_stored(path) {
        of_stored(stored::read(path, depth)?)
    } else {
        let expected =
            "a folder or .zip of pictures, a .npy or .npz of NumPy, an IDX file (.idx, -ubyte, .gz) or CIFAR-10's .bin";
        return Err(DataError::format(path, expected, "a file of another name"));
    };
    if let (None, LabelSource::Folders | LabelSource::Table(_)) = (found.pictures.entries(), &options.labels) {
        let found = "one file, which has no folders and no names for a table";
        return Err(DataError::format(
            path,
            "a folder or .zip of pictures for these labels",
            found,
        ));
    }
    let count = found.pictures.len();
    if let Some(asked) = options.count {
        if asked > count {
            return Err(DataError::format(
                path,
                format!("at least {asked} images"),
                count.to_string(),
            ));
        }
        found.pictures.truncate(asked);
        if let Some(labels) = &mut found.labels {
            labels.truncate(asked);
        }
    }
    if found.pictures.len() < FEWEST_OWN {
        let plural = if count == 1 { "" } else { "s" };
        let mut text = format!("{count} picture{plural}");
        if let Some(asked) = options.count {
            text += &format!(", of which `data.count` takes {asked}");
        }
        if found.ignored > 0 {
            text += &format!(" beside {} other files", found.ignored);
        }
        if let Some(bad) = found.bad.first() {
            text += &format!("; {bad}");
        }
        return Err(DataError::format(path, format!("at least {FEWEST_OWN} pictures"), text));
    }
    // Of those that are taken: what is not among them is no class.
    let (labels, classes) = match &found.labels {
        Some(named) => {
            let (labels, classes) = label_table::numbered(path, named)?;
            (Some(labels), classes)
        }
        None => (None, Vec::new()),
    };
    Ok(Found {
        pictures: found.pictures,
        labels,
        classes,
        bad: found.bad,
        ignored: found.ignored,
    })
}

/// The pictures of a folder or an archive with their classes.
fn of_files(
    options: &OwnOptions,
    listing: listing::Listing,
    pictures: impl FnOnce(std::path::PathBuf, Vec<listing::Entry>) -> Pictures,
) -> Result<Named, DataError> {
    let path = &options.path;
    let named: Option<Vec<Option<String>>> = match &options.labels {
        LabelSource::None => None,
        LabelSource::Folders => Some(top_folders(&listing.entries)),
        LabelSource::Table(table) => {
            let table = read_table(path, table)?;
            Some(
                listing
                    .entries
                    .iter()
                    .map(|entry| table.get(&entry.path).cloned())
                    .collect(),
            )
        }
    };
    Ok(Named {
        pictures: pictures(path.clone(), listing.entries),
        labels: named,
        bad: listing.bad,
        ignored: listing.ignored,
    })
}

/// The table of labels in a folder or an archive, or at a path of its own.
fn read_table(root: &Path, table: &Path) -> Result<std::collections::HashMap<std::path::PathBuf, String>, DataError> {
    if root.is_dir() {
        let path = root.join(table);
        let file = std::fs::File::open(&path).map_err(|error| DataError::io("read", &path, error))?;
        return label_table::read(&path, file);
    }
    let mut archive = listing::open(root)?;
    let name = table.to_string_lossy();
    let member = archive.by_name(&name);
    match member {
        Ok(member) => label_table::read(table, member),
        Err(_) => Err(DataError::format(
            root,
            format!("`{name}`, the table of labels"),
            "no such member",
        )),
    }
}
