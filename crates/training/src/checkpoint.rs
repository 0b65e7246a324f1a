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
use ganvas_model::{
    Generator, ImageShape, ModelError, NamedTensor, NetworkConfig, apply_named_tensors, from_safetensors,
};
use serde::Deserialize;

use crate::{
    Adam, AdamConfig, CheckpointState, Ema, Experiment, Overrides, RunDirectory, TrainingError, TrainingState,
    checkpoint_files::{SUMS, SealedFolder, sha256},
    checkpoint_state::FORMAT_VERSION,
    parse_experiment,
    saver::step_folders,
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

    pub(crate) fn open(path: &Path) -> Result<Self, TrainingError> {
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
        let experiment = parse_experiment(&text, CONFIG, "", &Overrides::default())
            .map_err(|error| damaged(CONFIG, error.to_string()))?;
        // The networks are made for this shape, and with these sizes, before any tensor is read: they must not be larger than the
        // files.
        let side = experiment.data.image_size.unwrap_or(28);
        let [channels, height, width] = state.image_shape;
        if [height, width] != [side; 2] || ![1, 3].contains(&channels) {
            let reason = format!(
                "expected images of 1 or 3 channels and {side}×{side} pixels, found {:?}",
                state.image_shape
            );
            return Err(damaged(STATE, reason));
        }
        let network = experiment.network(ImageShape::new(channels, height, width));
        network.validate().map_err(|error| damaged(CONFIG, error.to_string()))?;
        let cost = network.cost();
        for (name, layers) in [(GENERATOR, cost.generator), (DISCRIMINATOR, cost.discriminator)] {
            let least = 4 * layers.iter().map(|layer| layer.weights).sum::<u64>();
            let found = files.size(name);
            if found < least {
                let reason = format!("expected {least} bytes or more for the networks of {CONFIG}, found {found}");
                return Err(damaged(name, reason));
            }
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
        from_safetensors(&self.files.read(name)?).map_err(|error| self.misfit(name, &error))
    }

    fn fill<B: Backend, M: Module<B>>(&self, module: M, name: &str) -> Result<M, TrainingError> {
        apply_named_tensors(module, self.tensors(name)?).map_err(|error| self.misfit(name, &error))
    }

    /// A file that is as it was written, and not what it should be: another program wrote it.
    fn misfit(&self, name: &str, error: &ModelError) -> TrainingError {
        TrainingError::DamagedCheckpoint {
            path: self.path.join(name),
            reason: error.to_string(),
        }
    }

    fn adam<B: AutodiffBackend, M: AutodiffModule<B>>(
        &self,
        config: AdamConfig,
        network: &M,
        (name, updates): (&str, u64),
        device: &B::Device,
    ) -> Result<Adam<B::InnerBackend>, TrainingError> {
        Adam::resume::<B, _>(config, network, self.tensors(name)?, updates, device)
            .map_err(|error| self.misfit(name, &error))
    }

    /// The state to go on with, under the optimizers and the average of `experiment`.
    ///
    /// # Errors
    /// [`TrainingError::DamagedCheckpoint`] where a file is not what it should be; [`TrainingError::Model`] where the network
    /// cannot be built.
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
            optimizer_generator: self.adam(
                experiment.optimizer.generator,
                &generator,
                (OPTIMIZER_GENERATOR, self.state.step),
                device,
            )?,
            optimizer_discriminator: self.adam(
                experiment.optimizer.discriminator,
                &discriminator,
                (OPTIMIZER_DISCRIMINATOR, self.state.discriminator_updates),
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
