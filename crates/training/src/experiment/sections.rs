//! The experiment file: plain data with explicit defaults.

use ganvas_model::{NetworkConfig, ObjectiveConfig};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{adam_config::AdamConfig, error::ConfigError};

/// A whole experiment. Every key can be left out but `[model] network`.
///
/// `N` are the settings of the networks and `O` those of the objective: the families and losses that ship, or one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(
    serialize = "N: Serialize, O: Serialize",
    deserialize = "N: DeserializeOwned, O: DeserializeOwned + Default"
))]
pub struct Experiment<N = NetworkConfig, O = ObjectiveConfig> {
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
    pub model: N,
    /// What the networks minimize.
    #[serde(default)]
    pub objective: O,
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
    /// Judging the images on the way.
    #[serde(default)]
    pub evaluation: EvaluationSection,
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
    /// `mnist`, `fashion-mnist`, `kmnist` or `synthetic`; a program with images of its own may call them otherwise.
    pub dataset: String,
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
            dataset: "synthetic".into(),
            batch_size: 64,
            count: None,
            image_size: None,
            drop_last: false,
        }
    }
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
    /// How often every image of the training set is seen, usually 5 to 100; `max_steps` decides instead where it is given.
    pub epochs: u64,
    /// Generator updates in the run; where it is given it alone decides, and `epochs` has no say.
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

/// `[evaluation]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationSection {
    /// Steps between evaluations; 0 for none.
    pub every: u64,
    /// Generated images, and real ones at most, that an evaluation looks at, usually 1000 to 10,000.
    pub count: usize,
}

impl Default for EvaluationSection {
    fn default() -> Self {
        Self { every: 0, count: 1000 }
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
    /// The name of a number in `metrics.jsonl`, such as `loss/generator`; its newest value when the checkpoint is saved.
    pub metric: String,
    /// `min` or `max`.
    pub goal: Goal,
}

/// Which values of a metric are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The smaller the better.
    Min,
    /// The larger the better.
    Max,
}

impl<N: Serialize, O: Serialize> Experiment<N, O> {
    /// The whole configuration as TOML.
    ///
    /// # Errors
    /// [`ConfigError`] where a number cannot be written.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::new("configuration", None, error.to_string()))
    }
}
