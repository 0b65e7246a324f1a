//! What may differ when a run goes on.

use std::collections::BTreeMap;

use toml::Value;
use tracing::warn;

use crate::{
    Checkpoint, ConfigError, Experiment, Overrides, RunDirectory, TrainingError, load_experiment, sessions::Change,
};

/// Keys, or the sections before a point, that may change when a run goes on. All others decide what the run is.
const MAY_CHANGE: [&str; 9] = [
    "name",
    "backend",
    "training.epochs",
    "training.max_steps",
    "optimizer",
    "ema",
    "logging",
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

/// Finds the newest whole checkpoint of a run and checks that `experiment` goes on with the same run: the same seed, images,
/// networks, game and order of updates. Epochs, optimizers, average, log, pictures, checkpoints and backend may change.
///
/// # Errors
/// [`TrainingError::ResumeMismatch`] naming the key and both values; what [`Checkpoint::newest_whole`] meets.
pub fn resume_point(run: &RunDirectory, experiment: &Experiment) -> Result<ResumePoint, TrainingError> {
    let (checkpoint, damaged) = match Checkpoint::newest_whole(run)? {
        Some((checkpoint, damaged)) => (Some(checkpoint), damaged),
        None => (None, Vec::new()),
    };
    // The checkpoint's own configuration is sealed; `config.toml` beside it may have been edited since.
    let before = match &checkpoint {
        Some(checkpoint) => checkpoint.experiment.clone(),
        None => load_experiment(&run.config_path(), &Overrides::default())?,
    };
    let changes = changes(&before, experiment)?;
    let forbidden = |change: &&Change| {
        !MAY_CHANGE
            .iter()
            .any(|&key| change.key == key || change.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
    };
    if let Some(change) = changes.iter().find(forbidden) {
        return Err(TrainingError::ResumeMismatch {
            key: change.key.clone(),
            before: change.before.clone(),
            now: change.now.clone(),
            run: run.path().to_owned(),
        });
    }
    if let Some(checkpoint) = &checkpoint {
        checkpoint.become_newest(run, damaged)?;
    }
    if let Some(checkpoint) = checkpoint
        .as_ref()
        .filter(|found| found.state.backend != experiment.backend.kind)
    {
        warn!(
            "this run was computed by {} so far and goes on with {}: the same mathematics, but not the same bits",
            checkpoint.state.backend, experiment.backend.kind
        );
    }
    Ok(ResumePoint { checkpoint, changes })
}

/// Every key with another value, in alphabetical order.
fn changes(before: &Experiment, now: &Experiment) -> Result<Vec<Change>, TrainingError> {
    let (before, now) = (keys(before)?, keys(now)?);
    let absent = || "not set".to_owned();
    let mut all: Vec<&String> = before.keys().chain(now.keys()).collect();
    all.sort();
    all.dedup();
    Ok(all
        .into_iter()
        .filter(|&key| before.get(key) != now.get(key))
        .map(|key| Change {
            key: key.clone(),
            before: before.get(key).cloned().unwrap_or_else(absent),
            now: now.get(key).cloned().unwrap_or_else(absent),
        })
        .collect())
}

/// The values of an experiment, as TOML writes them, by dotted keys.
fn keys(experiment: &Experiment) -> Result<BTreeMap<String, String>, ConfigError> {
    fn collect(prefix: &str, value: Value, keys: &mut BTreeMap<String, String>) {
        match value {
            Value::Table(table) => {
                for (key, value) in table {
                    let key = if prefix.is_empty() {
                        key
                    } else {
                        format!("{prefix}.{key}")
                    };
                    collect(&key, value, keys);
                }
            }
            value => {
                keys.insert(prefix.to_owned(), value.to_string());
            }
        }
    }
    let value =
        Value::try_from(experiment).map_err(|error| ConfigError::new("configuration", None, error.to_string()))?;
    let mut keys = BTreeMap::new();
    collect("", value, &mut keys);
    Ok(keys)
}
