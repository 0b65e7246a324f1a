//! What can be typed.

mod config;
mod data;
mod evaluation;
mod runs;
mod training;
mod values;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use self::{
    config::{ConfigCommand, ExplainArguments},
    data::{DataCommand, OwnArguments, SplitArgument},
    evaluation::{EvaluateArguments, EvaluatorCommand, TrainEvaluatorArguments},
    runs::{ExportArguments, Format, GenerateArguments, InfoArguments, InterpolateArguments, TimelineArguments},
    training::{BenchArguments, ExperimentArguments, Overlay, TrainArguments},
};
use crate::color::ColorChoice;
pub use values::{MOST_GENERATED, SetOrPath, data_set};

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
        \x20 ganvas generate runs/2026-01-31-120000-mnist --seeds 0-35,40 --out images/\n\
        \x20 ganvas generate runs/2026-01-31-120000-mnist/checkpoints/step-002814 --seed 7 --out digits.npy")]
    Generate(GenerateArguments),
    /// Makes images on the way from one to the next, as a moving picture
    #[command(after_help = "Examples:\n\
        \x20 ganvas interpolate runs/2026-01-31-120000-mnist --seeds 3,7,12\n\
        \x20 ganvas interpolate runs/2026-01-31-120000-mnist --seeds 0-4 --slerp --steps 10 --out rows.png")]
    Interpolate(InterpolateArguments),
    /// Shows how a run's samples changed while it trained, as a moving picture
    #[command(after_help = "Example:\n\
        \x20 ganvas timeline runs/2026-01-31-120000-mnist --out training.gif")]
    Timeline(TimelineArguments),
    /// Writes a generator down for other programs: ONNX, a PyTorch module, safetensors
    #[command(after_help = "Example:\n\
        \x20 ganvas export runs/2026-01-31-120000-mnist --out generator/")]
    Export(ExportArguments),
    /// Shows what a run is, how far it is, its checkpoints, and how to go on
    #[command(after_help = "Examples:\n\
        \x20 ganvas info runs/2026-01-31-120000-mnist\n\
        \x20 ganvas info runs/2026-01-31-120000-mnist/checkpoints/step-002814 --json")]
    Info(InfoArguments),
    /// Judges the images of runs, or of any tool, against real ones
    #[command(after_help = "Examples:\n\
        \x20 ganvas evaluate runs/2026-01-31-120000-mnist\n\
        \x20 ganvas evaluate runs/*-mnist --json\n\
        \x20 ganvas evaluate samples.npz --real mnist")]
    Evaluate(EvaluateArguments),
    /// Lists and trains the classifiers that `evaluate` judges by
    #[command(
        subcommand,
        after_help = "Example:\n\
        \x20 ganvas evaluator train kmnist"
    )]
    Evaluator(EvaluatorCommand),
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
