//! Where data sets lie on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The environment variable that names a folder with data sets.
pub const DATA_VARIABLE: &str = "GANVAS_DATA";

/// The folders in which data sets are looked for, in order; each is the one that holds `mnist/` and
/// so on, or the set's own folder.
///
/// If a folder is named explicitly it is the only one. Otherwise the one that the
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
}
