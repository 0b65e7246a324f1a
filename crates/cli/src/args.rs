//! What can be typed.

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use ganvas_data::{DatasetName, Split};

use crate::color::ColorChoice;

/// The most images that one command makes or shows: they are held in memory.
const MOST_IMAGES: i64 = 1_000_000;

/// Train, sample and inspect small-image GANs from TOML files.
#[derive(Debug, Parser)]
#[command(name = "ganvas", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Begin with:  ganvas train configs/quickstart.toml\n\n\
    Exit codes: 0 success, 1 failure, 2 mistake in arguments or configuration, 130 after Ctrl-C.\n\
    RUST_LOG sets the log level by module, for example RUST_LOG=ganvas_training=debug, where neither -v nor -q is given.")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Reports more, such as whether fused kernels are in use; -vv reports everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Reports warnings and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Colours words; auto does it on terminals, unless NO_COLOR or CLICOLOR_FORCE is set
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    pub color: ColorChoice,
}

/// The command as it is parsed, with what `--version` shows; `-V` shows the number alone.
pub fn command(long_version: &str) -> clap::Command {
    Arguments::command().long_version(long_version.to_owned())
}

/// Reads the process's own arguments.
///
/// # Errors
/// What clap says to them; help and version come that way, too.
pub fn parse(command: clap::Command) -> Result<Arguments, clap::Error> {
    let mut checked = command.clone();
    let matches = command.try_get_matches()?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut checked))
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trains a GAN into a run directory
    #[command(after_help = "Examples:\n\
        \x20 ganvas train configs/quickstart.toml\n\
        \x20 ganvas train configs/mnist.toml --set training.epochs=10 --dry-run")]
    Train(TrainArguments),
    /// Times the steps of an experiment and predicts its training time; writes nothing
    #[command(after_help = "Examples:\n\
        \x20 ganvas bench configs/mnist.toml\n\
        \x20 ganvas bench configs/mnist.toml --set data.batch_size=256 --json")]
    Bench(BenchArguments),
    /// Makes images with a trained generator
    #[command(after_help = "Examples:\n\
        \x20 ganvas generate runs/2026-01-31-120000-mnist --count 100 --out digits.png\n\
        \x20 ganvas generate runs/2026-01-31-120000-mnist/checkpoints/step-009375 --seed 7 --out digits.npy")]
    Generate(GenerateArguments),
    /// Lists, fetches, verifies and shows data sets
    #[command(
        subcommand,
        after_help = "Example:\n\
        \x20 ganvas data fetch mnist"
    )]
    Data(DataCommand),
    /// Shows or checks an experiment file
    #[command(
        subcommand,
        after_help = "Example:\n\
        \x20 ganvas config show configs/mnist.toml"
    )]
    Config(ConfigCommand),
    /// Shows which backends this program can use
    #[command(after_help = "Examples:\n\
        \x20 ganvas backends\n\
        \x20 ganvas backends --json")]
    Backends(BackendsArguments),
    /// Prints what completes this command's arguments in a shell
    #[command(after_help = "Examples:\n\
        \x20 ganvas completions bash > ~/.local/share/bash-completion/completions/ganvas\n\
        \x20 ganvas completions zsh > ~/.zfunc/_ganvas\n\
        \x20 ganvas completions fish > ~/.config/fish/completions/ganvas.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Writes the manual pages, one for each verb
    #[command(after_help = "Example:\n\
        \x20 ganvas man ~/.local/share/man/man1")]
    Man {
        /// The folder that they are written to
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct BackendsArguments {
    /// Prints one JSON object instead of words
    #[arg(long)]
    pub json: bool,
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
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub warm_up: u32,
    /// Timed steps at least
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub steps: u32,
    /// Seconds that the timed steps take at least
    #[arg(long, default_value_t = 5.0, value_parser = seconds)]
    pub seconds: f64,
    /// Prints one JSON object instead of words
    #[arg(long)]
    pub json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds, 0 to 86400".into()),
    }
}

#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// A run directory (its newest checkpoint), or a checkpoint in it
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    pub source: PathBuf,
    /// How many images
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=MOST_IMAGES))]
    pub count: u32,
    /// Decides the images [default: the run's seed]
    #[arg(long)]
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
    /// Lists the data sets and where they were found
    #[command(after_help = "Examples:\n\
        \x20 ganvas data list\n\
        \x20 ganvas data list --data-dir ~/data")]
    List(DataFolder),
    /// Downloads a data set and verifies it
    #[command(after_help = "Examples:\n\
        \x20 ganvas data fetch mnist\n\
        \x20 ganvas data fetch fashion-mnist --data-dir ~/data")]
    Fetch {
        /// mnist, fashion-mnist or kmnist
        name: DatasetName,
        #[command(flatten)]
        folder: DataFolder,
        /// Downloads from this address instead of the known ones; can be given again
        #[arg(long, value_name = "URL")]
        mirror: Vec<String>,
    },
    /// Compares the files of a data set with their checksums
    #[command(after_help = "Example:\n\
        \x20 ganvas data verify mnist")]
    Verify {
        /// mnist, fashion-mnist or kmnist
        name: DatasetName,
        #[command(flatten)]
        folder: DataFolder,
    },
    /// Writes a grid of a data set's first images
    #[command(after_help = "Examples:\n\
        \x20 ganvas data preview mnist\n\
        \x20 ganvas data preview synthetic --count 25 --seed 3 --out digits.png")]
    Preview {
        /// mnist, fashion-mnist, kmnist or synthetic
        name: DatasetName,
        #[command(flatten)]
        folder: DataFolder,
        /// How many images
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=MOST_IMAGES))]
        count: u32,
        /// Which part of the set
        #[arg(long, value_enum, default_value_t = SplitArgument::Train)]
        split: SplitArgument,
        /// Decides synthetic images
        #[arg(long, default_value_t = 0)]
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
    #[command(after_help = "Examples:\n\
        \x20 ganvas config show configs/mnist.toml\n\
        \x20 ganvas config show configs/mnist.toml --set model.base_channels=64 > mine.toml")]
    Show(ExperimentArguments),
    /// Checks an experiment file
    #[command(after_help = "Example:\n\
        \x20 ganvas config check configs/mnist.toml --backend configs/backends/wgpu.toml")]
    Check(ExperimentArguments),
}
