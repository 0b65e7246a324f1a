//! The arguments of `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ganvas_data::{DatasetName, Split};

use super::values::{MOST_IMAGES, data_set, whole};

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
        /// mnist, fashion-mnist, kmnist, stacked-mnist or synthetic
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
