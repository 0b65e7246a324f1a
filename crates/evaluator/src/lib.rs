//! How good are generated images? Classifiers that look at them, and the numbers that come of it.
//!
//! An evaluator is a small convolutional [`Classifier`], trained on the data set whose images are judged
//! ([`train_classifier`]) and kept in an [`EvaluatorFile`] with what it was made of and a hash over its weights. On a device it
//! is a [`Judge`], which gives the features and classes of images ([`Observed`]); a [`Reference`] of real images compares
//! generated ones with them, and gives each [`Metric`] by its name. Scores compare only where the evaluator's hash, the number of
//! images and the real images are the same.
//!
//! Images are judged as bytes, as files hold them: a folder of PNGs and the generator that wrote it get the same numbers.

mod classifier;
mod copies;
mod error;
mod file;
mod fit;
mod floor;
mod generated;
mod metric;
mod observe;
mod reference;
mod shift;
mod store;
mod train;

pub use ganvas_metrics::{Neighbour, expected_modes};

pub use classifier::{Classifier, ClassifierConfig, FEATURES, Seen};
pub use copies::{Copies, Originals};
pub use error::EvaluatorError;
pub use file::{EvaluatorFile, EvaluatorInfo, TrainedOn};
pub use fit::{Fitted, fits};
pub use floor::{Floor, without_memorized};
pub use generated::{Generated, TrainingJudge, generated_images};
pub use metric::{Metric, UnknownMetric};
pub use observe::{Judge, Observed};
pub use reference::Reference;
pub use store::{
    FoundEvaluator, evaluator_folder, evaluator_path, find_evaluator, own_names, standard_evaluator, standard_names,
};
pub use train::{Recipe, accuracy, train_classifier};
