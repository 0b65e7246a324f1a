//! Checkpoints on their way to the disk, while the training goes on.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use burn::tensor::backend::AutodiffBackend;
use ganvas_data::{disk::Output, write_atomically};
use ganvas_model::{NamedTensor, named_tensors, to_safetensors};

use crate::{
    CheckpointSection, CheckpointState, Experiment, RunDirectory, TrainingError, TrainingState,
    checkpoint::{CONFIG, DISCRIMINATOR, EMA, GENERATOR, OPTIMIZER_DISCRIMINATOR, OPTIMIZER_GENERATOR, STATE},
    checkpoint_files::{remove_folder, sha256, write_folder},
    divergence::check_finite,
    retention::surplus,
};

/// The state of a run on the host, at one step.
pub(crate) struct Snapshot {
    tensors: Vec<(&'static str, Vec<NamedTensor>)>,
    config: String,
    state: CheckpointState,
    policy: CheckpointSection,
}

impl Snapshot {
    /// Copies a state to the host.
    pub(crate) fn take<B: AutodiffBackend>(
        experiment: &Experiment,
        record: CheckpointState,
        state: &TrainingState<B>,
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
            check_finite(name, tensors, self.state.step, run)?;
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
                remove_folder(&old)?;
            }
        }
        Ok(folder)
    }
}

/// Moves the pointer `latest`.
pub(crate) fn point_latest_at(run: &RunDirectory, folder: &Path) -> Result<(), TrainingError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(write_atomically(&run.latest_path(), |file| writeln!(file, "{name}"))?)
}

/// Writes one checkpoint at a time on a thread of its own.
pub(crate) struct Saver {
    run: RunDirectory,
    /// The log is brought to the disk before a checkpoint that counts on its lines.
    log: Output,
    writing: Option<JoinHandle<Result<(PathBuf, Duration), TrainingError>>>,
    /// What the thread has taken so far.
    taken: Duration,
}

impl Saver {
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

impl Drop for Saver {
    /// A checkpoint of a good step is not given up because a later one failed.
    fn drop(&mut self) {
        if let Some(thread) = self.writing.take() {
            let _ = thread.join();
        }
    }
}

/// The checkpoints of a run with their steps, oldest first.
///
/// # Errors
/// [`TrainingError::Io`] where the folder is there and cannot be read: that is not the same as no checkpoints.
pub(crate) fn step_folders(run: &RunDirectory) -> Result<Vec<(u64, PathBuf)>, TrainingError> {
    let path = run.checkpoints_path();
    let unreadable = TrainingError::io("read", &path);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(unreadable)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(unreadable(error)),
    };
    let mut folders: Vec<(u64, PathBuf)> = entries
        .into_iter()
        .filter_map(|entry| Some((step_of(&entry.path())?, entry.path())))
        .collect();
    folders.sort();
    Ok(folders)
}

fn step_of(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()
}
