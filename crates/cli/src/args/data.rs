//! The arguments of `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ganvas_data::{Background, DatasetName, Fit, OwnOptions, Split, image_cache};

use super::values::{MOST_IMAGES, SetOrPath, background, data_set, set_or_path, whole};

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
    /// Decodes images of one's own, and lists every file that cannot be used and why
    #[command(after_help = "Examples:\n\
        \x20 ganvas data check photos\n\
        \x20 ganvas data check photos.zip --image-size 64 --labels folders --json")]
    Check {
        /// A folder or .zip of pictures, .npy, .npz, IDX or CIFAR-10's .bin
        path: PathBuf,
        #[command(flatten)]
        own: OwnArguments,
        /// Prints one JSON object instead of words
        #[arg(long)]
        json: bool,
    },
    /// Writes a grid of images as the networks see them: a data set's first, or of one's own evenly many of all
    #[command(after_help = "Examples:\n\
        \x20 ganvas data preview mnist\n\
        \x20 ganvas data preview photos --image-size 64 --fit pad --background white\n\
        \x20 ganvas data preview synthetic --count 25 --seed 3 --out digits.png")]
    Preview {
        /// mnist, fashion-mnist, kmnist, stacked-mnist or synthetic, or where images of one's own are
        #[arg(value_name = "NAME_OR_PATH", value_parser = set_or_path)]
        images: SetOrPath,
        #[command(flatten)]
        folder: DataFolder,
        #[command(flatten)]
        own: OwnArguments,
        /// How many images
        #[arg(long, default_value_t = 100, value_parser = whole::<u32>(1, MOST_IMAGES), allow_negative_numbers = true)]
        count: u32,
        /// Which part of the set [default: train]
        #[arg(long, value_enum)]
        split: Option<SplitArgument>,
        /// Decides synthetic images [default: 0]
        #[arg(long, value_parser = whole::<u64>(0, u64::MAX), allow_negative_numbers = true)]
        seed: Option<u64>,
        /// The picture [default: the name of the images and .png]
        #[arg(long, value_name = "FILE.png")]
        out: Option<PathBuf>,
        /// Replaces a file that exists
        #[arg(long)]
        force: bool,
    },
}

/// What the keys of `[data]` say in an experiment.
#[derive(Debug, Args)]
#[command(next_help_heading = "Images of one's own, as by the keys of [data]")]
pub struct OwnArguments {
    /// The side in pixels that all are brought to [default: as they are]
    #[arg(long, value_name = "PIXELS", value_parser = whole::<usize>(1, 1024), allow_negative_numbers = true)]
    image_size: Option<usize>,
    /// 1 for grey, 3 for colours [default: 1 if the first are all grey]
    #[arg(long, value_name = "N", value_parser = channels)]
    channels: Option<usize>,
    /// How they become squares [default: crop]
    #[arg(long, value_enum)]
    fit: Option<FitArgument>,
    /// black, white or #8090a0, behind transparent pixels and at padded sides [default: black]
    #[arg(long, value_name = "COLOUR", value_parser = background)]
    background: Option<Background>,
    /// none, folders, or a table in the folder; .npz, IDX and CIFAR-10 have their own [default: none]
    #[arg(long, value_name = "WHERE")]
    labels: Option<String>,
    /// Exchanges rows and columns
    #[arg(long)]
    transpose: bool,
}

fn channels(text: &str) -> Result<usize, String> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err(format!("expected 1 or 3, found {text}")),
    }
}

impl OwnArguments {
    /// What is asked for, of these images; what cannot be used is left out.
    pub fn options(&self, path: PathBuf, most_bytes: Option<u64>) -> OwnOptions {
        OwnOptions {
            path,
            image_size: self.image_size,
            channels: self.channels,
            fit: self.fit.map(Fit::from).unwrap_or_default(),
            background: self.background.unwrap_or_default(),
            labels: self.labels.clone().map(Into::into).unwrap_or_default(),
            transpose: self.transpose,
            skip_bad: true,
            count: None,
            most_bytes,
            cache: image_cache(),
        }
    }

    /// The first flag that is there, for images that it says nothing about.
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--image-size", self.image_size.is_some()),
            ("--channels", self.channels.is_some()),
            ("--fit", self.fit.is_some()),
            ("--background", self.background.is_some()),
            ("--labels", self.labels.is_some()),
            ("--transpose", self.transpose),
        ];
        flags.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FitArgument {
    Crop,
    Pad,
    Stretch,
}

impl From<FitArgument> for Fit {
    fn from(fit: FitArgument) -> Self {
        match fit {
            FitArgument::Crop => Self::Crop,
            FitArgument::Pad => Self::Pad,
            FitArgument::Stretch => Self::Stretch,
        }
    }
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
