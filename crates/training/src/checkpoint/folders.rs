//! The folders of checkpoints, and the names of the files in one.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use ganvas_data::write_atomically;

use super::sealed_folder::SUMS;
use crate::{RunDirectory, TrainingError};

pub(crate) const STATE: &str = "state.json";
pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const GENERATOR: &str = "generator.safetensors";
pub(crate) const DISCRIMINATOR: &str = "discriminator.safetensors";
pub(crate) const EMA: &str = "ema_generator.safetensors";
pub(crate) const OPTIMIZER_GENERATOR: &str = "optimizer_generator.safetensors";
pub(crate) const OPTIMIZER_DISCRIMINATOR: &str = "optimizer_discriminator.safetensors";

/// Moves the pointer `latest`.
pub(crate) fn point_latest_at(run: &RunDirectory, folder: &Path) -> Result<(), TrainingError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(write_atomically(&run.latest_path(), |file| writeln!(file, "{name}"))?)
}

/// The checkpoints of a run with their steps, oldest first.
///
/// # Errors
/// [`TrainingError::Io`] where the folder is there and cannot be read: that is not the same as no checkpoints.
pub(crate) fn step_folders(run: &RunDirectory) -> Result<Vec<(u64, PathBuf)>, TrainingError> {
    let path = run.checkpoints_path();
    let unreadable = TrainingError::io("read", &path);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(unreadable)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(unreadable(error)),
    };
    let mut folders: Vec<(u64, PathBuf)> = entries
        .into_iter()
        .filter_map(|entry| Some((step_of(&entry.path())?, entry.path())))
        .collect();
    folders.sort();
    Ok(folders)
}

/// Whether a folder is a checkpoint; either file may be the one that is lost.
pub(crate) fn is_checkpoint(path: &Path) -> bool {
    [STATE, SUMS].iter().any(|name| path.join(name).is_file())
}

/// The step in the name of a checkpoint's folder.
pub(crate) fn step_of(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()
}

/// Where the last good checkpoint is, in words, and what to try.
pub(crate) fn last_good(run: &RunDirectory) -> String {
    let good = match step_folders(run).unwrap_or_default().pop() {
        Some((_, path)) => format!("the last good checkpoint is {}", path.display()),
        None => "no checkpoint was saved before it".to_owned(),
    };
    format!("{good}; try smaller learning rates")
}
