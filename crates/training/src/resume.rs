//! What may differ when a run goes on.

use std::fmt::Debug;

use tracing::warn;

use crate::{Checkpoint, Experiment, Overrides, RunDirectory, TrainingError, load_experiment};

/// Finds the newest checkpoint of a run, none if it was stopped before the first, and checks that `experiment` goes on with
/// the same run: the same seed, images, networks, game and order of updates. Epochs, optimizers, average, log, pictures,
/// checkpoints and backend may change.
///
/// # Errors
/// [`TrainingError::ResumeMismatch`] naming the key and both values; what [`Checkpoint::newest`] meets.
pub fn resume_point(run: &RunDirectory, experiment: &Experiment) -> Result<Option<Checkpoint>, TrainingError> {
    let checkpoint = Checkpoint::newest(run)?;
    // The checkpoint's own configuration is sealed; `config.toml` beside it may have been edited since.
    let (before, now) = match &checkpoint {
        Some(checkpoint) => (checkpoint.experiment.clone(), experiment),
        None => (load_experiment(&run.config_path(), &Overrides::default())?, experiment),
    };
    let same = |key, before: &dyn Debug, now: &dyn Debug| {
        let (before, now) = (format!("{before:?}"), format!("{now:?}"));
        if before == now {
            return Ok(());
        }
        Err(TrainingError::ResumeMismatch {
            key,
            before,
            now,
            run: run.path().to_owned(),
        })
    };
    same("seed", &before.seed, &now.seed)?;
    same("data.dataset", &before.data.dataset, &now.data.dataset)?;
    same("data.batch_size", &before.data.batch_size, &now.data.batch_size)?;
    same("data.count", &before.data.count, &now.data.count)?;
    same("data.image_size", &before.data.image_size, &now.data.image_size)?;
    same("data.drop_last", &before.data.drop_last, &now.data.drop_last)?;
    same("model.network", &before.model.network, &now.model.network)?;
    same("model.latent_size", &before.model.latent_size, &now.model.latent_size)?;
    same(
        "model.base_channels",
        &before.model.base_channels,
        &now.model.base_channels,
    )?;
    same(
        "model.hidden_sizes",
        &before.model.hidden_sizes,
        &now.model.hidden_sizes,
    )?;
    same(
        "model.initialization",
        &before.model.initialization,
        &now.model.initialization,
    )?;
    same("loss.kind", &before.loss.kind, &now.loss.kind)?;
    same("training.update", &before.training.update, &now.training.update)?;
    same(
        "training.discriminator_steps",
        &before.training.discriminator_steps,
        &now.training.discriminator_steps,
    )?;
    if let Some(checkpoint) = checkpoint
        .as_ref()
        .filter(|found| found.state.backend != now.backend.kind)
    {
        warn!(
            "this run was computed by {} so far and goes on with {}: the same mathematics, but not the same bits",
            checkpoint.state.backend, now.backend.kind
        );
    }
    Ok(checkpoint)
}
