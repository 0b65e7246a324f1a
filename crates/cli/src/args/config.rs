//! The arguments of `config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::training::ExperimentArguments;

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
