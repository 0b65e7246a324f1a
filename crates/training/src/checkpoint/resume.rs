//! What may differ when a run goes on.

use std::path::Path;

use ganvas_data::ImageSource;
use serde::Serialize;
use toml::Table;
use tracing::warn;

use super::{reader::Checkpoint, state::ImagesState};
use crate::{
    ConfigError, Experiment, RunDirectory, TrainingError,
    experiment::{dotted_keys, table_of},
    run::Change,
};

/// Keys, or the sections before a point, that may change when a run goes on. All others decide what the run is.
const MAY_CHANGE: [&str; 10] = [
    "name",
    "backend",
    "training.epochs",
    "training.max_steps",
    "optimizer",
    "ema",
    "logging",
    "evaluation",
    "samples",
    "checkpoint",
];

/// Where a run goes on.
#[derive(Debug, Clone)]
pub struct ResumePoint {
    /// The newest whole checkpoint; none if the run was stopped before the first.
    pub checkpoint: Option<Checkpoint>,
    /// What is configured otherwise than before.
    pub changes: Vec<Change>,
}

/// Finds the newest whole checkpoint of a run and checks that `experiment` and `images` go on with the same run: the same seed,
/// images, networks, objective and order of updates. Epochs, optimizers, average, log, pictures, checkpoints and backend may
/// change.
///
/// # Errors
/// [`TrainingError::ResumeMismatch`] naming the key and both values; [`TrainingError::OtherImages`]; what
/// [`Checkpoint::newest_whole`] meets.
pub fn resume_point<N: Serialize, O: Serialize>(
    run: &RunDirectory,
    experiment: &Experiment<N, O>,
    images: &dyn ImageSource,
) -> Result<ResumePoint, TrainingError> {
    let (checkpoint, damaged) = match Checkpoint::newest_whole(run)? {
        Some((checkpoint, damaged)) => (Some(checkpoint), damaged),
        None => (None, Vec::new()),
    };
    // The checkpoint's own configuration is sealed; `config.toml` beside it may have been edited since.
    let before = match &checkpoint {
        Some(checkpoint) => checkpoint.config_table()?,
        None => run.config_table()?,
    };
    let changes = changes(&before, &table_of(experiment)?);
    let may_change = |key: &str| {
        let is = |allowed: &str| {
            let rest = key.strip_prefix(allowed);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        MAY_CHANGE.into_iter().any(is)
    };
    if let Some(change) = changes.iter().find(|change| !may_change(&change.key)) {
        return Err(TrainingError::ResumeMismatch {
            key: change.key.clone(),
            before: change.before.clone(),
            now: change.now.clone(),
            run: run.path().to_owned(),
        });
    }
    if let Some(checkpoint) = &checkpoint {
        let now = ImagesState::of(images);
        if !checkpoint.state.images.is_same(&now) {
            return Err(TrainingError::OtherImages {
                before: checkpoint.state.images.to_string(),
                now: now.to_string(),
                run: run.path().to_owned(),
            });
        }
        checkpoint.become_newest(run, damaged)?;
        if checkpoint.state.backend != experiment.backend.kind {
            warn!(
                "this run was computed by {} so far and goes on with {}: the same mathematics, but not the same bits",
                checkpoint.state.backend, experiment.backend.kind
            );
        }
    }
    Ok(ResumePoint { checkpoint, changes })
}

/// Makes the folder of a new run, or takes up the run that is there: for programs whose one argument is a folder.
///
/// # Errors
/// As [`RunDirectory::create`], [`RunDirectory::open`] and [`resume_point`].
pub fn begin_or_resume<N: Serialize, O: Serialize>(
    out: &Path,
    experiment: &Experiment<N, O>,
    images: &dyn ImageSource,
) -> Result<(RunDirectory, Option<ResumePoint>), TrainingError> {
    match RunDirectory::at(out).config_path().exists() {
        true => {
            let run = RunDirectory::open(Some(out), &experiment.name)?;
            let point = resume_point(&run, experiment, images)?;
            Ok((run, Some(point)))
        }
        false => Ok((RunDirectory::create(Some(out), &experiment.name)?, None)),
    }
}

/// Every key with another value, in alphabetical order.
fn changes(before: &Table, now: &Table) -> Vec<Change> {
    let (before, now) = (dotted_keys(before), dotted_keys(now));
    let value = |keys: &[(String, String)], key: &str| {
        let found = keys.iter().find(|(known, _)| known == key);
        found.map_or_else(|| "not set".to_owned(), |(_, value)| value.clone())
    };
    let mut keys: Vec<&String> = before.iter().chain(&now).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .map(|key| Change {
            key: key.clone(),
            before: value(&before, key),
            now: value(&now, key),
        })
        .filter(|change| change.before != change.now)
        .collect()
}

impl RunDirectory {
    /// The configuration that a run was begun with.
    fn config_table(&self) -> Result<Table, ConfigError> {
        let path = self.config_path();
        let wrong = |message: String| ConfigError::new(path.display().to_string(), None, message);
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        text.parse()
            .map_err(|error: toml::de::Error| wrong(error.message().to_owned()))
    }
}
