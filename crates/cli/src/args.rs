//! What can be typed.

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use ganvas_data::{DataError, DatasetName, Split};
use ganvas_training::{CheckpointChoice, nearest};

use crate::color::ColorChoice;

/// The most images that one command makes or shows: they are held in memory.
const MOST_IMAGES: u64 = 1_000_000;

/// The largest whole number that TOML has.
const MOST_IN_TOML: u64 = i64::MAX as u64;

/// The most steps that one benchmark takes.
const MOST_STEPS: u64 = 1_000_000;

/// The most images that are generated at once; IDX counts no further.
const MOST_GENERATED: u64 = 4_294_967_295;

/// Train, sample and inspect small-image GANs from TOML files.
#[derive(Debug, Parser)]
#[command(name = "ganvas", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Begin with:  ganvas train quickstart\n\n\
    Exit codes: 0 success, 1 failure, 2 mistake in arguments or configuration, 130 after Ctrl-C.\n\
    RUST_LOG sets the log level by module, for example RUST_LOG=ganvas=debug, where neither -v nor -q is given.")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Reports more, such as whether fused kernels are in use; -vv reports everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Reports warnings and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Colours words; auto does it on terminals, never where NO_COLOR is set, and always where CLICOLOR_FORCE is
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
        \x20 ganvas train quickstart\n\
        \x20 ganvas train mnist --epochs 10 --dry-run\n\
        \x20 ganvas train --resume runs/2026-01-31-120000-mnist")]
    Train(TrainArguments),
    /// Times the steps of an experiment and predicts its training time; writes nothing
    #[command(after_help = "Examples:\n\
        \x20 ganvas bench mnist\n\
        \x20 ganvas bench mnist --batch-size 256 --json")]
    Bench(BenchArguments),
    /// Makes images with a trained generator
    #[command(after_help = "Examples:\n\
        \x20 ganvas generate runs/2026-01-31-120000-mnist --count 100 --out digits.png\n\
        \x20 ganvas generate runs/2026-01-31-120000-mnist/checkpoints/step-009375 --seed 7 --out digits.npy")]
    Generate(GenerateArguments),
    /// Shows what a run is, how far it is, its checkpoints, and how to go on
    #[command(after_help = "Examples:\n\
        \x20 ganvas info runs/2026-01-31-120000-mnist\n\
        \x20 ganvas info runs/2026-01-31-120000-mnist/checkpoints/step-009375 --json")]
    Info(InfoArguments),
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
        \x20 ganvas config show mnist"
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
    /// A run directory, or a checkpoint in it
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    pub source: PathBuf,
    /// Which checkpoint of the run: latest, best, or a step [default: latest]
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<CheckpointChoice>,
    /// How many images; a PNG grid holds 10,000 at most
    #[arg(long, default_value_t = 64, value_parser = whole::<u64>(1, MOST_GENERATED), allow_negative_numbers = true)]
    pub count: u64,
    /// Decides the images [default: the run's seed]
    #[arg(long, value_parser = whole::<u64>(0, u64::MAX), allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// .png (a grid), .npy (f32 [count, channels, height, width] in -1..1), .idx or .idx.gz (bytes), FOLDER/ (a PNG an image),
    /// or - (standard output) [default: a PNG named by run, step and seed]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The format of --out where its name does not say it [default there: png]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Also writes the noise that the images were made of: .npy, f32 [count, latent size]
    #[arg(long, value_name = "FILE.npy")]
    pub noise: Option<PathBuf>,
    /// Replaces files that exist
    #[arg(long)]
    pub force: bool,
    /// Uses another backend than the run's: a name, such as flex, or a file
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<PathBuf>,
    /// Prints one JSON object instead of words
    #[arg(long)]
    pub json: bool,
}

/// How generated images are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One picture with all images
    Png,
    /// NumPy's format, 32-bit floats
    Npy,
    /// MNIST's format, bytes
    Idx,
    /// A PNG for each image
    Folder,
}

#[derive(Debug, Args)]
pub struct InfoArguments {
    /// A run directory, or a checkpoint in it
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    pub source: PathBuf,
    /// Prints one JSON object instead of words
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Lists the data sets, where they were found and what is missing
    #[command(after_help = "Examples:\n\
        \x20 ganvas data list\n\
        \x20 ganvas data list --data-dir ~/data --json")]
    List {
        #[command(flatten)]
        folder: DataFolder,
        /// Prints one JSON object instead of words
        #[arg(long)]
        json: bool,
    },
    /// Downloads a data set and verifies it
    #[command(after_help = "Examples:\n\
        \x20 ganvas data fetch mnist\n\
        \x20 ganvas data fetch fashion-mnist --data-dir ~/data")]
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
    #[command(after_help = "Example:\n\
        \x20 ganvas data verify mnist")]
    Verify {
        /// mnist, fashion-mnist or kmnist
        #[arg(value_parser = data_set)]
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
        /// Replaces a file that exists
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
pub struct DataFolder {
    /// The folder above mnist/, or the data set's own [default: GANVAS_DATA, then the user's cache]
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
    /// Lists the experiments that ship with ganvas
    #[command(after_help = "Example:\n\
        \x20 ganvas config list")]
    List,
    /// Prints the whole resolved configuration of an experiment
    #[command(after_help = "Examples:\n\
        \x20 ganvas config show mnist\n\
        \x20 ganvas config show mnist --set model.base_channels=64 > mine.toml")]
    Show(ExperimentArguments),
    /// Checks an experiment as far as it can be without training
    #[command(after_help = "Example:\n\
        \x20 ganvas config check mine.toml --backend wgpu")]
    Check {
        #[command(flatten)]
        experiment: ExperimentArguments,
        /// The folder above mnist/, or the data set's own [default: GANVAS_DATA, then the user's cache]
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Prints one JSON object instead of words
        #[arg(long)]
        json: bool,
    },
    /// Writes an experiment that ships with ganvas into a file of one's own, to be changed
    #[command(after_help = "Example:\n\
        \x20 ganvas config init mnist mine.toml")]
    Init {
        /// A name of `ganvas config list`
        name: PathBuf,
        /// The new file, or - for standard output
        #[arg(value_name = "FILE.toml")]
        file: PathBuf,
        /// Replaces a file that exists
        #[arg(long)]
        force: bool,
    },
    /// Explains the keys of experiment files
    #[command(after_help = "Examples:\n\
        \x20 ganvas config explain training.max_steps\n\
        \x20 ganvas config explain optimizer")]
    Explain(ExplainArguments),
    /// Prints the JSON schema of experiment files, for editors
    #[command(after_help = "Example:\n\
        \x20 ganvas config schema > schema.json")]
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
