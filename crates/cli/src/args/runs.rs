//! The arguments of verbs that take a run: `generate` and `info`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ganvas_training::CheckpointChoice;

use super::values::{MOST_GENERATED, whole};

#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// A run directory, or a checkpoint in it
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    pub source: PathBuf,
    /// Which checkpoint of the run: latest, best, or a step [default: latest]
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<CheckpointChoice>,
    /// How many images, with --class all of each class; a PNG grid holds 10,000 at most [default: 64, with --class all 8]
    #[arg(long, value_parser = whole::<u64>(1, MOST_GENERATED), allow_negative_numbers = true)]
    pub count: Option<u64>,
    /// The class of all images, by its name or number, or `all` for a row of each; for conditional networks [default: each as often
    /// as in training]
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
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
