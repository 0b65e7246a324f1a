//! From a person's words to a checkpoint.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    folders::{is_checkpoint, step_folders, step_of},
    reader::Checkpoint,
    retention::best,
};
use crate::{CheckpointChoice, CheckpointSection, RunDirectory, RunLocation, TrainingError};

/// How often a reader looks again where a training removes checkpoints under it. Each time a newer one has been saved meanwhile, so
/// more than a few need steps that are faster than reading.
const LOOKS: usize = 1000;

impl Checkpoint {
    /// Reads a checkpoint to draw images from: one that is named by its own folder, or a run's newest.
    ///
    /// # Errors
    /// As [`choose`](Self::choose).
    pub fn find(path: &Path) -> Result<Self, TrainingError> {
        Self::choose(path, None)
    }

    /// Reads the checkpoint of a run that is meant, with the weights that images are drawn from. The run may go on training: what it
    /// removes while this reads is looked for again.
    ///
    /// # Errors
    /// [`TrainingError::NotARun`], [`TrainingError::NoSuchCheckpoint`] where there is none, [`TrainingError::DamagedCheckpoint`]
    /// where it cannot be read.
    pub fn choose(path: &Path, choice: Option<CheckpointChoice>) -> Result<Self, TrainingError> {
        let location = RunLocation::find(path)?;
        let run = match (location.checkpoint, location.run) {
            (Some(checkpoint), _) => {
                return match choice {
                    Some(CheckpointChoice::Step(step)) if step_of(&checkpoint) == Some(step) => read_whole(&checkpoint),
                    Some(choice) => Err(TrainingError::NoSuchCheckpoint {
                        run: checkpoint,
                        reason: format!("is a checkpoint itself, and `{choice}` names another; name the run's folder"),
                    }),
                    None => read_whole(&checkpoint),
                };
            }
            (None, run) => RunDirectory::at(run.unwrap_or_default()),
        };
        let mut looks = 0;
        loop {
            let folder = match choice.unwrap_or(CheckpointChoice::Latest) {
                CheckpointChoice::Step(step) => of_step(&run, step)?,
                CheckpointChoice::Latest => newest(&run)?,
                CheckpointChoice::Best => best_of(&run)?,
            };
            looks += 1;
            match read_whole(&folder) {
                Err(_) if looks < LOOKS && !is_checkpoint(&folder) => {}
                Err(TrainingError::DamagedCheckpoint { path, reason }) => {
                    return Err(TrainingError::DamagedCheckpoint {
                        path,
                        reason: format!("{reason}; an older one can be named by its own folder"),
                    });
                }
                other => return other,
            }
        }
    }
}

/// Reads a checkpoint whose folder may go at any moment.
fn read_whole(folder: &Path) -> Result<Checkpoint, TrainingError> {
    let mut found = Checkpoint::open(folder)?;
    found.hold_sampling_weights()?;
    Ok(found)
}

fn newest(run: &RunDirectory) -> Result<PathBuf, TrainingError> {
    let found = step_folders(run)?.pop().map(|(_, folder)| folder);
    found.ok_or_else(|| no_such(run, "it has no checkpoint yet".to_owned()))
}

/// The folder of the checkpoint after so many steps.
pub(crate) fn of_step(run: &RunDirectory, step: u64) -> Result<PathBuf, TrainingError> {
    let all = step_folders(run)?;
    let found = all
        .iter()
        .find(|(known, _)| *known == step)
        .map(|(_, folder)| folder.clone());
    found.ok_or_else(|| {
        let steps: Vec<String> = all.iter().map(|(step, _)| step.to_string()).collect();
        let there = match steps.is_empty() {
            true => "it has no checkpoint yet".to_owned(),
            false => format!("there are those of {}", steps.join(", ")),
        };
        no_such(run, format!("no checkpoint of step {step}; {there}"))
    })
}

/// The folder of the best checkpoint by the run's own `[checkpoint.best]`.
pub(crate) fn best_of(run: &RunDirectory) -> Result<PathBuf, TrainingError> {
    let all = step_folders(run)?;
    let policy = policy_of(run)?;
    let Some(chosen) = &policy.best else {
        let reason = "its configuration names no best checkpoint; `[checkpoint.best] metric` and `goal` do".to_owned();
        return Err(no_such(run, reason));
    };
    let step = best(run, &all, &policy)?;
    let found = all
        .into_iter()
        .find(|(known, _)| Some(*known) == step)
        .map(|(_, folder)| folder);
    found.ok_or_else(|| no_such(run, format!("no checkpoint has a value of `{}` yet", chosen.metric)))
}

/// `[checkpoint]` of a run; the rest of the configuration may be of another program.
fn policy_of(run: &RunDirectory) -> Result<CheckpointSection, TrainingError> {
    #[derive(Deserialize)]
    struct OnlyCheckpoint {
        #[serde(default)]
        checkpoint: CheckpointSection,
    }
    let text = match fs::read_to_string(run.config_path()) {
        Ok(text) if !text.trim().is_empty() => text,
        _ => Checkpoint::open(&newest(run)?)?.config_text().to_owned(),
    };
    let found = toml::from_str::<OnlyCheckpoint>(&text);
    found.map(|found| found.checkpoint).map_err(|error| {
        let reason = error.message().to_owned();
        no_such(run, format!("its `[checkpoint]` cannot be read: {reason}"))
    })
}

fn no_such(run: &RunDirectory, reason: String) -> TrainingError {
    TrainingError::NoSuchCheckpoint {
        run: run.path().to_owned(),
        reason,
    }
}
