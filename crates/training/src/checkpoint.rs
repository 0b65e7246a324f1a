//! What a run saves, resumes from, and is sampled from.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use burn::{
    module::{AutodiffModule, Module},
    tensor::backend::{AutodiffBackend, Backend},
};
use ganvas_model::{
    Generator, ImageShape, NamedTensor, NetworkConfig, apply_named_tensors, from_safetensors, named_tensors,
    to_safetensors,
};
use serde::{Deserialize, Serialize};

use crate::{
    Adam, Ema, Experiment, Overrides, RunDirectory, TrainingError, TrainingState,
    checkpoint_files::{FileSeal, read_sealed, remove_folder, write_folder},
    parse_experiment,
};

/// Raised whenever a reader of the former version would misread the files.
const FORMAT_VERSION: u32 = 1;

const STATE: &str = "state.json";
const CONFIG: &str = "config.toml";
const GENERATOR: &str = "generator.safetensors";
const DISCRIMINATOR: &str = "discriminator.safetensors";
const EMA: &str = "ema_generator.safetensors";
const OPTIMIZER_GENERATOR: &str = "optimizer_generator.safetensors";
const OPTIMIZER_DISCRIMINATOR: &str = "optimizer_discriminator.safetensors";

/// `state.json`: what is no tensor, and the seals of the other files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointState {
    /// Of these files.
    pub format_version: u32,
    /// The ganvas that wrote them.
    pub program_version: String,
    /// The backend that computed them.
    pub backend: String,
    /// Generator updates done. With the seed it is the whole state of the random numbers and of the data order.
    pub step: u64,
    /// Discriminator updates done.
    pub discriminator_updates: u64,
    /// Channels, height and width of the images.
    pub image_shape: [usize; 3],
    files: BTreeMap<String, FileSeal>,
}

/// A checkpoint on disk.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    /// What is no tensor.
    pub state: CheckpointState,
    /// The configuration that it was trained with.
    pub experiment: Experiment,
}

impl Checkpoint {
    /// Saves a state under `checkpoints/step-000500/` and then removes all but the newest `checkpoint.keep`.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] where a value is not finite, [`TrainingError::Io`] where the disk fails; the
    /// checkpoints that were there then still are.
    pub fn save<B: AutodiffBackend>(
        run: &RunDirectory,
        experiment: &Experiment,
        image: ImageShape,
        state: &TrainingState<B>,
    ) -> Result<PathBuf, TrainingError> {
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
        let mut files = BTreeMap::new();
        for (name, tensors) in tensors {
            check_finite(name, &tensors, state.step, run)?;
            let metadata = [("format".to_owned(), "pt".to_owned())];
            files.insert(name.to_owned(), to_safetensors(&tensors, metadata)?);
        }
        files.insert(CONFIG.to_owned(), experiment.to_toml()?.into_bytes());
        let record = CheckpointState {
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            backend: experiment.backend.kind.clone(),
            step: state.step,
            discriminator_updates: state.optimizer_discriminator.updates(),
            image_shape: image.dims(),
            files: files
                .iter()
                .map(|(name, bytes)| (name.clone(), FileSeal::of(bytes)))
                .collect(),
        };
        let folder = run.checkpoints_path().join(format!("step-{:06}", state.step));
        let json =
            serde_json::to_vec_pretty(&record).map_err(|error| TrainingError::io("write", &folder)(error.into()))?;
        files.insert(STATE.to_owned(), json);
        write_folder(&folder, &files)?;

        let mut all = step_folders(run);
        all.sort();
        let surplus = all.len().saturating_sub(experiment.checkpoint.keep);
        for (_, old) in all.iter().take(surplus) {
            remove_folder(old)?;
        }
        Ok(folder)
    }

    /// Reads a checkpoint: its own folder, or a run's newest.
    ///
    /// # Errors
    /// [`TrainingError::NotARun`] where there is none, [`TrainingError::DamagedCheckpoint`] where it cannot be read.
    pub fn find(path: &Path) -> Result<Self, TrainingError> {
        if path.join(STATE).is_file() {
            return Self::open(path);
        }
        Self::newest(&RunDirectory::at(path))?.ok_or_else(|| TrainingError::NotARun {
            path: path.to_owned(),
            reason: if path.exists() {
                "holds no checkpoint; expected a run's folder with checkpoints/step-…, or such a folder itself".into()
            } else {
                "no such folder; expected a run's folder, or a checkpoint in it".into()
            },
        })
    }

    /// Reads a run's newest checkpoint, if it has one.
    ///
    /// # Errors
    /// [`TrainingError::DamagedCheckpoint`] where it cannot be read.
    pub fn newest(run: &RunDirectory) -> Result<Option<Self>, TrainingError> {
        let newest = step_folders(run).into_iter().max();
        newest.map(|(_, path)| Self::open(&path)).transpose()
    }

    fn open(path: &Path) -> Result<Self, TrainingError> {
        let damaged = |name: &str, reason: String| TrainingError::DamagedCheckpoint {
            path: path.join(name),
            reason,
        };
        let json = fs::read(path.join(STATE)).map_err(|error| damaged(STATE, error.to_string()))?;
        let state: CheckpointState =
            serde_json::from_slice(&json).map_err(|error| damaged(STATE, error.to_string()))?;
        if state.format_version != FORMAT_VERSION {
            return Err(damaged(
                STATE,
                format!(
                    "expected format version {FORMAT_VERSION}, found {}",
                    state.format_version
                ),
            ));
        }
        let bytes = read_listed(path, &state, CONFIG)?;
        let text = String::from_utf8(bytes).map_err(|error| damaged(CONFIG, error.to_string()))?;
        let source = path.join(CONFIG).display().to_string();
        Ok(Self {
            path: path.to_owned(),
            experiment: parse_experiment(&text, &source, "", &Overrides::default())?,
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

    fn tensors(&self, name: &str) -> Result<Vec<NamedTensor>, TrainingError> {
        Ok(from_safetensors(&read_listed(&self.path, &self.state, name)?)?)
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
        let ema = match (decay > 0.0, self.state.files.contains_key(EMA)) {
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
        let name = if self.state.files.contains_key(EMA) {
            EMA
        } else {
            GENERATOR
        };
        // Every value is about to be replaced, so the numbers that the network starts from do not matter.
        let mut rng = ganvas_data::keyed_rng(0, ganvas_data::Purpose::GeneratorWeights, 0);
        let network = self.experiment.network(self.image());
        self.fill(network.generator(&mut rng, device)?, name)
    }
}

/// Reads a file that `state.json` lists.
fn read_listed(folder: &Path, state: &CheckpointState, name: &str) -> Result<Vec<u8>, TrainingError> {
    let path = folder.join(name);
    let seal = state.files.get(name).ok_or_else(|| TrainingError::DamagedCheckpoint {
        path: path.clone(),
        reason: format!("{STATE} does not list it"),
    })?;
    read_sealed(&path, seal)
}

/// The checkpoints of a run with their steps, in no order.
fn step_folders(run: &RunDirectory) -> Vec<(u64, PathBuf)> {
    fs::read_dir(run.checkpoints_path())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let step = entry.file_name().to_str()?.strip_prefix("step-")?.parse().ok()?;
            Some((step, entry.path()))
        })
        .collect()
}

fn check_finite(file: &str, tensors: &[NamedTensor], step: u64, run: &RunDirectory) -> Result<(), TrainingError> {
    for tensor in tensors {
        if let Some(&value) = tensor.values.iter().find(|value| !value.is_finite()) {
            return Err(TrainingError::Diverged {
                what: format!("a value of `{}` in {file}", tensor.name),
                value,
                step,
                advice: divergence_advice(run),
            });
        }
    }
    Ok(())
}

/// Where the last good checkpoint is, and what to try.
pub(crate) fn divergence_advice(run: &RunDirectory) -> String {
    let good = match step_folders(run).into_iter().max() {
        Some((_, path)) => format!("the last good checkpoint is {}", path.display()),
        None => "no checkpoint was saved before it".to_owned(),
    };
    format!("{good}; try smaller learning rates")
}
