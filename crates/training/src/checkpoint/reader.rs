//! A checkpoint on disk, and what is made of it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use burn::{
    module::{AutodiffModule, Module},
    tensor::backend::{AutodiffBackend, Backend},
};
use ganvas_data::{Classes, Purpose, keyed_rng};
use ganvas_model::{
    ImageShape, Init, ModelError, NamedTensor, NetworkSettings, Networks, ObjectiveSettings, TrainableNetworks,
    apply_named_tensors, from_safetensors,
};
use serde::Deserialize;

use super::{
    folders::{CONFIG, DISCRIMINATOR, EMA, GENERATOR, OPTIMIZER_DISCRIMINATOR, OPTIMIZER_GENERATOR, STATE},
    sealed_folder::{SUMS, SealedFolder, sha256},
    state::{CheckpointState, FORMAT_VERSION},
};
use crate::{Ema, Experiment, Optimizer, OptimizerConfig, Overrides, TrainingError, TrainingState, parse_experiment};

/// More than anybody has labels for; a forged file must not make networks larger than that.
const MOST_CLASSES: usize = 65_536;

/// Whether these can be the classes of so many images.
fn are_of(classes: &Classes, images: usize) -> bool {
    let total = classes
        .counts
        .iter()
        .try_fold(0_u64, |total, &count| total.checked_add(count));
    classes.names.len() == classes.count()
        && (1..=MOST_CLASSES).contains(&classes.count())
        && total == Some(images as u64)
}

/// A checkpoint on disk, found whole.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    files: SealedFolder,
    /// What is no tensor.
    pub state: CheckpointState,
    config: String,
}

/// Which of a checkpoint's generators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weights {
    /// The average over the steps, `[ema]`.
    #[default]
    Averaged,
    /// Those that were trained last.
    Trained,
}

impl Checkpoint {
    /// Reads the checkpoint in a folder and holds every file to its checksum.
    ///
    /// # Errors
    /// [`TrainingError::DamagedCheckpoint`], [`TrainingError::OtherFormat`], [`TrainingError::Io`].
    pub fn open(path: &Path) -> Result<Self, TrainingError> {
        let damaged = |name: &str, reason: String| TrainingError::DamagedCheckpoint {
            path: path.join(name),
            reason,
        };
        // Before the checksums: another version may have none, or others, and should be named.
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
            program_version: Option<String>,
        }
        let version = fs::read(path.join(STATE))
            .ok()
            // A flipped bit makes no other version.
            .filter(|json| SealedFolder::sum_of(path, STATE).is_none_or(|sum| sum == sha256(json)))
            .and_then(|json| serde_json::from_slice::<Version>(&json).ok());
        if let Some(version) = version.filter(|version| version.format_version != FORMAT_VERSION) {
            return Err(TrainingError::OtherFormat {
                path: path.to_owned(),
                expected: FORMAT_VERSION,
                found: version.format_version,
                program: version.program_version,
            });
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
        if ImageShape::checked(state.images.shape).is_none() {
            let reason = format!("expected the shape of small images, found {:?}", state.images.shape);
            return Err(damaged(STATE, reason));
        }
        if let Some(classes) = &state.images.classes
            && !are_of(classes, state.images.count)
        {
            let reason = format!(
                "expected a name for each of 1 to {MOST_CLASSES} classes, and {} images in all of them, found {} names for {} classes",
                state.images.count,
                classes.names.len(),
                classes.count()
            );
            return Err(damaged(STATE, reason));
        }
        Ok(Self {
            path: path.to_owned(),
            files,
            config: text,
            state,
        })
    }

    /// The configuration that it was trained with.
    ///
    /// # Errors
    /// [`TrainingError::ForeignCheckpoint`] where it is none of these networks and this objective.
    pub fn experiment<N: NetworkSettings, O: ObjectiveSettings>(&self) -> Result<Experiment<N, O>, TrainingError> {
        parse_experiment(&self.config, CONFIG, "", &Overrides::default()).map_err(|source| {
            TrainingError::ForeignCheckpoint {
                path: self.path.clone(),
                source: Box::new(source),
            }
        })
    }

    /// The configuration as it stands in the checkpoint.
    pub fn config_text(&self) -> &str {
        &self.config
    }

    /// Keeps the weights that images are drawn from in memory: the run may remove its older checkpoints meanwhile.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn hold_sampling_weights(&mut self) -> Result<(), TrainingError> {
        let name = if self.has(EMA) { EMA } else { GENERATOR };
        self.files.hold(name)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The shape of the images.
    pub fn image(&self) -> ImageShape {
        self.state.images.shape.into()
    }

    /// Whether there are weights averaged over the steps.
    pub fn has_average(&self) -> bool {
        self.has(EMA)
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
        self.damaged(name, error.to_string())
    }

    fn damaged(&self, name: &str, reason: String) -> TrainingError {
        TrainingError::DamagedCheckpoint {
            path: self.path.join(name),
            reason,
        }
    }

    /// The most values that a network can have whose tensors are in this file: it must not be built larger than that, whatever
    /// the configuration says.
    fn most_values(&self, name: &str) -> u64 {
        self.files.size(name) / 4
    }

    /// A network that cannot be built by what the checkpoint says.
    fn unbuildable(&self, error: ModelError) -> TrainingError {
        match error {
            ModelError::TooLarge { limit } => {
                let reason = format!("asks for networks of more values than their files can hold, {limit}");
                self.damaged(CONFIG, reason)
            }
            error => self.misfit(CONFIG, &error),
        }
    }

    fn optimizer<B: AutodiffBackend, M: AutodiffModule<B>>(
        &self,
        config: OptimizerConfig,
        network: &M,
        (name, updates): (&str, u64),
        device: &B::Device,
    ) -> Result<Optimizer<B::InnerBackend>, TrainingError> {
        Optimizer::resume::<B, _>(config, network, self.tensors(name)?, updates, device)
            .map_err(|error| self.misfit(name, &error))
    }

    /// The state to go on with, under the optimizers and the average of `experiment`.
    ///
    /// # Errors
    /// [`TrainingError::DamagedCheckpoint`] where a file is not what it should be.
    pub fn restore<B: AutodiffBackend, N: TrainableNetworks<B>, O>(
        &self,
        experiment: &Experiment<N, O>,
        device: &B::Device,
    ) -> Result<TrainingState<B, N>, TrainingError> {
        let limits = [GENERATOR, DISCRIMINATOR].map(|name| self.most_values(name));
        let initial = TrainingState::<B, N>::with_limits(experiment, self.state.images.data_shape(), device, limits)
            .map_err(|error| self.unbuildable(error))?;
        let generator = self.fill(initial.generator, GENERATOR)?;
        let discriminator = self.fill(initial.discriminator, DISCRIMINATOR)?;
        let rate = experiment.ema.rate(experiment.data.batch_size);
        let ema = match (rate, self.has(EMA)) {
            (None, _) => None,
            (Some(rate), true) => Some(Ema::resume(self.fill(generator.valid(), EMA)?, rate)),
            // The average was turned on when the run was resumed: it starts where the generator stands.
            (Some(rate), false) => Some(Ema::new(&generator, rate)),
        };
        Ok(TrainingState {
            optimizer_generator: self.optimizer(
                experiment.optimizer.generator,
                &generator,
                (OPTIMIZER_GENERATOR, self.state.step),
                device,
            )?,
            optimizer_discriminator: self.optimizer(
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
    pub fn sampling_generator<B: Backend, N: Networks<B>>(
        &self,
        networks: &N,
        device: &B::Device,
    ) -> Result<N::Generator, TrainingError> {
        self.generator_of(networks, Weights::Averaged, device)
    }

    /// A generator with the weights that are asked for; averaged ones are the trained ones where nothing was averaged.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn generator_of<B: Backend, N: Networks<B>>(
        &self,
        networks: &N,
        weights: Weights,
        device: &B::Device,
    ) -> Result<N::Generator, TrainingError> {
        let name = match weights {
            Weights::Averaged if self.has(EMA) => EMA,
            _ => GENERATOR,
        };
        // Every value is about to be replaced, so the numbers that the network starts from do not matter.
        let mut rng = keyed_rng(0, Purpose::GeneratorWeights, 0);
        let mut init = Init::new(&mut rng, device).with_limit(self.most_values(name));
        let generator = networks
            .generator(self.state.images.data_shape(), &mut init)
            .and_then(|generator| init.check().map(|()| generator))
            .map_err(|error| self.unbuildable(error))?;
        self.fill(generator, name)
    }
}
