//! Metrics that wait on the device until somebody reads them.

use burn::tensor::backend::AutodiffBackend;
use ganvas_model::{TrainableNetworks, shortest_decimal, trainable_shapes};

use crate::{StepMetrics, TrainingError, TrainingState, step::GRADIENT_NORMS};

/// How many steps may wait unread. It bounds how late a NaN is noticed; reading costs a synchronization of the device.
const MOST_WAITING: usize = 50;

/// The metrics of the latest steps, not yet read.
///
/// Reading a number makes the host wait for the device, so the metrics of all steps are kept there and read together.
/// None is skipped: the first number or gradient that is not finite stops the run with its own step number.
pub(crate) struct PendingMetrics<B: AutodiffBackend> {
    waiting: Vec<(u64, StepMetrics<B>)>,
    /// Of the discriminator's parameters and of the generator's.
    parameters: [Vec<String>; 2],
}

impl<B: AutodiffBackend> PendingMetrics<B> {
    /// For a training of these networks.
    pub(crate) fn new<N: TrainableNetworks<B>>(state: &TrainingState<B, N>) -> Self {
        let names = |shapes: Vec<(String, _)>| shapes.into_iter().map(|(name, _)| name).collect();
        Self {
            waiting: Vec::new(),
            parameters: [
                names(trainable_shapes::<B, _>(&state.discriminator)),
                names(trainable_shapes::<B, _>(&state.generator)),
            ],
        }
    }

    /// Takes the metrics of a step, counted from 1.
    pub(crate) fn push(&mut self, step: u64, metrics: StepMetrics<B>) {
        self.waiting.push((step, metrics));
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    /// Reads everything that waits and returns the newest step's numbers, gradient norms included where they were measured.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] for the first step with a number or a gradient that is not finite.
    pub(crate) fn read(&mut self) -> Result<Vec<(String, f64)>, TrainingError> {
        let mut newest = Vec::new();
        for (step, metrics) in self.waiting.drain(..) {
            let diverged = |what: String, value: f32| TrainingError::Diverged {
                what,
                value,
                step,
                advice: String::new(),
            };
            let has_gradients = metrics.gradient_squares.is_some();
            let squares = metrics.gradient_squares.into_iter().flatten().collect();
            let (mut numbers, squares) = metrics.report.read_with(squares);
            if let Some((name, value)) = numbers.iter().find(|(_, value)| !value.is_finite()) {
                return Err(diverged(format!("`{name}`"), *value as f32));
            }
            let mut squares = squares.into_iter();
            let networks = ["discriminator", "generator"]
                .iter()
                .zip(&self.parameters)
                .zip(GRADIENT_NORMS);
            for ((network, names), norm) in networks.filter(|_| has_gradients) {
                let squares: Vec<f32> = squares.by_ref().take(names.len()).collect();
                // The backward pass goes from the last layer to the first, so the trouble began at the last of them.
                let broken = names.iter().zip(&squares).rfind(|(_, square)| !square.is_finite());
                if let Some((name, &square)) = broken {
                    let what = format!("norm of the gradient of the {network}'s `{name}`");
                    return Err(diverged(what, square));
                }
                numbers.push((norm.to_owned(), shortest_decimal(squares.iter().sum::<f32>().sqrt())));
            }
            newest = numbers;
        }
        Ok(newest)
    }
}
