//! The experiment file: plain data with explicit defaults.

use ganvas_data::DatasetName;
use ganvas_model::{ImageShape, Initialization, Loss, NetworkConfig, NetworkKind};
use serde::{Deserialize, Serialize};

use crate::{AdamConfig, ConfigError};

/// A whole experiment. Every key can be left out but `[model] network`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Names the run directory; the experiment file's name without `.toml` where it is not given.
    #[serde(default)]
    pub name: String,
    /// Decides every random number of the run.
    #[serde(default)]
    pub seed: u64,
    /// Where the arithmetic is done.
    #[serde(default)]
    pub backend: BackendSection,
    /// The images.
    #[serde(default)]
    pub data: DataSection,
    /// The networks.
    pub model: ModelSection,
    /// The adversarial game.
    #[serde(default)]
    pub loss: LossSection,
    /// Both optimizers.
    #[serde(default)]
    pub optimizer: OptimizerSection,
    /// The loop.
    #[serde(default)]
    pub training: TrainingSection,
    /// The averaged generator.
    #[serde(default)]
    pub ema: EmaSection,
    /// The log.
    #[serde(default)]
    pub logging: LoggingSection,
    /// Pictures on the way.
    #[serde(default)]
    pub samples: SamplesSection,
    /// What a run can be resumed from.
    #[serde(default)]
    pub checkpoint: CheckpointSection,
}

/// `[backend]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackendSection {
    /// `ganvas backends` lists the names.
    pub kind: String,
    /// `default`, or what `ganvas backends` lists, such as `cpu` or `cuda:0`.
    pub device: String,
}

impl Default for BackendSection {
    fn default() -> Self {
        Self {
            kind: "ndarray".into(),
            device: "default".into(),
        }
    }
}

/// `[data]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// `mnist`, `fashion-mnist`, `kmnist` or `synthetic`.
    pub dataset: DatasetName,
    /// Images a step, usually 32 to 256.
    pub batch_size: usize,
    /// Takes only so many images of the training set; for `synthetic`, how many are drawn (60,000 if not given).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Pads the images with black to this side in pixels, such as 32 for MNIST's 28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// Leaves out an epoch's last batch where it is short; else it is trained on as it is.
    pub drop_last: bool,
}

impl Default for DataSection {
    fn default() -> Self {
        Self {
            dataset: DatasetName::Synthetic,
            batch_size: 64,
            count: None,
            image_size: None,
            drop_last: false,
        }
    }
}

/// `[model]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// `blog`, `dcgan` or `mlp`.
    pub network: NetworkKind,
    /// Random numbers an image (the length of z), usually 64 to 128; 100 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent_size: Option<usize>,
    /// Width of the layer nearest to the image, usually 16 to 128; `dcgan` only, 64 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_channels: Option<usize>,
    /// Widths of the generator's hidden layers, reversed in the discriminator; `mlp` only, `[256, 512]` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_sizes: Option<Vec<usize>>,
    /// `glorot-uniform`, `dcgan` or `he`; the network's usual one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initialization: Option<Initialization>,
}

/// `[loss]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossSection {
    /// `non-saturating` or `minimax`.
    pub kind: Loss,
}

/// `[optimizer]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSection {
    /// The generator's Adam.
    pub generator: AdamConfig,
    /// The discriminator's Adam.
    pub discriminator: AdamConfig,
}

/// Who moves when in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateRule {
    /// Both gradients are taken before either network moves, as in Keras' tutorials.
    Simultaneous,
    /// The discriminator moves first, then the generator against the moved one, as in the GAN paper's algorithm 1.
    #[default]
    Alternating,
}

/// `[training]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSection {
    /// How often every image of the training set is seen.
    pub epochs: u64,
    /// Ends the run after so many generator updates, whatever the epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// `simultaneous` or `alternating`.
    pub update: UpdateRule,
    /// Discriminator updates for each generator update, each on its own batch; 1 unless `update = "alternating"`.
    pub discriminator_steps: usize,
}

impl Default for TrainingSection {
    fn default() -> Self {
        Self {
            epochs: 10,
            max_steps: None,
            update: UpdateRule::default(),
            discriminator_steps: 1,
        }
    }
}

/// `[ema]`
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmaSection {
    /// Decay of the averaged generator that samples are drawn from, a step, usually 0.99 to 0.9999; 0 turns it off.
    pub decay: f64,
}

/// `[logging]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoggingSection {
    /// Steps between lines of `metrics.jsonl`.
    pub every: u64,
}

impl Default for LoggingSection {
    fn default() -> Self {
        Self { every: 10 }
    }
}

/// `[samples]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplesSection {
    /// Steps between pictures; 0 for none but the last.
    pub every: u64,
    /// Images in a picture.
    pub count: usize,
}

impl Default for SamplesSection {
    fn default() -> Self {
        Self { every: 500, count: 64 }
    }
}

/// `[checkpoint]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointSection {
    /// Steps between checkpoints; 0 for none but the last.
    pub every: u64,
    /// How many of the newest checkpoints are kept; at least 1.
    pub keep: usize,
    /// Checkpoints at multiples of so many steps are kept for ever; 0 for none.
    pub keep_every: u64,
    /// The best checkpoint by a metric is kept as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<BestSection>,
}

impl Default for CheckpointSection {
    fn default() -> Self {
        Self {
            every: 500,
            keep: 3,
            keep_every: 0,
            best: None,
        }
    }
}

/// `[checkpoint.best]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestSection {
    /// A number of `metrics.jsonl`, such as `generator_loss`; its newest value when the checkpoint is saved.
    pub metric: String,
    /// `lowest` or `highest`.
    pub goal: Goal,
}

/// Which values of a metric are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The smaller the better.
    Lowest,
    /// The larger the better.
    Highest,
}

impl Experiment {
    /// The networks for images of this shape.
    pub fn network(&self, image: ImageShape) -> NetworkConfig {
        let model = &self.model;
        let mut config = NetworkConfig::new(model.network, image);
        if let Some(latent_size) = model.latent_size {
            config = config.with_latent_size(latent_size);
        }
        if let Some(base_channels) = model.base_channels {
            config = config.with_base_channels(base_channels);
        }
        if let Some(hidden_sizes) = &model.hidden_sizes {
            config = config.with_hidden_sizes(hidden_sizes.clone());
        }
        if let Some(initialization) = model.initialization {
            config = config.with_initialization(initialization);
        }
        config
    }

    /// Fills in what the network leaves to its defaults, so that the written configuration says everything.
    pub fn resolved(mut self) -> Self {
        let config = self.network(ImageShape::new(1, 28, 28));
        self.model.latent_size = Some(config.latent_size);
        self.model.initialization = Some(config.initialization);
        match self.model.network {
            NetworkKind::Dcgan => self.model.base_channels = Some(config.base_channels),
            NetworkKind::Mlp => self.model.hidden_sizes = Some(config.hidden_sizes),
            NetworkKind::Blog => {}
        }
        self
    }

    /// The resolved configuration as TOML.
    ///
    /// # Errors
    /// [`ConfigError`] where a number cannot be written.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::new("configuration", None, error.to_string()))
    }
}
