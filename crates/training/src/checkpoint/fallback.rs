//! The newest whole checkpoint of a run, and what becomes of damaged ones.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use ganvas_data::{disk, write_atomically};
use tracing::warn;

use super::{
    folders::{point_latest_at, step_folders},
    reader::Checkpoint,
};
use crate::{MetricsLog, RunDirectory, TrainingError};

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
            let aside = step_aside(folder, "damaged")?;
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

/// Moves what a run has beyond a checkpoint out of the way of the steps that are made again: the log's later lines into a file of
/// their own, and the newer checkpoints to names that no reader takes for one. Stopped in between, the run goes on from the newest
/// checkpoint that still has its name.
pub(crate) fn set_later_steps_aside(run: &RunDirectory, checkpoint: &Checkpoint) -> Result<(), TrainingError> {
    let step = checkpoint.state.step;
    let newer: Vec<(u64, PathBuf)> = step_folders(run)?
        .into_iter()
        .filter(|(other, _)| *other > step)
        .collect();
    let lines = MetricsLog::lines_after(&run.metrics_path(), step)?;
    if !lines.is_empty() {
        let aside = free_name(&run.metrics_path(), "aside");
        write_atomically(&aside, |file| file.write_all(&lines))?;
        warn!("the log's lines after step {step} are in {} now", aside.display());
    }
    for (_, folder) in newer.into_iter().rev() {
        let aside = step_aside(&folder, "aside")?;
        warn!(
            "{} is newer than where the run goes on; it is {} now",
            folder.display(),
            aside.display()
        );
    }
    Ok(())
}

/// Renames a checkpoint to a name that no reader takes for one.
fn step_aside(path: &Path, why: &str) -> Result<PathBuf, TrainingError> {
    let aside = free_name(path, why);
    disk::rename(path, &aside).map_err(TrainingError::io("rename", path))?;
    Ok(aside)
}

/// `aside-NAME`, or the first of `aside-2-NAME` and so on that nobody has.
fn free_name(path: &Path, why: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|number| match number {
        1 => format!("{why}-{name}"),
        _ => format!("{why}-{number}-{name}"),
    });
    let mut free = names
        .map(|name| path.with_file_name(name))
        .filter(|aside| !aside.exists());
    free.next().unwrap_or_else(|| path.with_file_name(why))
}
