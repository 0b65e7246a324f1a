//! The arguments of `evaluate` and `evaluator`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ganvas_data::{DatasetName, ValueRange};
use ganvas_evaluator::Metric;
use ganvas_training::CheckpointChoice;

use super::{
    data::DataFolder,
    values::{MOST_IMAGES, data_set, whole},
};

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Runs, checkpoints, or samples of any tool: .npy, .npz, .idx, .idx.gz, or a folder of PNGs
    #[arg(value_name = "RUN_OR_SAMPLES", required = true)]
    pub sources: Vec<PathBuf>,
    /// The real images: a data set's name, whose test split is taken, or a file or folder as for samples [default: the run's
    /// data set, else the one that the evaluator was trained on; a run on images of its own is compared with those, by pixels]
    #[arg(long, value_name = "NAME_OR_FILE")]
    pub real: Option<PathBuf>,
    /// How many images of each are judged at most; only scores of equal numbers compare [default: 10000; stacked-mnist: 26000; images of one's own: 1000]
    #[arg(long, value_parser = whole::<u32>(10, MOST_IMAGES), allow_negative_numbers = true)]
    pub count: Option<u32>,
    /// Who looks at the images: a name of `ganvas evaluator list`, or a file [default: the one of the real images]
    #[arg(long, value_name = "NAME_OR_FILE")]
    pub evaluator: Option<PathBuf>,
    /// The numbers, separated by commas: fid, kid, precision, recall, density, coverage, score, class_entropy, class_distance,
    /// class_accuracy, class_recall, memorized, and of stacked-mnist modes [default: all, those of classes that are asked for where a run is
    /// conditional; of stacked-mnist modes, fid and kid]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub metrics: Vec<Metric>,
    /// Decides the images that runs make, and which real images go into the floor
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>(0, u64::MAX), allow_negative_numbers = true)]
    pub seed: u64,
    /// Which checkpoint of the runs: latest, best, or a step [default: latest]
    #[arg(long, value_name = "WHICH", conflicts_with = "all_checkpoints")]
    pub checkpoint: Option<CheckpointChoice>,
    /// Judges every checkpoint of the runs
    #[arg(long)]
    pub all_checkpoints: bool,
    /// How the numbers of samples stand for brightness: -1..1, 0..1 or 0..255 [default: told by their type and range]
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub range: Option<ValueRange>,
    /// Computes on another backend than the run's: a name, such as flex, or a file
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<PathBuf>,
    /// Also draws the images of the first source that are nearest to training images, each to the left of the one that it is nearest to
    #[arg(long, value_name = "FILE.png")]
    pub neighbours: Option<PathBuf>,
    /// Replaces a picture that exists
    #[arg(long, requires = "neighbours")]
    pub force: bool,
    #[command(flatten)]
    pub folder: DataFolder,
    /// Prints one JSON object instead of words
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum EvaluatorCommand {
    /// Lists the evaluators that there are
    #[command(after_help = "Examples:\n\
        \x20 ganvas evaluator list\n\
        \x20 ganvas evaluator list --json")]
    List {
        /// Prints one JSON object instead of words
        #[arg(long)]
        json: bool,
    },
    /// Trains an evaluator on the training split of a data set, for `evaluate` to find by name
    #[command(after_help = "Examples:\n\
        \x20 ganvas evaluator train kmnist\n\
        \x20 ganvas evaluator train mnist --seed 2 --out second.safetensors")]
    Train(TrainEvaluatorArguments),
}

#[derive(Debug, Args)]
pub struct TrainEvaluatorArguments {
    /// mnist, fashion-mnist, kmnist or synthetic
    #[arg(value_parser = data_set)]
    pub name: DatasetName,
    #[command(flatten)]
    pub folder: DataFolder,
    /// Decides first weights, order and shifts
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>(0, u64::MAX), allow_negative_numbers = true)]
    pub seed: u64,
    /// How often every image is seen
    #[arg(long, default_value_t = 8, value_parser = whole::<u64>(1, 1000), allow_negative_numbers = true)]
    pub epochs: u64,
    /// The evaluator's file [default: NAME.safetensors in the user's cache, where `evaluate` finds it by name]
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: Option<PathBuf>,
    /// Replaces a file that exists
    #[arg(long)]
    pub force: bool,
    /// Computes on this backend: a name, such as flex, or a file [default: ndarray, or what this program has]
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<PathBuf>,
}
