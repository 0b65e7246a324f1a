//! What `ganvas train` is to train: an experiment anew, or a run that goes on.

use std::path::Path;

use ganvas_training::{CheckpointChoice, ConfigText, RunDirectory, RunLocation, TrainingError};

use crate::{args::TrainArguments, ended::UsageError, quoting::quoted, shipped};

/// A configuration, and where its training goes on.
pub struct Start {
    pub text: ConfigText,
    /// None for a new run.
    pub resume: Option<Resume>,
}

/// Where a training goes on.
pub struct Resume {
    /// The run; none for the newest of the experiment.
    pub run: Option<RunDirectory>,
    pub checkpoint: CheckpointChoice,
}

impl Start {
    /// What the arguments mean.
    pub fn new(arguments: &TrainArguments) -> anyhow::Result<Self> {
        let config = arguments.config.as_deref();
        let Some(named) = &arguments.resume else {
            return Self::anew(config);
        };
        // `--resume CONFIG`, the flag before an experiment, is as good as `CONFIG --resume`.
        let (config, named) = match (config, named.as_deref()) {
            (None, Some(path)) if path.is_file() && !is_pointer(path) => (Some(path), None),
            (None, Some(path)) if !path.exists() && shipped::is_experiment(path) => (Some(path), None),
            // And `RUN --resume` as `--resume RUN`.
            (Some(path), None) if is_run(path) && arguments.out.is_none() => (None, Some(path)),
            (config, named) => (config, named),
        };
        match (named, arguments.out.as_deref()) {
            (Some(named), Some(_)) => {
                let message = format!("--resume {} and --out both name a run; give one of them", quoted(named));
                Err(UsageError(message).into())
            }
            (Some(path), None) | (None, Some(path)) => Self::of_run(path, config, arguments.checkpoint),
            (None, None) => Self::of_newest_run(config, arguments.checkpoint),
        }
    }

    /// A new run.
    fn anew(config: Option<&Path>) -> anyhow::Result<Self> {
        let config =
            config.ok_or_else(|| UsageError("expected an experiment; `ganvas config list` lists some".into()))?;
        Ok(Self {
            text: experiment(config)?,
            resume: None,
        })
    }

    /// The run of an experiment that began last.
    fn of_newest_run(config: Option<&Path>, checkpoint: Option<CheckpointChoice>) -> anyhow::Result<Self> {
        let config = config
            .ok_or_else(|| UsageError("--resume: expected the run to go on with, such as --resume runs/…".into()))?;
        Ok(Self {
            text: experiment(config)?,
            resume: Some(Resume {
                run: None,
                checkpoint: checkpoint.unwrap_or(CheckpointChoice::Latest),
            }),
        })
    }

    /// A run, or a checkpoint in one, under its own configuration or under another.
    fn of_run(path: &Path, config: Option<&Path>, checkpoint: Option<CheckpointChoice>) -> anyhow::Result<Self> {
        let location = RunLocation::find(path)?;
        let Some(run) = &location.run else {
            return Err(TrainingError::NotARun {
                path: path.to_owned(),
                reason: "is a checkpoint outside of a run, and a run goes on in its own folder".into(),
            }
            .into());
        };
        let checkpoint = match (location.step(), checkpoint) {
            (Some(step), None) => CheckpointChoice::Step(step),
            (Some(step), Some(choice)) if choice == CheckpointChoice::Step(step) => choice,
            (Some(_), Some(choice)) => {
                let message = format!("{} names a checkpoint, and --checkpoint {choice} another", quoted(path));
                return Err(UsageError(message).into());
            }
            (None, choice) => choice.unwrap_or(CheckpointChoice::Latest),
        };
        let run = RunDirectory::at(run);
        Ok(Self {
            text: match config {
                Some(config) => experiment(config)?,
                None => run.configuration()?,
            },
            resume: Some(Resume {
                run: Some(run),
                checkpoint,
            }),
        })
    }
}

/// The text of an experiment; a run is none.
fn experiment(config: &Path) -> anyhow::Result<ConfigText> {
    if is_run(config) {
        let path = quoted(config);
        let message = format!("{path} is a run, or a checkpoint; go on with it with `ganvas train --resume {path}`");
        return Err(UsageError(message).into());
    }
    Ok(shipped::experiment(config)?)
}

/// A run's folder or a checkpoint's, unless an experiment that ships has its name, which goes first.
fn is_run(path: &Path) -> bool {
    let is_found = path.is_dir() && RunLocation::find(path).is_ok();
    (is_found && !shipped::is_experiment(path)) || (path.is_file() && is_pointer(path))
}

/// `checkpoints/latest` is a file and names a checkpoint.
fn is_pointer(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "latest")
}
