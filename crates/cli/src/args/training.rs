//! The arguments that name an experiment: those of `train` and `bench`, and of verbs that only look at one.

use std::path::PathBuf;

use clap::Args;
use ganvas_training::CheckpointChoice;

use super::values::{MOST_IN_TOML, MOST_STEPS, seconds, whole};

/// An experiment with what is laid over it.
#[derive(Debug, Args)]
pub struct ExperimentArguments {
    /// The experiment: a name of `ganvas config list`, such as quickstart, or a file
    pub config: PathBuf,
    #[command(flatten)]
    pub overlay: Overlay,
}

/// What is laid over an experiment.
#[derive(Debug, Args)]
pub struct Overlay {
    /// Sets a key, such as training.epochs=2; KEY= alone takes the default; can be given again
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Lays a backend over the experiment: a name, such as flex, or a file
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<PathBuf>,
    /// Sets training.epochs, and lets it decide where the experiment has training.max_steps
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1, MOST_IN_TOML), allow_negative_numbers = true)]
    pub epochs: Option<u64>,
    /// Sets seed
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0, MOST_IN_TOML), allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Sets data.batch_size
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1, MOST_IN_TOML), allow_negative_numbers = true)]
    pub batch_size: Option<u64>,
    /// Sets optimizer.generator.learning_rate and optimizer.discriminator.learning_rate
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,
}

#[derive(Debug, Args)]
pub struct TrainArguments {
    /// The experiment: a name of `ganvas config list`, such as quickstart, or a file [default with --resume: the run's own]
    #[arg(required_unless_present = "resume")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub overlay: Overlay,
    /// The folder above mnist/, or the data set's own [default: GANVAS_DATA, then the user's cache]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The run directory [default: runs/DATE-TIME-NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Goes on with a run, from its newest checkpoint or from the one named; without a value with the run in --out, or with
    /// the experiment's newest one
    #[arg(long, value_name = "RUN_OR_CHECKPOINT", num_args = 0..=1, conflicts_with = "dry_run")]
    pub resume: Option<Option<PathBuf>>,
    /// With --resume: the checkpoint to go on from: latest, best, or a step
    #[arg(long, value_name = "WHICH", requires = "resume")]
    pub checkpoint: Option<CheckpointChoice>,
    /// Builds everything, runs a step (twice, to time it warm), reports sizes and times, and writes nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct BenchArguments {
    #[command(flatten)]
    pub experiment: ExperimentArguments,
    /// The folder above mnist/, or the data set's own [default: GANVAS_DATA, then the user's cache]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Steps before the timed ones
    #[arg(long, default_value_t = 3, value_parser = whole::<u32>(0, MOST_STEPS), allow_negative_numbers = true)]
    pub warm_up: u32,
    /// Timed steps at least
    #[arg(long, default_value_t = 10, value_parser = whole::<u32>(1, MOST_STEPS), allow_negative_numbers = true)]
    pub steps: u32,
    /// Seconds that the timed steps take at least
    #[arg(long, default_value_t = 5.0, value_parser = seconds, allow_negative_numbers = true)]
    pub seconds: f64,
    /// Prints one JSON object instead of words
    #[arg(long)]
    pub json: bool,
}
