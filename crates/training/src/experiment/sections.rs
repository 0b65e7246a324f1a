//! The experiment file: plain data with explicit defaults.

use ganvas_data::Fit;
use ganvas_model::{NetworkConfig, ObjectiveConfig};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{ema::EmaSection, error::ConfigError, optimizer_config::OptimizerConfig, schedule::ScheduleSection};

/// A whole experiment. Every key can be left out but `[model] network`.
///
/// `N` are the settings of the networks and `O` those of the objective: the families and losses that ship, or one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(bound = "N: schemars::JsonSchema, O: schemars::JsonSchema + Default + Serialize")
)]
#[serde(deny_unknown_fields)]
#[serde(bound(
    serialize = "N: Serialize, O: Serialize",
    deserialize = "N: DeserializeOwned, O: DeserializeOwned + Default"
))]
pub struct Experiment<N = NetworkConfig, O = ObjectiveConfig> {
    /// Names the run's folder, `runs/DATE-TIME-NAME`: letters, digits, `-`, `_` and `.`. Where it is not given, the experiment
    /// file's name without `.toml`.
    #[serde(default)]
    pub name: String,
    /// Decides every random number of the run: first weights, noise and the order of the images. Any whole number, 0 or more; the
    /// same one gives the same run.
    #[serde(default)]
    pub seed: u64,
    /// Where the computing is done.
    #[serde(default)]
    pub backend: BackendSection,
    /// The images that are trained on.
    #[serde(default)]
    pub data: DataSection,
    /// The networks. `network` names the family, and has to be given; the other keys belong to some families only.
    pub model: N,
    /// What the networks minimize.
    #[serde(default)]
    pub objective: O,
    /// What moves the weights, for each network its own.
    #[serde(default)]
    pub optimizer: OptimizerSection,
    /// What changes in the course of the run: learning rates, beta2, the weights of penalties, noise on images.
    #[serde(default)]
    pub schedule: ScheduleSection,
    /// How long is trained, and which network moves when.
    #[serde(default)]
    pub training: TrainingSection,
    /// The generator whose weights are averaged over the steps (exponential moving average).
    #[serde(default)]
    pub ema: EmaSection,
    /// The log, `metrics.jsonl`.
    #[serde(default)]
    pub logging: LoggingSection,
    /// Comparing generated images with real ones on the way.
    #[serde(default)]
    pub evaluation: EvaluationSection,
    /// Pictures of generated images on the way, `samples/`.
    #[serde(default)]
    pub samples: SamplesSection,
    /// What a run can be resumed from, `checkpoints/`.
    #[serde(default)]
    pub checkpoint: CheckpointSection,
}

/// `[backend]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BackendSection {
    /// Its name, such as `ndarray`, `libtorch` or `wgpu`; `ganvas backends` lists those of this program.
    pub kind: String,
    /// Which of its devices computes: `default`, or one that `ganvas backends` lists, such as `cpu` or `cuda:0`.
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// The data set: `mnist`, `fashion-mnist`, `kmnist`, `stacked-mnist` (three of MNIST's digits in three channels, drawn by `seed`) or
    /// `synthetic` (digits that the program draws itself); `own` where `path` is given, which takes its place. A program with
    /// images of its own may call them otherwise.
    pub dataset: String,
    /// Images of one's own: a folder of pictures (PNG, JPEG, WebP, BMP, GIF, TIFF; folders in it too), a `.zip` of them, a `.npy` or `.npz` of NumPy, an
    /// IDX file, or CIFAR-10's binary files. It is seen from the folder that the program is started in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Images that each network sees in an update, usually 32 to 256.
    pub batch_size: usize,
    /// Takes only so many images of the training set, from its first on; all of them where it is not given. For `synthetic`, how
    /// many are drawn: usually 1000 to 60,000, which is taken where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// The side in pixels of the squares that images are brought to, usually 32 to 128: those of `path` by `fit`, those of a data set
    /// by a border of black (32 for MNIST's 28). Where it is not given, they stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// The channels that pictures of `path` are brought to, usually 1 (grey) or 3 (colours). Where it is not given: 1 if the first
    /// pictures are all grey, else 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// How pictures of another shape than a square become one, with `path`.
    pub fit: Fit,
    /// The colour behind transparent pixels and at the sides of padded pictures, with `path`: `black`, `white` or `#8090a0`.
    pub background: String,
    /// Where the classes of pictures are said, with `path`: `none`, `folders` (the topmost folder that each lies in), or a table in the folder with the
    /// columns `file` and `label`, such as `labels.csv`. `.npz`, IDX and CIFAR-10 files have their own.
    pub labels: String,
    /// Whether rows and columns are exchanged, with `path`: EMNIST's letters lie on their side.
    pub transpose: bool,
    /// Whether pictures that cannot be used are left out, with `path`; else they are an error, which names them.
    pub skip_bad: bool,
    /// Whether each image is also seen as in a mirror, which makes twice as many: for small sets of what has no left and right.
    pub flip: bool,
    /// Whether an epoch's last batch is left out where it is short; else it is trained on as it is.
    pub drop_last: bool,
}

impl Default for DataSection {
    fn default() -> Self {
        Self {
            dataset: "synthetic".into(),
            path: None,
            batch_size: 64,
            count: None,
            image_size: None,
            channels: None,
            fit: Fit::default(),
            background: "black".into(),
            labels: "none".into(),
            transpose: false,
            skip_bad: false,
            flip: false,
            drop_last: false,
        }
    }
}

/// `[optimizer]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSection {
    /// The generator's optimizer.
    pub generator: OptimizerConfig,
    /// The discriminator's optimizer.
    pub discriminator: OptimizerConfig,
}

/// Who moves when in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSection {
    /// How often every image of the training set is seen, usually 5 to 100; `max_steps` decides instead where it is given.
    pub epochs: u64,
    /// Steps (updates of the generator) in the run, usually not given; where it is, it alone decides, and `epochs` has no say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// Which network moves when in a step.
    pub update: UpdateRule,
    /// Updates of the discriminator for each one of the generator, each on its own batch, usually 1 to 5; 1 unless
    /// `update = "alternating"`.
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

/// `[logging]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LoggingSection {
    /// Steps between two lines, usually 1 to 100.
    pub every: u64,
}

impl Default for LoggingSection {
    fn default() -> Self {
        Self { every: 10 }
    }
}

/// `[evaluation]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationSection {
    /// Steps between two evaluations, usually 500 to 5000; 0 for none.
    pub every: u64,
    /// Generated images that an evaluation looks at, usually 1000 to 10,000, and real ones at most for the pixels' errors; only scores
    /// of equal numbers compare.
    pub count: usize,
    /// Numbers of quality to report beside the pixels' errors, by a classifier: `fid`, `kid`, `precision`, `recall`, `density`,
    /// `coverage`, `score`, `class_entropy`, `class_distance`, `class_accuracy`, `class_recall`, `memorized`, and of
    /// stacked-mnist `modes` (docs/metrics.md).
    pub metrics: Vec<String>,
    /// The classifier that they are computed with: a name of `ganvas evaluator list`, or a file; where it is not given, the one of the
    /// data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluator: Option<String>,
    /// Ends the run after so many evaluations in a row without a better number of `[checkpoint.best]`, usually 5 to 20; 0 never does.
    pub patience: u64,
}

impl Default for EvaluationSection {
    fn default() -> Self {
        Self {
            every: 0,
            count: 1000,
            metrics: Vec::new(),
            evaluator: None,
            patience: 0,
        }
    }
}

/// `[samples]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SamplesSection {
    /// Steps between two pictures, usually 100 to 2000; 0 for none but the last.
    pub every: u64,
    /// Images in a picture, usually 16 to 100.
    pub count: usize,
}

impl Default for SamplesSection {
    fn default() -> Self {
        Self { every: 500, count: 64 }
    }
}

/// `[checkpoint]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointSection {
    /// Steps between two checkpoints, usually 500 to 5000; 0 for none but the last.
    pub every: u64,
    /// How many of the newest checkpoints are kept, usually 1 to 10.
    pub keep: usize,
    /// Checkpoints at multiples of so many steps are kept for ever, usually some times `every`; 0 for none.
    pub keep_every: u64,
    /// Keeps the best checkpoint by a number of the log as well; where it is not given, none is.
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BestSection {
    /// The name of the number in `metrics.jsonl`, such as `loss/generator` or `pixels/mean_error`; what counts is its newest value
    /// when the checkpoint is saved.
    pub metric: String,
    /// Which values of it are good.
    pub goal: Goal,
}

/// Which values of a metric are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
