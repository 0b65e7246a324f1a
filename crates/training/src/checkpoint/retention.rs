//! Which checkpoints are kept.

use std::{fs, path::PathBuf};

use super::{
    folders::{STATE, step_folders},
    state::CheckpointState,
};
use crate::{CheckpointSection, Goal, RunDirectory, Session, TrainingError};

/// The checkpoints of a run that need not be kept: all but the newest `keep`, every `keep_every`-th step, and the best.
pub(crate) fn surplus(run: &RunDirectory, policy: &CheckpointSection) -> Result<Vec<PathBuf>, TrainingError> {
    let all = step_folders(run)?;
    let newest = all.len().saturating_sub(policy.keep);
    let best = best(run, &all, policy)?;
    let periodic = |step: u64| policy.keep_every > 0 && step.is_multiple_of(policy.keep_every);
    Ok(all
        .into_iter()
        .take(newest)
        .filter(|&(step, _)| !periodic(step) && Some(step) != best)
        .map(|(_, path)| path)
        .collect())
}

/// The step with the best value of the chosen metric, the earliest of equals; values of an evaluator that the run does not have any more
/// do not count.
///
/// # Errors
/// [`TrainingError::Io`] where `sessions.jsonl` cannot be read.
pub(crate) fn best(
    run: &RunDirectory,
    all: &[(u64, PathBuf)],
    policy: &CheckpointSection,
) -> Result<Option<u64>, TrainingError> {
    let Some(chosen) = policy.best.as_ref() else {
        return Ok(None);
    };
    let since = Session::comparable_since(&Session::all_of(run)?, &chosen.metric);
    let value = |path: &PathBuf| {
        let state: CheckpointState = serde_json::from_slice(&fs::read(path.join(STATE)).ok()?).ok()?;
        let value = state.metrics?.get(&chosen.metric)?;
        Some(match chosen.goal {
            Goal::Min => value,
            Goal::Max => -value,
        })
    };
    let mut found: Option<(f64, u64)> = None;
    for (step, path) in all {
        if *step > since
            && let Some(value) = value(path)
            && found.is_none_or(|(lowest, _)| value < lowest)
        {
            found = Some((value, *step));
        }
    }
    Ok(found.map(|(_, step)| step))
}
