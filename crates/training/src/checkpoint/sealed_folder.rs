//! A folder of files that is there as a whole or not at all, and whose every bit is held to a checksum.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use ganvas_data::disk::{self, Output};
use sha2::{Digest, Sha256};

use crate::TrainingError;

/// The checksums of all other files, as `sha256sum` writes them and `sha256sum --check` reads them.
pub(crate) const SUMS: &str = "SHA256SUMS";

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the files and their checksums into a folder beside `target`, brings them to the disk, and renames the folder into
/// place.
///
/// # Errors
/// [`TrainingError::Io`]; then what stood under the final name still does.
pub(crate) fn write_folder(target: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), TrainingError> {
    let parent = target.parent().unwrap_or(Path::new("."));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let partial = parent.join(format!(".{name}.partial"));
    disk::create_folders(parent).map_err(TrainingError::io("create", parent))?;
    if let Some(above) = parent.parent().filter(|above| !above.as_os_str().is_empty()) {
        disk::sync_folder(above).map_err(TrainingError::io("sync", above))?;
    }
    remove_folder(&partial)?;

    let write_file = |name: &str, bytes: &[u8]| {
        let path = partial.join(name);
        Output::create(&path)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync()
            })
            .map_err(TrainingError::io("write", &path))
    };
    let write = || -> Result<(), TrainingError> {
        disk::create_folders(&partial).map_err(TrainingError::io("create", &partial))?;
        let mut sums = String::new();
        for (name, bytes) in files {
            write_file(name, bytes)?;
            sums += &format!("{}  {name}\n", sha256(bytes));
        }
        write_file(SUMS, sums.as_bytes())?;
        disk::sync_folder(&partial).map_err(TrainingError::io("sync", &partial))?;
        replace_folder(&partial, target)?;
        disk::sync_folder(parent).map_err(TrainingError::io("sync", parent))
    };
    write().inspect_err(|_| {
        // The error at hand says more than a failing removal would.
        let _ = fs::remove_dir_all(&partial);
    })
}

/// Renames a folder to a name that may be taken: the same step saved again, as after a resume.
///
/// No system exchanges two folders in one move everywhere, so the old one steps aside first. Killed in between, a run has its
/// older checkpoints and makes this one again.
fn replace_folder(from: &Path, to: &Path) -> Result<(), TrainingError> {
    let rename = |from: &Path, to: &Path| disk::rename(from, to).map_err(TrainingError::io("rename into place", to));
    if !to.exists() {
        return rename(from, to);
    }
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let aside = to.with_file_name(format!(".{name}.replaced"));
    remove_folder(&aside)?;
    rename(to, &aside)?;
    if let Err(error) = rename(from, to) {
        // Put back without asking the disk that just failed for anything but a name.
        let _ = fs::rename(&aside, to);
        return Err(error);
    }
    // Both renames last before the old files go.
    if let Some(parent) = to.parent() {
        disk::sync_folder(parent).map_err(TrainingError::io("sync", parent))?;
    }
    remove_folder(&aside)
}

/// The files of a folder that was found whole.
#[derive(Debug, Clone)]
pub(crate) struct SealedFolder {
    path: PathBuf,
    sums: BTreeMap<String, String>,
    sizes: BTreeMap<String, u64>,
    /// The content of files that are kept in memory.
    held: BTreeMap<String, Vec<u8>>,
}

impl SealedFolder {
    /// Reads the checksums of a folder and holds every file to them.
    ///
    /// # Errors
    /// [`TrainingError::DamagedCheckpoint`] naming the first file that is missing or another than the one written.
    pub(crate) fn open(path: &Path) -> Result<Self, TrainingError> {
        let damaged = |reason: String| TrainingError::DamagedCheckpoint {
            path: path.join(SUMS),
            reason,
        };
        let text = read_or_missing(&path.join(SUMS))?;
        let text = String::from_utf8(text).map_err(|error| damaged(error.to_string()))?;
        let mut sums = BTreeMap::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let parts = line.strip_suffix('\n').and_then(|line| line.split_once("  "));
            let Some((sum, name)) = parts.filter(|(sum, name)| sum.len() == 64 && is_plain(name)) else {
                let number = index + 1;
                return Err(damaged(format!(
                    "expected `CHECKSUM  NAME` in line {number}, found {line:?}"
                )));
            };
            if sums.insert(name.to_owned(), sum.to_owned()).is_some() {
                return Err(damaged(format!("expected each name once, found `{name}` again")));
            }
        }
        let mut folder = Self {
            path: path.to_owned(),
            sums,
            sizes: BTreeMap::new(),
            held: BTreeMap::new(),
        };
        let read = |name: &String| Ok((name.clone(), folder.read(name)?.len() as u64));
        folder.sizes = folder.sums.keys().map(read).collect::<Result<_, TrainingError>>()?;
        Ok(folder)
    }

    /// The checksum that a folder lists for a file, whole or not.
    pub(crate) fn sum_of(path: &Path, name: &str) -> Option<String> {
        let text = fs::read_to_string(path.join(SUMS)).ok()?;
        let sum = text
            .lines()
            .find_map(|line| line.strip_suffix(name)?.strip_suffix("  "));
        sum.map(str::to_owned)
    }

    /// The names of the files.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.sums.keys().map(String::as_str)
    }

    /// The length of a file; 0 where it is not there.
    pub(crate) fn size(&self, name: &str) -> u64 {
        self.sizes.get(name).copied().unwrap_or_default()
    }

    /// Keeps a file's content in memory from now on.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn hold(&mut self, name: &str) -> Result<(), TrainingError> {
        let bytes = self.read(name)?;
        self.held.insert(name.to_owned(), bytes);
        Ok(())
    }

    /// Reads a file and holds it to its checksum.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, TrainingError> {
        if let Some(bytes) = self.held.get(name) {
            return Ok(bytes.clone());
        }
        let path = self.path.join(name);
        let damaged = |reason: String| TrainingError::DamagedCheckpoint {
            path: path.clone(),
            reason,
        };
        let expected = self
            .sums
            .get(name)
            .ok_or_else(|| damaged(format!("{SUMS} does not list it")))?;
        let bytes = read_or_missing(&path)?;
        let found = sha256(&bytes);
        if found != *expected {
            return Err(damaged(format!(
                "expected SHA-256 {expected}, found {found} ({} bytes)",
                bytes.len()
            )));
        }
        Ok(bytes)
    }
}

/// Reads a file whose absence is damage; a disk that cannot be read now is not.
fn read_or_missing(path: &Path) -> Result<Vec<u8>, TrainingError> {
    fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => TrainingError::DamagedCheckpoint {
            path: path.to_owned(),
            reason: error.to_string(),
        },
        _ => TrainingError::io("read", path)(error),
    })
}

/// A name that stays in its folder.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
}

/// Removes a folder that somebody may be reading: under its name it is gone at once, not file by file.
pub(crate) fn retire_folder(path: &Path) -> Result<(), TrainingError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What a killed process leaves under this name is removed when the run is taken up.
    let hidden = path.with_file_name(format!(".{name}.retired.partial"));
    remove_folder(&hidden)?;
    disk::rename(path, &hidden).map_err(TrainingError::io("remove", path))?;
    remove_folder(&hidden)
}

/// Removes a folder that may not be there.
pub(crate) fn remove_folder(path: &Path) -> Result<(), TrainingError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(TrainingError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn files(text: &str) -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([("file".to_owned(), text.as_bytes().to_vec())])
    }

    #[test]
    fn a_folder_written_again_replaces_the_old_one() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("step-000001");
        for text in ["old", "new"] {
            write_folder(&target, &files(text)).unwrap();
            let folder = SealedFolder::open(&target).unwrap();
            assert_eq!(folder.read("file").unwrap(), text.as_bytes());
            assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        }
    }
}
