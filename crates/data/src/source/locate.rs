//! Where data sets lie on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{DataError, DatasetName, Split};

/// The environment variable that names a folder with data sets.
pub const DATA_VARIABLE: &str = "GANVAS_DATA";

/// The folders in which data sets are looked for, in order; each is the one that holds `mnist/` and
/// so on.
///
/// If a folder is named explicitly (`--data-dir`) it is the only one. Otherwise the one that the
/// environment variable `GANVAS_DATA` names comes first, and then `ganvas` in the user's cache
/// folder. Where the system knows no cache folder, `ganvas-data` in the current folder takes its
/// place.
#[must_use]
pub fn data_folders(explicit: Option<&Path>) -> Vec<PathBuf> {
    folders_from(explicit, std::env::var_os(DATA_VARIABLE), dirs::cache_dir())
}

/// The folder below which downloads are stored: the first of [`data_folders`].
#[must_use]
pub fn download_folder(explicit: Option<&Path>) -> PathBuf {
    data_folders(explicit).into_iter().next().unwrap_or_default()
}

/// [`data_folders`] as a pure function of what the process knows.
fn folders_from(explicit: Option<&Path>, variable: Option<OsString>, cache: Option<PathBuf>) -> Vec<PathBuf> {
    if let Some(folder) = explicit {
        return vec![folder.to_owned()];
    }
    // A variable that is set to nothing is how a shell switches it off.
    let named = variable.filter(|value| !value.is_empty()).map(PathBuf::from);
    let cached = cache.map_or_else(|| PathBuf::from("ganvas-data"), |cache| cache.join("ganvas"));
    named.into_iter().chain([cached]).collect()
}

/// The image file and, where there is one, the label file of a split, from the first of `folders` that
/// has both, or else the first that has images.
pub(crate) fn split_files(
    name: DatasetName,
    split: Split,
    folders: &[PathBuf],
) -> Result<(PathBuf, Option<PathBuf>), DataError> {
    let (images, labels) = split.file_names();
    let mut without_labels = None;
    let mut looked = Vec::new();
    for folder in folders {
        let folder = folder.join(name.folder());
        match (present(&folder, images), present(&folder, labels)) {
            (Some(images), Some(labels)) => return Ok((images, Some(labels))),
            (Some(images), None) => {
                without_labels.get_or_insert(images);
            }
            (None, _) => {}
        }
        looked.push(folder);
    }
    if let Some(images) = without_labels {
        return Ok((images, None));
    }
    Err(DataError::NotFound {
        name,
        file: images.to_owned(),
        looked,
    })
}

/// The first of `folders` that has any file of the set, whole set or not; a failed download leaves an
/// empty one.
#[must_use]
pub fn find_data_set(name: DatasetName, folders: &[PathBuf]) -> Option<&Path> {
    folders.iter().map(PathBuf::as_path).find(|folder| {
        let folder = folder.join(name.folder());
        name.files().iter().any(|file| present(&folder, file.name).is_some())
    })
}

/// The path of a file in `folder`, as published with `.gz` or else uncompressed without it.
pub(crate) fn present(folder: &Path, gzip_name: &str) -> Option<PathBuf> {
    let plain_name = gzip_name.strip_suffix(".gz").unwrap_or(gzip_name);
    [gzip_name, plain_name]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_folder_is_the_only_one() {
        let folders = folders_from(Some(Path::new("/a")), Some("/b".into()), Some("/c".into()));
        assert_eq!(folders, [Path::new("/a")]);
    }

    #[test]
    fn the_variable_comes_before_the_cache() {
        let folders = folders_from(None, Some("/b".into()), Some("/c".into()));
        assert_eq!(folders, [Path::new("/b"), Path::new("/c/ganvas")]);
        assert_eq!(
            folders_from(None, Some("".into()), Some("/c".into())),
            [Path::new("/c/ganvas")]
        );
        assert_eq!(folders_from(None, None, None), [Path::new("ganvas-data")]);
    }

    #[test]
    fn files_count_with_and_without_gz_and_those_with_labels_come_first() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = [first.path().to_owned(), second.path().to_owned()];
        let (images, labels) = Split::Train.file_names();
        for folder in &folders {
            std::fs::create_dir(folder.join("kmnist")).unwrap();
        }
        let error = split_files(DatasetName::Kmnist, Split::Train, &folders)
            .unwrap_err()
            .to_string();
        for word in [images, "kmnist", "GANVAS_DATA"] {
            assert!(error.contains(word), "{error}");
        }
        for folder in &folders {
            assert!(error.contains(&folder.join("kmnist").display().to_string()), "{error}");
        }

        let alone = folders[0].join("kmnist").join(images);
        std::fs::write(&alone, "").unwrap();
        let found = split_files(DatasetName::Kmnist, Split::Train, &folders).unwrap();
        assert_eq!(found, (alone, None));

        let place = folders[1].join("kmnist");
        std::fs::write(place.join("train-images-idx3-ubyte"), "").unwrap();
        std::fs::write(place.join(labels), "").unwrap();
        let found = split_files(DatasetName::Kmnist, Split::Train, &folders).unwrap();
        assert_eq!(found, (place.join("train-images-idx3-ubyte"), Some(place.join(labels))));
    }
}
