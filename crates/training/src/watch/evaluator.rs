//! Who judges the images on the way.

use std::{collections::BTreeMap, fmt::Debug};

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// Judges a generator, every `[evaluation] every` steps; its numbers go into the log by their names.
///
/// `G` is the generator that samples are drawn from, the averaged one where there is one, on the backend without gradients. So
/// that a resumed run is the same as an uninterrupted one, the numbers must depend on the generator and the step alone.
pub trait Evaluator<B: Backend, G>: Debug {
    /// The names of its numbers.
    fn reports(&self) -> Vec<String>;

    /// What its numbers depend on beside the generator. Where that is another than before, because a run goes on with another
    /// evaluator, earlier numbers do not count for the best checkpoint, for patience and for warnings.
    fn basis(&self) -> Basis {
        Basis::default()
    }

    /// Looks at the generator after `step` steps.
    ///
    /// # Errors
    /// Whatever keeps it from an answer; it ends the run.
    fn evaluate(&mut self, generator: &G, step: u64, device: &B::Device) -> Result<Vec<(String, f64)>, TrainingError>;
}

/// What makes the numbers of an evaluator comparable.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// Who judges, how many images, and what they are compared with: only numbers of the same compare.
    pub by: String,
    /// What real images score in the place of generated ones, by the numbers' names, where it is known.
    #[serde(default)]
    pub floor: BTreeMap<String, f64>,
}
