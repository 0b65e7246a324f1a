//! The arguments of verbs that take a run: `generate` and `info`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ganvas_training::{CheckpointChoice, Weights};

use super::values::{MOST_GENERATED, SeedList, grid, seed_list, truncation, whole};

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
    /// An image for each of these seeds, such as 0-35,40: the first that `--seed` makes of it
    #[arg(long, value_name = "LIST", value_parser = seed_list, conflicts_with_all = ["seed", "count", "noise"])]
    pub seeds: Option<SeedList>,
    /// Makes the images of this noise: .npy, floats [count, latent size], as --save-noise writes it
    #[arg(long, value_name = "FILE.npy", conflicts_with = "count")]
    pub noise: Option<PathBuf>,
    /// Multiplies the noise: below 1 images become more usual and less varied, usually 0.5 to 1
    #[arg(long, value_name = "PSI", value_parser = truncation, default_value_t = 1.0, allow_negative_numbers = true)]
    pub truncation: f32,
    /// The generator averaged over the steps, or the one that was trained last
    #[arg(long, value_enum, default_value_t)]
    pub weights: WeightsArgument,
    /// Columns and rows of a .png, such as 8x4 [default: about a square]
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = grid)]
    pub grid: Option<(usize, usize)>,
    /// Writes under each image of a .png its seed, with --seeds, or its class, of conditional networks, or its number; names are cut
    /// at 20 characters
    #[arg(long)]
    pub captions: bool,
    /// .png (a grid), .npy (f32 [count, channels, height, width], -1 black, 1 white), .npz (bytes, arr_0 [count, height, width, channels]),
    /// .idx or .idx.gz (bytes), FOLDER/ (a PNG an image), or - (standard output) [default: a PNG named by run, step and seed]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The format of --out where its name does not say it [default there: png]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Also writes the noise that the images were made of: .npy, f32 [count, latent size]
    #[arg(long, value_name = "FILE.npy")]
    pub save_noise: Option<PathBuf>,
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

/// Which of a run's generators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum WeightsArgument {
    /// Averaged over the steps, where the run has [ema]
    #[default]
    Ema,
    /// As they were trained last
    Raw,
}

impl From<WeightsArgument> for Weights {
    fn from(weights: WeightsArgument) -> Self {
        match weights {
            WeightsArgument::Ema => Self::Averaged,
            WeightsArgument::Raw => Self::Trained,
        }
    }
}

/// How generated images are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One picture with all images
    Png,
    /// NumPy's format, 32-bit floats
    Npy,
    /// An archive of NumPy, bytes with channels last
    Npz,
    /// MNIST's format, bytes
    Idx,
    /// A PNG for each image
    Folder,
}

#[derive(Debug, Args)]
pub struct InterpolateArguments {
    /// A run directory, or a checkpoint in it
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    pub source: PathBuf,
    /// Which checkpoint of the run: latest, best, or a step [default: latest]
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<CheckpointChoice>,
    /// The images to go between, such as 3,7,12: the first of each seed, as `generate --seeds` makes them
    #[arg(long, value_name = "LIST", value_parser = seed_list)]
    pub seeds: SeedList,
    /// Images from one to before the next
    #[arg(long, default_value_t = 30, value_parser = whole::<usize>(1, 10_000), allow_negative_numbers = true)]
    pub steps: usize,
    /// Goes along a sphere and not straight, so that the noise keeps its length
    #[arg(long)]
    pub slerp: bool,
    /// The class of all images, by its name or number; for conditional networks [default: the first image's]
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// The generator averaged over the steps, or the one that was trained last
    #[arg(long, value_enum, default_value_t)]
    pub weights: WeightsArgument,
    /// .gif or .apng (moving, from the last on to the first), .png (a grid, a row from one to the next), .npy, .npz, .idx or FOLDER/
    #[arg(long, value_name = "FILE", default_value = "morph.gif")]
    pub out: PathBuf,
    /// How long an image is shown
    #[arg(long, default_value_t = 60, value_parser = whole::<u16>(20, 60_000), allow_negative_numbers = true)]
    pub milliseconds: u16,
    /// Replaces a file that exists
    #[arg(long)]
    pub force: bool,
    /// Uses another backend than the run's: a name, such as flex, or a file
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TimelineArguments {
    /// A run directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// .gif or .apng
    #[arg(long, value_name = "FILE", default_value = "training.gif")]
    pub out: PathBuf,
    /// How long a picture is shown
    #[arg(long, default_value_t = 250, value_parser = whole::<u16>(20, 60_000), allow_negative_numbers = true)]
    pub milliseconds: u16,
    /// Replaces a file that exists
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// A run directory, or a checkpoint in it
    #[arg(value_name = "RUN_OR_CHECKPOINT")]
    pub source: PathBuf,
    /// Which checkpoint of the run: latest, best, or a step [default: latest]
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<CheckpointChoice>,
    /// The generator averaged over the steps, or the one that was trained last
    #[arg(long, value_enum, default_value_t)]
    pub weights: WeightsArgument,
    /// The folder: generator.onnx, generator.py, generator.safetensors and a README.md that says how to use each
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replaces files that exist
    #[arg(long)]
    pub force: bool,
    /// Uses another backend than the run's: a name, such as flex, or a file
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<PathBuf>,
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
