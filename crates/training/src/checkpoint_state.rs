//! `state.json`: what a checkpoint holds that is no tensor.

use ganvas_model::ImageShape;
use serde::{Deserialize, Serialize};

use crate::{Experiment, MetricsLine, Plan};

/// Raised whenever a reader of the former version would misread the files.
pub(crate) const FORMAT_VERSION: u32 = 2;

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
    /// Channels, height and width of the images.
    pub image_shape: [usize; 3],
    /// SHA-256 of `config.toml`.
    pub config_sha256: String,
    /// The newest line of the log, at this step or before; none before the first.
    pub metrics: Option<MetricsLine>,
    /// The other files, so that none can be left out unnoticed.
    pub files: Vec<String>,
}

/// Every random number comes from ChaCha, keyed by the seed, its purpose and a counter; nothing else is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomState {
    /// `seed` of the configuration.
    pub seed: u64,
    /// Counter of the next batch: of its images' place in the order, and of its noise.
    pub next_batch: u64,
}

impl CheckpointState {
    /// What is to be said after `step` steps; `files` and `config_sha256` come with the files.
    pub(crate) fn new(
        experiment: &Experiment,
        image: ImageShape,
        plan: &Plan,
        step: u64,
        metrics: Option<MetricsLine>,
    ) -> Self {
        let batches = step * plan.batches_per_step;
        Self {
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            backend: experiment.backend.kind.clone(),
            step,
            discriminator_updates: batches,
            epoch: plan.epoch(step),
            batch_in_epoch: batches - (plan.epoch(step) - 1) * plan.batches_per_epoch,
            random: RandomState {
                seed: experiment.seed,
                next_batch: batches,
            },
            image_shape: image.dims(),
            config_sha256: String::new(),
            metrics,
            files: Vec::new(),
        }
    }
}
