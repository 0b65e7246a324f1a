//! Why images could not be judged.

use std::{io, path::PathBuf};

use ganvas_data::DataError;
use ganvas_metrics::MetricsError;
use ganvas_model::{ImageShape, ModelError};

/// What is wrong with an evaluator, or with the images for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluatorError {
    /// A classifier needs classes.
    #[error("cannot train a classifier on {name}: expected labels of at least two classes, found {classes}")]
    NoLabels {
        /// The images.
        name: String,
        /// The classes that they have.
        classes: usize,
    },
    /// Images of another shape than the evaluator's.
    #[error("{name}: expected images of {expected} (channels × height × width) for this evaluator, found {found}")]
    Shape {
        /// The images.
        name: String,
        /// The evaluator's.
        expected: ImageShape,
        /// Theirs.
        found: ImageShape,
    },
    /// Stacked digits need an evaluator of digits.
    #[error(
        "expected an evaluator that reads ten digits in grey images for stacked digits, found one of {classes} classes in images \
         of {channels} channels"
    )]
    NotOfDigits {
        /// Channels of its images.
        channels: usize,
        /// Its classes.
        classes: usize,
    },
    /// A file is no evaluator, or damaged.
    #[error("{}: expected an evaluator that ganvas wrote, found {found}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// The system refused to read or write a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No evaluator has this name.
    #[error("there is no evaluator `{name}`, expected one of {}, or a file", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Training gave a classifier of numbers that are not finite.
    #[error("training ended in numbers that are not finite; try another seed")]
    NotFinite,
    /// Images that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Features that no number can be computed of.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Weights that do not fit the network.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl EvaluatorError {
    /// Whether something else has to be asked for: images or an evaluator of another kind.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoLabels { .. } | Self::Shape { .. } | Self::NotOfDigits { .. } | Self::Unknown { .. }
        )
    }
}
