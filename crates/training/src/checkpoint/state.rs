//! `state.json`: what a checkpoint holds that is no tensor.

use ganvas_data::{Classes, DataError, Fingerprint, ImageSource};
use ganvas_model::DataShape;
use serde::{Deserialize, Serialize};

use crate::{MetricsLine, Plan};

/// Raised whenever a reader of the former version would misread the files.
pub(crate) const FORMAT_VERSION: u32 = 3;

/// `state.json`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointState {
    /// Of these files.
    pub format_version: u32,
    /// The ganvas that wrote them.
    pub program_version: String,
    /// The backend that computed them.
    pub backend: String,
    /// Generator updates done.
    pub step: u64,
    /// Discriminator updates done.
    pub discriminator_updates: u64,
    /// Epoch of the last batch, from 1.
    pub epoch: u64,
    /// Batches of that epoch that are used up.
    pub batch_in_epoch: u64,
    /// The whole state of the random numbers.
    pub random: RandomState,
    /// The images that it is trained on.
    pub images: ImagesState,
    /// SHA-256 of `config.toml`.
    pub config_sha256: String,
    /// The newest line of the log, at this step or before, and of names that are not in it the newest value; none before the
    /// first line.
    pub metrics: Option<MetricsLine>,
    /// The other files, so that none can be left out unnoticed.
    pub files: Vec<String>,
}

/// Every random number comes from ChaCha, keyed by the seed, its purpose and a counter; nothing else is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomState {
    /// `seed` of the configuration.
    pub seed: u64,
    /// Counter of the next batch: of its images' place in the order, and of its noise. For readers; a run that goes on counts
    /// it from `step`.
    pub next_batch: u64,
}

/// What distinguishes the images of a run from any others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagesState {
    /// What reports call them.
    pub name: String,
    /// How many there are.
    pub count: usize,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// SHA-256 over shape, count and pixels.
    pub fingerprint: Fingerprint,
    /// What their labels say; not known of those without, and in checkpoints of versions before 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Classes>,
}

impl ImagesState {
    /// Of a source as it is now.
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub fn of(images: &dyn ImageSource) -> Result<Self, DataError> {
        Ok(Self {
            name: images.name().to_owned(),
            count: images.len(),
            shape: images.shape(),
            fingerprint: images.fingerprint()?,
            classes: Classes::of(images),
        })
    }

    /// Whether these are the same images with the same labels, as far as those are known, whatever they are called.
    pub fn is_same(&self, other: &Self) -> bool {
        let of_both = self.classes.as_ref().zip(other.classes.as_ref());
        (self.count, self.shape, &self.fingerprint) == (other.count, other.shape, &other.fingerprint)
            && of_both.is_none_or(|(one, other)| one.labels == other.labels)
    }

    /// What networks for these images are built for.
    pub fn data_shape(&self) -> DataShape {
        DataShape::new(self.shape.into(), self.classes.as_ref().map_or(0, Classes::count))
    }
}

/// `400 of 1×28×28 (mnist, SHA-256 1a2b3c4d…, of the labels 5e6f7a8b…)`
impl std::fmt::Display for ImagesState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [channels, height, width] = self.shape;
        write!(
            formatter,
            "{} of {channels}×{height}×{width} ({}, SHA-256 {}…",
            self.count,
            self.name,
            self.fingerprint.short()
        )?;
        if let Some(classes) = &self.classes {
            write!(formatter, ", of the labels {}…", classes.labels.short())?;
        }
        formatter.write_str(")")
    }
}

impl CheckpointState {
    /// What is to be said after `step` steps; `files` and `config_sha256` come with the files.
    pub(crate) fn new(
        (backend, seed): (&str, u64),
        images: ImagesState,
        plan: &Plan,
        step: u64,
        metrics: Option<MetricsLine>,
    ) -> Self {
        let batches = step * plan.batches_per_step;
        Self {
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            backend: backend.to_owned(),
            step,
            discriminator_updates: batches,
            epoch: plan.epoch(step),
            batch_in_epoch: batches - (plan.epoch(step) - 1) * plan.batches_per_epoch,
            random: RandomState {
                seed,
                next_batch: batches,
            },
            images,
            config_sha256: String::new(),
            metrics,
            files: Vec::new(),
        }
    }
}
