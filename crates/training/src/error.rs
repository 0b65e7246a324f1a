//! What can go wrong in a run.

use std::path::{Path, PathBuf};

use ganvas_data::DataError;
use ganvas_model::ModelError;
use thiserror::Error;

use crate::ConfigError;

/// An error of this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// A mistake in the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Images could not be read, or an image file not be written.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A network could not be built or filled.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An evaluator could not judge the images.
    #[error("cannot evaluate: {0}")]
    Evaluator(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A new run would write into a folder that holds something.
    #[error(
        "{} exists and is not empty, and a new run needs a folder of its own",
        path.display()
    )]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// A folder is not a run, or has nothing to resume from.
    #[error("{}: {reason}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What is missing, and what to do.
        reason: String,
    },
    /// A run has no checkpoint of the kind that was asked for.
    #[error("{}: {reason}", run.display())]
    NoSuchCheckpoint {
        /// The run directory.
        run: PathBuf,
        /// What was asked for and what there is.
        reason: String,
    },
    /// A checkpoint is incomplete or changed since it was written.
    #[error("checkpoint {} is damaged: {reason}", path.display())]
    DamagedCheckpoint {
        /// The checkpoint's folder or file.
        path: PathBuf,
        /// What was expected and what was found.
        reason: String,
    },
    /// A checkpoint of another version of ganvas. It may be whole, so nothing is done to it.
    #[error(
        "checkpoint {}: expected format version {expected}, found {found}; go on with the ganvas that wrote it{}",
        path.display(),
        program.as_ref().map(|program| format!(", version {program}")).unwrap_or_default()
    )]
    OtherFormat {
        /// The checkpoint's folder.
        path: PathBuf,
        /// The format that this program writes.
        expected: u32,
        /// The checkpoint's.
        found: u32,
        /// The version of the program that wrote it, as it says.
        program: Option<String>,
    },
    /// A whole checkpoint whose configuration this program does not know: networks or keys of another program.
    #[error(
        "checkpoint {} is whole, but not of this program's kind: {source}; read it with the program that wrote it",
        path.display()
    )]
    ForeignCheckpoint {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What is not known.
        source: Box<ConfigError>,
    },
    /// A run has checkpoints, and none of them is whole.
    #[error("{}: no checkpoint is whole; the newest: {newest}", path.display())]
    NoWholeCheckpoint {
        /// The folder of the checkpoints.
        path: PathBuf,
        /// What is wrong with the newest.
        newest: String,
    },
    /// Another process trains in the run directory.
    #[error(
        "{}: another process ({holder}) trains in this run directory; wait for it, or stop it",
        path.display()
    )]
    RunLocked {
        /// The run directory.
        path: PathBuf,
        /// The other process, as far as it is known.
        holder: String,
    },
    /// A part of a run directory is a link, which would lead writing elsewhere.
    #[error("{}: expected a folder of the run's own, found a link; put the folder in its place", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A run is resumed with a configuration that it was not begun with.
    #[error(
        "`{key}` was {before} when {} was begun and is {now} now; resume with the value it began with, or begin \
         another run",
        run.display()
    )]
    ResumeMismatch {
        /// The key.
        key: String,
        /// The value in the run directory.
        before: String,
        /// The value given now.
        now: String,
        /// The run directory.
        run: PathBuf,
    },
    /// A run is resumed with other images than it was begun with.
    #[error(
        "the images are others than those that {} was begun with: {before} then, {now} now; resume with the images that it \
         began with, or begin another run",
        run.display()
    )]
    OtherImages {
        /// The images of the checkpoint.
        before: String,
        /// The images given now.
        now: String,
        /// The run directory.
        run: PathBuf,
    },
    /// A number of the training is not finite.
    #[error("{what} is {value} at step {step}; {advice}")]
    Diverged {
        /// The quantity.
        what: String,
        /// Its value: NaN or infinite.
        value: f32,
        /// The step, counted from 1.
        step: u64,
        /// Where the last good checkpoint is and what to try.
        advice: String,
    },
}

impl TrainingError {
    /// For `map_err` on file operations.
    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// True for mistakes in what the person typed, as opposed to failures on the way.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Config(_)
                | Self::RunExists { .. }
                | Self::NotARun { .. }
                | Self::NoSuchCheckpoint { .. }
                | Self::ResumeMismatch { .. }
                | Self::OtherImages { .. }
                | Self::Model(
                    ModelError::Config { .. }
                        | ModelError::NoInputGradient { .. }
                        | ModelError::NoClassLogits
                        | ModelError::UnusedClassLogits
                )
        )
    }
}
