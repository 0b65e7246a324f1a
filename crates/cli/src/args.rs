//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ganvas_data::{DataError, DatasetName, Split};
use ganvas_training::nearest;

/// The most images that one command makes or shows: they are held in memory.
const MOST_IMAGES: u64 = 1_000_000;

/// The most steps that one benchmark takes.
const MOST_STEPS: u64 = 1_000_000;

/// Train, sample and inspect small-image GANs from TOML files.
#[derive(Debug, Parser)]
#[command(name = "ganvas", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Begin with:  ganvas train configs/quickstart.toml\n\n\
    Exit codes: 0 success, 1 failure, 2 mistake in arguments or configuration, 130 after Ctrl-C.\n\
    RUST_LOG sets the log level by module, for example RUST_LOG=ganvas_training=debug.")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Reports more, such as whether fused kernels are in use; -vv reports everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Reports warnings and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trains a GAN into a run directory
    Train(TrainArguments),
    /// Times the steps of an experiment and predicts its training time; writes nothing
    Bench(BenchArguments),
    /// Makes images with a trained generator
    Generate(GenerateArguments),
    /// Lists, fetches, verifies and shows data sets
    #[command(subcommand)]
    Data(DataCommand),
    /// Shows or checks an experiment file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Shows which backends this program can use
    Backends,
}

/// An experiment file with what is laid over it.
#[derive(Debug, Args)]
pub struct ExperimentArguments {
    /// The experiment, such as configs/quickstart.toml
    pub config: PathBuf,
    /// Sets a key, such as training.epochs=2; can be given again
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Lays a backend over the experiment, such as configs/backends/libtorch.toml
    #[arg(long, value_name = "FILE")]
    pub backend: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    pub experiment: ExperimentArguments,
    /// The folder above mnist/ [default: GANVAS_DATA, then the user's cache]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The run directory [default: runs/DATE-TIME-NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Goes on with the run in --out, or with this experiment's newest one
    #[arg(long, conflicts_with = "dry_run")]
    pub resume: bool,
    /// Builds everything, runs a step (twice, to time it warm), reports sizes and times, and writes nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct BenchArguments {
    #[command(flatten)]
    pub experiment: ExperimentArguments,
    /// The folder above mnist/ [default: GANVAS_DATA, then the user's cache]
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

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err(format!("expected a number of seconds, 0 to 86400, found {text}")),
    }
}

/// Reads a whole number within bounds. Its arguments also need `allow_negative_numbers`, or clap takes -5 for an option.
fn whole<T: TryFrom<u64>>(least: u64, most: u64) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text
            .parse::<u64>()
            .ok()
            .filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        let is_whole = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
        let what = if is_whole { "" } else { "a whole number, " };
        number.ok_or_else(|| format!("expected {what}{least} to {most}, found {text}"))
    }
}

/// Reads the name of a data set, and suggests one.
fn data_set(text: &str) -> Result<DatasetName, String> {
    text.parse().map_err(|error: DataError| {
        let near = nearest(text, DatasetName::ALL.map(DatasetName::as_str));
        let near = near.map(|near| format!("; did you mean `{near}`?"));
        format!("{error}{}", near.unwrap_or_default())
    })
}

#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// A run directory (its newest checkpoint), or a checkpoint in it
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    pub source: PathBuf,
    /// How many images
    #[arg(long, default_value_t = 64, value_parser = whole::<u32>(1, MOST_IMAGES), allow_negative_numbers = true)]
    pub count: u32,
    /// Decides the images [default: the run's seed]
    #[arg(long, value_parser = whole::<u64>(0, u64::MAX), allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// .png (a grid), .npy (f32 [count, channels, height, width] in -1..1) or .idx (bytes) [default: a PNG named by
    /// step and seed]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also writes the noise that the images were made of: .npy, f32 [count, latent size]
    #[arg(long, value_name = "FILE.npy")]
    pub noise: Option<PathBuf>,
    /// Uses another backend than the run's, such as configs/backends/libtorch.toml
    #[arg(long, value_name = "FILE")]
    pub backend: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Lists the data sets, where they were found and what is missing
    List {
        #[command(flatten)]
        folder: DataFolder,
        /// Prints one JSON object instead of words
        #[arg(long)]
        json: bool,
    },
    /// Downloads a data set and verifies it
    Fetch {
        /// mnist, fashion-mnist or kmnist
        #[arg(value_parser = data_set)]
        name: DatasetName,
        #[command(flatten)]
        folder: DataFolder,
        /// Downloads from this address instead of the known ones; can be given again
        #[arg(long, value_name = "URL")]
        mirror: Vec<String>,
    },
    /// Compares the files of a data set with their checksums
    Verify {
        /// mnist, fashion-mnist or kmnist
        #[arg(value_parser = data_set)]
        name: DatasetName,
        #[command(flatten)]
        folder: DataFolder,
    },
    /// Writes a grid of a data set's first images
    Preview {
        /// mnist, fashion-mnist, kmnist or synthetic
        #[arg(value_parser = data_set)]
        name: DatasetName,
        #[command(flatten)]
        folder: DataFolder,
        /// How many images
        #[arg(long, default_value_t = 100, value_parser = whole::<u32>(1, MOST_IMAGES), allow_negative_numbers = true)]
        count: u32,
        /// Which part of the set
        #[arg(long, value_enum, default_value_t = SplitArgument::Train)]
        split: SplitArgument,
        /// Decides synthetic images
        #[arg(long, default_value_t = 0, value_parser = whole::<u64>(0, u64::MAX), allow_negative_numbers = true)]
        seed: u64,
        /// The picture [default: NAME.png]
        #[arg(long, value_name = "FILE.png")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct DataFolder {
    /// The folder above mnist/ [default: GANVAS_DATA, then the user's cache]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SplitArgument {
    Train,
    Test,
}

impl From<SplitArgument> for Split {
    fn from(split: SplitArgument) -> Self {
        match split {
            SplitArgument::Train => Self::Train,
            SplitArgument::Test => Self::Test,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Prints the whole resolved configuration
    Show(ExperimentArguments),
    /// Checks an experiment file
    Check(ExperimentArguments),
    /// Explains the keys of experiment files
    Explain(ExplainArguments),
    /// Prints the JSON schema of experiment files, for editors
    Schema {
        /// That of the files which --backend takes
        #[arg(long)]
        backend_file: bool,
    },
}

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A key or a section, such as training.epochs or training [default: all]
    pub key: Option<String>,
    /// Prints JSON instead of words
    #[arg(long)]
    pub json: bool,
    /// Prints docs/configuration.md
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}
