//! Who judges the images on the way.

use std::fmt::Debug;

use burn::tensor::backend::Backend;

use crate::TrainingError;

/// Judges a generator, every `[evaluation] every` steps; its numbers go into the log by their names.
///
/// `G` is the generator that samples are drawn from, the averaged one where there is one, on the backend without gradients. So
/// that a resumed run is the same as an uninterrupted one, the numbers must depend on the generator and the step alone.
pub trait Evaluator<B: Backend, G>: Debug {
    /// The names of its numbers.
    fn reports(&self) -> Vec<String>;

    /// Looks at the generator after `step` steps.
    ///
    /// # Errors
    /// Whatever keeps it from an answer; it ends the run.
    fn evaluate(&mut self, generator: &G, step: u64, device: &B::Device) -> Result<Vec<(String, f64)>, TrainingError>;
}
