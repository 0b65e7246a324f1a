//! What a run resumes from, and is sampled from.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use burn::{
    module::{AutodiffModule, Module},
    tensor::backend::{AutodiffBackend, Backend},
};
use ganvas_data::disk;
use ganvas_model::{Generator, ImageShape, NamedTensor, NetworkConfig, apply_named_tensors, from_safetensors};
use serde::Deserialize;
use tracing::warn;

use crate::{
    Adam, CheckpointState, Ema, Experiment, Overrides, RunDirectory, TrainingError, TrainingState,
    checkpoint_files::{SUMS, SealedFolder, sha256},
    checkpoint_state::FORMAT_VERSION,
    parse_experiment,
    saver::{point_latest_at, step_folders},
};

pub(crate) const STATE: &str = "state.json";
pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const GENERATOR: &str = "generator.safetensors";
pub(crate) const DISCRIMINATOR: &str = "discriminator.safetensors";
pub(crate) const EMA: &str = "ema_generator.safetensors";
pub(crate) const OPTIMIZER_GENERATOR: &str = "optimizer_generator.safetensors";
pub(crate) const OPTIMIZER_DISCRIMINATOR: &str = "optimizer_discriminator.safetensors";

/// A checkpoint on disk, found whole.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    files: SealedFolder,
    /// What is no tensor.
    pub state: CheckpointState,
    /// The configuration that it was trained with.
    pub experiment: Experiment,
}

impl Checkpoint {
    /// Reads a checkpoint: its own folder, or a run's newest.
    ///
    /// # Errors
    /// [`TrainingError::NotARun`] where there is none, [`TrainingError::DamagedCheckpoint`] where it cannot be read.
    pub fn find(path: &Path) -> Result<Self, TrainingError> {
        // Either file may be the one that is lost.
        if [STATE, SUMS].iter().any(|name| path.join(name).is_file()) {
            return Self::open(path);
        }
        let newest = step_folders(&RunDirectory::at(path))?.pop();
        match newest {
            Some((_, newest)) => Self::open(&newest).map_err(|error| match error {
                TrainingError::DamagedCheckpoint { path, reason } => TrainingError::DamagedCheckpoint {
                    path,
                    reason: format!("{reason}; an older one can be named by its own folder"),
                },
                other => other,
            }),
            None => Err(TrainingError::NotARun {
                path: path.to_owned(),
                reason: if path.exists() {
                    "holds no checkpoint; expected a run's folder with checkpoints/step-…, or such a folder itself"
                        .into()
                } else {
                    "no such folder; expected a run's folder, or a checkpoint in it".into()
                },
            }),
        }
    }

    /// Reads a run's newest whole checkpoint, if it has any, and tells of newer ones that are damaged, newest first.
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
            let aside = step_aside(folder)?;
            warn!(
                "{error}; it is {} now, and the run goes on from {}",
                aside.display(),
                self.path.display()
            );
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        match fs::read_to_string(run.latest_path()) {
            Ok(latest) if latest.trim_end() == name => Ok(()),
            _ => point_latest_at(run, &self.path),
        }
    }

    fn open(path: &Path) -> Result<Self, TrainingError> {
        let damaged = |name: &str, reason: String| TrainingError::DamagedCheckpoint {
            path: path.join(name),
            reason,
        };
        // Before the checksums: another version may have none, or others, and should be named.
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let version = fs::read(path.join(STATE))
            .ok()
            .and_then(|json| serde_json::from_slice::<Version>(&json).ok());
        if let Some(Version { format_version }) = version.filter(|version| version.format_version != FORMAT_VERSION) {
            return Err(damaged(
                STATE,
                format!("expected format version {FORMAT_VERSION}, found {format_version}"),
            ));
        }

        let files = SealedFolder::open(path)?;
        let json = files.read(STATE)?;
        let state: CheckpointState =
            serde_json::from_slice(&json).map_err(|error| damaged(STATE, error.to_string()))?;
        let sealed: BTreeSet<&str> = files.names().filter(|&name| name != STATE).collect();
        let listed: BTreeSet<&str> = state.files.iter().map(String::as_str).collect();
        if sealed != listed {
            return Err(damaged(
                SUMS,
                format!("expected checksums of {listed:?}, found those of {sealed:?}"),
            ));
        }
        let bytes = files.read(CONFIG)?;
        if sha256(&bytes) != state.config_sha256 {
            return Err(damaged(
                CONFIG,
                format!("is not the configuration that {STATE} was written with"),
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| damaged(CONFIG, error.to_string()))?;
        let source = path.join(CONFIG).display().to_string();
        let experiment = parse_experiment(&text, &source, "", &Overrides::default())?;
        // The networks are made for this shape before any tensor is read.
        let side = experiment.data.image_size.unwrap_or(28);
        let [channels, height, width] = state.image_shape;
        if [height, width] != [side; 2] || ![1, 3].contains(&channels) {
            let reason = format!(
                "expected images of 1 or 3 channels and {side}×{side} pixels, found {:?}",
                state.image_shape
            );
            return Err(damaged(STATE, reason));
        }
        Ok(Self {
            path: path.to_owned(),
            files,
            experiment,
            state,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The shape of the images.
    pub fn image(&self) -> ImageShape {
        let [channels, height, width] = self.state.image_shape;
        ImageShape::new(channels, height, width)
    }

    fn has(&self, name: &str) -> bool {
        self.state.files.iter().any(|file| file == name)
    }

    fn tensors(&self, name: &str) -> Result<Vec<NamedTensor>, TrainingError> {
        Ok(from_safetensors(&self.files.read(name)?)?)
    }

    fn fill<B: Backend, M: Module<B>>(&self, module: M, name: &str) -> Result<M, TrainingError> {
        Ok(apply_named_tensors(module, self.tensors(name)?)?)
    }

    /// The state to go on with, under the optimizers and the average of `experiment`.
    ///
    /// # Errors
    /// [`TrainingError::DamagedCheckpoint`] or [`TrainingError::Model`] where a file is not what it should be.
    pub fn restore<B: AutodiffBackend>(
        &self,
        experiment: &Experiment,
        network: &NetworkConfig,
        device: &B::Device,
    ) -> Result<TrainingState<B>, TrainingError> {
        let fresh = TrainingState::<B>::new(experiment, network, device)?;
        let generator = self.fill(fresh.generator, GENERATOR)?;
        let discriminator = self.fill(fresh.discriminator, DISCRIMINATOR)?;
        let decay = experiment.ema.decay;
        let ema = match (decay > 0.0, self.has(EMA)) {
            (false, _) => None,
            (true, true) => Some(Ema::resume(self.fill(generator.valid(), EMA)?, decay)),
            // The average was turned on when the run was resumed: it starts where the generator stands.
            (true, false) => Some(Ema::new(&generator, decay)),
        };
        Ok(TrainingState {
            optimizer_generator: Adam::resume::<B, _>(
                experiment.optimizer.generator,
                &generator,
                self.tensors(OPTIMIZER_GENERATOR)?,
                self.state.step,
                device,
            )?,
            optimizer_discriminator: Adam::resume::<B, _>(
                experiment.optimizer.discriminator,
                &discriminator,
                self.tensors(OPTIMIZER_DISCRIMINATOR)?,
                self.state.discriminator_updates,
                device,
            )?,
            generator,
            discriminator,
            ema,
            step: self.state.step,
        })
    }

    /// The generator that images are drawn from: the averaged one where there is one.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn sampling_generator<B: Backend>(&self, device: &B::Device) -> Result<Generator<B>, TrainingError> {
        let name = if self.has(EMA) { EMA } else { GENERATOR };
        // Every value is about to be replaced, so the numbers that the network starts from do not matter.
        let mut rng = ganvas_data::keyed_rng(0, ganvas_data::Purpose::GeneratorWeights, 0);
        let network = self.experiment.network(self.image());
        self.fill(network.generator(&mut rng, device)?, name)
    }
}

/// Renames a damaged checkpoint to a name that no reader takes for one.
fn step_aside(path: &Path) -> Result<PathBuf, TrainingError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|number| match number {
        1 => format!("damaged-{name}"),
        _ => format!("damaged-{number}-{name}"),
    });
    let mut free = names
        .map(|name| path.with_file_name(name))
        .filter(|aside| !aside.exists());
    let aside = free.next().unwrap_or_else(|| path.with_file_name("damaged"));
    disk::rename(path, &aside).map_err(TrainingError::io("rename", path))?;
    Ok(aside)
}
