//! What may differ when a run goes on.

use std::path::Path;

use ganvas_data::ImageSource;
use ganvas_model::{NetworkSettings, ObjectiveSettings};
use toml::Table;
use tracing::warn;

use super::{
    choose::{best_of, of_step},
    fallback::set_later_steps_aside,
    reader::Checkpoint,
    state::ImagesState,
};
use crate::{
    CheckpointChoice, Experiment, Overrides, Plan, RunDirectory, ScheduleShape, TrainingError, counted,
    experiment::{dotted_keys, load_experiment, refuse, table_of},
    run::{Change, is_run},
};

/// Keys, or the sections before a point, that may change when a run goes on. All others decide what the run is.
const MAY_CHANGE: [&str; 13] = [
    "name",
    "backend",
    // Whether the images are the same, their fingerprint says.
    "data.path",
    "data.skip_bad",
    "training.epochs",
    "training.max_steps",
    "optimizer",
    "schedule",
    "ema",
    "logging",
    "evaluation",
    "samples",
    "checkpoint",
];

/// Where a run goes on.
#[derive(Debug, Clone)]
pub struct ResumePoint {
    /// Where it goes on; none if the run was stopped before its first checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// What is configured otherwise than before.
    pub changes: Vec<Change>,
    /// Whether the checkpoint's step was logged because it was due, and not only because the run ended there.
    pub(crate) log_was_due: bool,
}

/// Finds the newest whole checkpoint of a run and checks that `experiment` and `images` go on with the same run: the same seed,
/// images, networks, objective and order of updates. Epochs, optimizers, schedule, average, log, pictures, checkpoints and backend may
/// change.
///
/// # Errors
/// [`TrainingError::ResumeMismatch`] naming the key and both values; [`TrainingError::OtherImages`]; what
/// [`Checkpoint::newest_whole`] meets.
pub fn resume_point<N: NetworkSettings, O: ObjectiveSettings>(
    run: &RunDirectory,
    experiment: &Experiment<N, O>,
    images: &dyn ImageSource,
) -> Result<ResumePoint, TrainingError> {
    let Some((checkpoint, damaged)) = Checkpoint::newest_whole(run)? else {
        let before = load_experiment(&run.config_path(), &Overrides::default())?;
        return Ok(ResumePoint {
            checkpoint: None,
            changes: allowed_changes(run, &before, experiment)?,
            log_was_due: false,
        });
    };
    let point = point_at(run, checkpoint, experiment, images)?;
    if let Some(checkpoint) = &point.checkpoint {
        checkpoint.become_newest(run, damaged)?;
    }
    Ok(point)
}

/// As [`resume_point`], at a checkpoint that need not be the newest: `step` is the number of its steps. The newer ones are
/// renamed and the log's later lines moved to a file of their own, because those steps are made again.
///
/// # Errors
/// As [`resume_point`]; [`TrainingError::NoSuchCheckpoint`] where the run has none of this step.
pub fn resume_point_at<N: NetworkSettings, O: ObjectiveSettings>(
    run: &RunDirectory,
    choice: CheckpointChoice,
    experiment: &Experiment<N, O>,
    images: &dyn ImageSource,
) -> Result<ResumePoint, TrainingError> {
    let folder = match choice {
        CheckpointChoice::Latest => return resume_point(run, experiment, images),
        CheckpointChoice::Best => best_of(run)?,
        CheckpointChoice::Step(step) => of_step(run, step)?,
    };
    let point = point_at(run, Checkpoint::open(&folder)?, experiment, images)?;
    if let Some(checkpoint) = &point.checkpoint {
        set_later_steps_aside(run, checkpoint)?;
        checkpoint.become_newest(run, Vec::new())?;
    }
    Ok(point)
}

/// Checks that a run may go on from a checkpoint.
fn point_at<N: NetworkSettings, O: ObjectiveSettings>(
    run: &RunDirectory,
    checkpoint: Checkpoint,
    experiment: &Experiment<N, O>,
    images: &dyn ImageSource,
) -> Result<ResumePoint, TrainingError> {
    // The checkpoint's own configuration is sealed; `config.toml` beside it may have been edited since.
    let before: Experiment<N, O> = checkpoint.experiment()?;
    let changes = allowed_changes(run, &before, experiment)?;
    let now = ImagesState::of(images)?;
    if !checkpoint.state.images.is_same(&now) {
        return Err(TrainingError::OtherImages {
            before: checkpoint.state.images.to_string(),
            now: now.to_string(),
            run: run.path().to_owned(),
        });
    }
    let plan = experiment.plan(images.len()).map_err(refuse)?;
    plan.check_steps_done(checkpoint.state.step, run)?;
    let steps_before = before.plan(images.len()).map(|plan| plan.total_steps).ok();
    if experiment.schedule.shape != ScheduleShape::Constant && steps_before != Some(plan.total_steps) {
        warn!(
            "the run is to have {} now, so its learning rates do not go on where they were: `schedule` counts in shares of the whole run",
            counted(plan.total_steps, "step")
        );
    }
    if checkpoint.state.backend != experiment.backend.kind {
        warn!(
            "this run was computed by {} so far and goes on with {}: the same mathematics, but not the same bits",
            checkpoint.state.backend, experiment.backend.kind
        );
    }
    let due = |every| Plan::is_due(every, checkpoint.state.step);
    Ok(ResumePoint {
        changes,
        log_was_due: due(before.logging.every) || due(before.evaluation.every),
        checkpoint: Some(checkpoint),
    })
}

/// What is configured otherwise than before, if it may be.
fn allowed_changes<N: NetworkSettings, O: ObjectiveSettings>(
    run: &RunDirectory,
    before: &Experiment<N, O>,
    now: &Experiment<N, O>,
) -> Result<Vec<Change>, TrainingError> {
    let changes = changes(&table_of(before)?, &table_of(now)?);
    let may_change = |key: &str| {
        let is = |allowed: &str| {
            let rest = key.strip_prefix(allowed);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        // What an optimizer remembers is of its kind.
        let is_optimizer = key.starts_with("optimizer.") && key.ends_with(".kind");
        MAY_CHANGE.into_iter().any(is) && !is_optimizer
    };
    match changes.iter().find(|change| !may_change(&change.key)) {
        Some(change) => Err(TrainingError::ResumeMismatch {
            key: change.key.clone(),
            before: change.before.clone(),
            now: change.now.clone(),
            run: run.path().to_owned(),
        }),
        None => Ok(changes),
    }
}

/// Makes the folder of a new run, or takes up the run that is there: for programs whose one argument is a folder.
///
/// # Errors
/// As [`RunDirectory::create`], [`RunDirectory::open`] and [`resume_point`].
pub fn begin_or_resume<N: NetworkSettings, O: ObjectiveSettings>(
    out: &Path,
    experiment: &Experiment<N, O>,
    images: &dyn ImageSource,
) -> Result<(RunDirectory, Option<ResumePoint>), TrainingError> {
    match is_run(out) {
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
