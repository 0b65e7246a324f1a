//! A folder of files that is there as a whole or not at all.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::Path,
};

use ganvas_data::sync_folder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::TrainingError;

/// What a file must be to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileSeal {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl FileSeal {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            sha256: Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// Writes the files into a folder beside `target`, brings them to the disk, and renames the folder into place.
///
/// # Errors
/// [`TrainingError::Io`]; then nothing stands under the final name.
pub(crate) fn write_folder(target: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), TrainingError> {
    let parent = target.parent().unwrap_or(Path::new("."));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let partial = parent.join(format!(".{name}.partial"));
    fs::create_dir_all(parent).map_err(TrainingError::io("create", parent))?;
    remove_folder(&partial)?;

    let write = || -> Result<(), TrainingError> {
        fs::create_dir(&partial).map_err(TrainingError::io("create", &partial))?;
        for (name, bytes) in files {
            let path = partial.join(name);
            let mut file = File::create(&path).map_err(TrainingError::io("create", &path))?;
            file.write_all(bytes)
                .and_then(|()| file.sync_all())
                .map_err(TrainingError::io("write", &path))?;
        }
        sync_folder(&partial).map_err(TrainingError::io("sync", &partial))?;
        // The same step saved again, as after a resume, replaces what was there.
        remove_folder(target)?;
        fs::rename(&partial, target).map_err(TrainingError::io("rename into place", target))?;
        sync_folder(parent).map_err(TrainingError::io("sync", parent))
    };
    write().inspect_err(|_| {
        // The error at hand says more than a failing removal would.
        let _ = fs::remove_dir_all(&partial);
    })
}

/// Reads a file of a checkpoint and holds it to its seal.
///
/// # Errors
/// [`TrainingError::DamagedCheckpoint`] where it is missing or another than the one written.
pub(crate) fn read_sealed(path: &Path, seal: &FileSeal) -> Result<Vec<u8>, TrainingError> {
    let damaged = |reason: String| TrainingError::DamagedCheckpoint {
        path: path.to_owned(),
        reason,
    };
    let length = fs::metadata(path).map_err(|error| damaged(error.to_string()))?.len();
    if length != seal.bytes {
        return Err(damaged(format!("expected {} bytes, found {length}", seal.bytes)));
    }
    let bytes = fs::read(path).map_err(|error| damaged(error.to_string()))?;
    let found = FileSeal::of(&bytes);
    if found != *seal {
        return Err(damaged(format!(
            "expected SHA-256 {}, found {}",
            seal.sha256, found.sha256
        )));
    }
    Ok(bytes)
}

/// Removes a folder that may not be there.
pub(crate) fn remove_folder(path: &Path) -> Result<(), TrainingError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(TrainingError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
