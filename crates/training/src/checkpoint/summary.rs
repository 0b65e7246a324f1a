//! The checkpoints of a run, at a glance.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{choose::best_of, folders::step_folders};
use crate::{RunDirectory, TrainingError};

/// A checkpoint as a list shows it; nothing in it was held to its checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointSummary {
    /// Generator updates done.
    pub step: u64,
    /// The folder.
    pub path: PathBuf,
    /// All its files.
    pub bytes: u64,
    /// Whether it is the best by the run's `[checkpoint.best]`.
    pub is_best: bool,
}

impl CheckpointSummary {
    /// All checkpoints of a run, oldest first.
    ///
    /// # Errors
    /// [`TrainingError::Io`] where their folder cannot be read.
    pub fn of(run: &RunDirectory) -> Result<Vec<Self>, TrainingError> {
        let best = best_of(run).ok();
        let folders = step_folders(run)?.into_iter();
        Ok(folders
            .map(|(step, path)| Self {
                step,
                bytes: size_of(&path),
                is_best: best.as_ref() == Some(&path),
                path,
            })
            .collect())
    }
}

/// The bytes of the files in a folder.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .map(|file| file.len())
        .sum()
}
