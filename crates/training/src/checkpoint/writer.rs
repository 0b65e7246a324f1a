//! Checkpoints on their way to the disk, while the training goes on.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use burn::tensor::backend::AutodiffBackend;
use ganvas_data::disk::Output;
use ganvas_model::{NamedTensor, TrainableNetworks, named_tensors, to_safetensors};
use serde::Serialize;

use super::{
    folders::{
        CONFIG, DISCRIMINATOR, EMA, GENERATOR, OPTIMIZER_DISCRIMINATOR, OPTIMIZER_GENERATOR, STATE, last_good,
        point_latest_at,
    },
    retention::surplus,
    sealed_folder::{retire_folder, sha256, write_folder},
    state::CheckpointState,
};
use crate::{CheckpointSection, Experiment, RunDirectory, TrainingError, TrainingState, watch::first_non_finite};

/// The state of a run on the host, at one step.
pub(crate) struct Snapshot {
    tensors: Vec<(&'static str, Vec<NamedTensor>)>,
    config: String,
    state: CheckpointState,
    policy: CheckpointSection,
}

impl Snapshot {
    /// Copies a state to the host.
    pub(crate) fn take<B: AutodiffBackend, N: TrainableNetworks<B>, O: Serialize>(
        experiment: &Experiment<N, O>,
        record: CheckpointState,
        state: &TrainingState<B, N>,
    ) -> Result<Self, TrainingError> {
        let mut tensors = vec![
            (GENERATOR, named_tensors(&state.generator)),
            (DISCRIMINATOR, named_tensors(&state.discriminator)),
            (
                OPTIMIZER_GENERATOR,
                state.optimizer_generator.named_moments::<B, _>(&state.generator),
            ),
            (
                OPTIMIZER_DISCRIMINATOR,
                state
                    .optimizer_discriminator
                    .named_moments::<B, _>(&state.discriminator),
            ),
        ];
        if let Some(ema) = &state.ema {
            tensors.push((EMA, named_tensors(&ema.generator)));
        }
        Ok(Self {
            tensors,
            config: experiment.to_toml()?,
            state: record,
            policy: experiment.checkpoint.clone(),
        })
    }

    /// Writes `checkpoints/step-000500/`, points `latest` at it, and removes what need not be kept.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] where a value is not finite, [`TrainingError::Io`] where the disk fails; the
    /// checkpoints that were there then still are.
    pub(crate) fn write(mut self, run: &RunDirectory) -> Result<PathBuf, TrainingError> {
        let mut files = BTreeMap::new();
        for (name, tensors) in &self.tensors {
            if let Some((tensor, value)) = first_non_finite(tensors) {
                return Err(TrainingError::Diverged {
                    what: format!("a value of `{tensor}` in {name}"),
                    value,
                    step: self.state.step,
                    advice: last_good(run),
                });
            }
            let metadata = [("format".to_owned(), "pt".to_owned())];
            files.insert((*name).to_owned(), to_safetensors(tensors, metadata)?);
        }
        self.state.config_sha256 = sha256(self.config.as_bytes());
        files.insert(CONFIG.to_owned(), self.config.into_bytes());
        self.state.files = files.keys().cloned().collect();
        let folder = run.checkpoint_path(self.state.step);
        let json = serde_json::to_vec_pretty(&self.state)
            .map_err(|error| TrainingError::io("write", &folder)(error.into()))?;
        files.insert(STATE.to_owned(), json);
        write_folder(&folder, &files)?;

        point_latest_at(run, &folder)?;
        for old in surplus(run, &self.policy)? {
            // Steps beyond this one are not from this run's course; nothing makes the newest work go.
            if old != folder {
                retire_folder(&old)?;
            }
        }
        Ok(folder)
    }
}

/// Writes one checkpoint at a time on a thread of its own.
pub(crate) struct CheckpointWriter {
    run: RunDirectory,
    /// The log is brought to the disk before a checkpoint that counts on its lines.
    log: Output,
    writing: Option<JoinHandle<Result<(PathBuf, Duration), TrainingError>>>,
    /// What the thread has taken so far.
    taken: Duration,
}

impl CheckpointWriter {
    pub(crate) fn new(run: &RunDirectory, log: Output) -> Self {
        Self {
            run: run.clone(),
            log,
            writing: None,
            taken: Duration::ZERO,
        }
    }

    /// Begins to write a checkpoint, after the one before it has ended; that one's folder is returned.
    ///
    /// # Errors
    /// What stopped the one before.
    pub(crate) fn begin(&mut self, snapshot: Snapshot) -> Result<Option<PathBuf>, TrainingError> {
        let before = self.finish()?;
        let run = self.run.clone();
        let log = self.log.try_clone();
        let path = run.metrics_path();
        let work = move || {
            let start = Instant::now();
            log.and_then(|log| log.sync())
                .map_err(TrainingError::io("write", path))?;
            Ok((snapshot.write(&run)?, start.elapsed()))
        };
        let thread = thread::Builder::new()
            .name("checkpoint".into())
            .spawn(work)
            .map_err(TrainingError::io(
                "start a thread that writes",
                self.run.checkpoints_path(),
            ))?;
        self.writing = Some(thread);
        Ok(before)
    }

    /// How long the writing has taken so far, beside the steps.
    pub(crate) fn taken(&self) -> Duration {
        self.taken
    }

    /// The folder that was written since the last call, if one was.
    ///
    /// # Errors
    /// What stopped it.
    pub(crate) fn poll(&mut self) -> Result<Option<PathBuf>, TrainingError> {
        match &self.writing {
            Some(thread) if thread.is_finished() => self.finish(),
            _ => Ok(None),
        }
    }

    /// Waits for what is being written.
    ///
    /// # Errors
    /// What stopped it.
    pub(crate) fn finish(&mut self) -> Result<Option<PathBuf>, TrainingError> {
        let Some(thread) = self.writing.take() else {
            return Ok(None);
        };
        match thread.join() {
            Ok(result) => {
                let (folder, taken) = result?;
                self.taken += taken;
                Ok(Some(folder))
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for CheckpointWriter {
    /// A checkpoint of a good step is not given up because a later one failed.
    fn drop(&mut self) {
        if let Some(thread) = self.writing.take() {
            let _ = thread.join();
        }
    }
}
