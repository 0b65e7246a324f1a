//! The newest whole checkpoint of a run, and what becomes of damaged ones.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ganvas_data::disk;
use tracing::warn;

use super::{
    folders::{point_latest_at, step_folders},
    reader::Checkpoint,
};
use crate::{RunDirectory, TrainingError};

impl Checkpoint {
    /// Reads a run's newest whole checkpoint, if it has any, and reports newer ones that are damaged, newest first.
    ///
    /// # Errors
    /// [`TrainingError::NoWholeCheckpoint`] where there are checkpoints, or were, and none is whole; [`TrainingError::Io`] where
    /// one cannot be read at the moment.
    pub fn newest_whole(run: &RunDirectory) -> Result<Option<(Self, Vec<TrainingError>)>, TrainingError> {
        let mut damaged = Vec::new();
        for (_, path) in step_folders(run)?.into_iter().rev() {
            match Self::open(&path) {
                Ok(found) => return Ok(Some((found, damaged))),
                Err(error @ TrainingError::DamagedCheckpoint { .. }) => damaged.push(error),
                Err(error) => return Err(error),
            }
        }
        let newest = match damaged.into_iter().next() {
            Some(newest) => newest.to_string(),
            // The pointer is moved after its checkpoint stands, so there was one.
            None if run.latest_path().exists() => "`latest` names one, and no folder is there".to_owned(),
            None => return Ok(None),
        };
        Err(TrainingError::NoWholeCheckpoint {
            path: run.checkpoints_path(),
            newest,
        })
    }

    /// Renames the damaged checkpoints that are newer than this one, so that the run can save those steps again and nothing
    /// takes them for the newest, and points `latest` at this one.
    pub(crate) fn become_newest(&self, run: &RunDirectory, damaged: Vec<TrainingError>) -> Result<(), TrainingError> {
        for error in damaged {
            let TrainingError::DamagedCheckpoint { path, .. } = &error else {
                continue;
            };
            let Some(folder) = path.parent() else { continue };
            let aside = step_aside(folder)?;
            warn!(
                "{error}; it is {} now, and the run goes on from {}",
                aside.display(),
                self.path().display()
            );
        }
        let name = self.path().file_name().unwrap_or_default().to_string_lossy();
        match fs::read_to_string(run.latest_path()) {
            Ok(latest) if latest.trim_end() == name => Ok(()),
            _ => point_latest_at(run, self.path()),
        }
    }
}

/// Renames a damaged checkpoint to a name that no reader takes for one.
fn step_aside(path: &Path) -> Result<PathBuf, TrainingError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|number| match number {
        1 => format!("damaged-{name}"),
        _ => format!("damaged-{number}-{name}"),
    });
    let mut free = names
        .map(|name| path.with_file_name(name))
        .filter(|aside| !aside.exists());
    let aside = free.next().unwrap_or_else(|| path.with_file_name("damaged"));
    disk::rename(path, &aside).map_err(TrainingError::io("rename", path))?;
    Ok(aside)
}
