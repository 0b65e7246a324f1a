//! One adversarial step.

use burn::module::Module;
use burn::tensor::{
    Tensor,
    backend::{AutodiffBackend, Backend},
};
use ganvas_model::{Batch, Generator, Networks, Objective, Report, Strength, TrainableNetworks, autodiff_lock};

use super::{
    gradients::{discriminator_gradients, generator_gradients},
    state::TrainingState,
};
use crate::UpdateRule;

/// The losses, the discriminator's first.
pub const LOSSES: [&str; 2] = ["loss/discriminator", "loss/generator"];
/// The L2 norms of all gradients of a network, the discriminator's first.
pub const GRADIENT_NORMS: [&str; 2] = ["gradient_norm/discriminator", "gradient_norm/generator"];
/// Variance of a generated pixel from image to image, the mean over all pixels; near 0 where all images are alike.
pub(crate) const PIXEL_VARIANCE: &str = "pixels/variance";
/// The numbers that every step has, whatever the objective.
pub const REPORTS: [&str; 5] = [
    LOSSES[0],
    LOSSES[1],
    GRADIENT_NORMS[0],
    GRADIENT_NORMS[1],
    PIXEL_VARIANCE,
];

/// The batches of a step: one for each discriminator update.
#[derive(Debug)]
pub struct StepBatches<B: Backend> {
    /// Those of the updates before the last.
    pub earlier: Vec<Batch<B>>,
    /// The last one; its generated images are those that the generator learns from.
    pub last: Batch<B>,
}

impl<B: Backend> From<Batch<B>> for StepBatches<B> {
    fn from(last: Batch<B>) -> Self {
        let earlier = Vec::new();
        Self { earlier, last }
    }
}

impl<B: Backend> StepBatches<B> {
    /// The same, with what is scheduled this strong.
    pub fn with_strength(mut self, strength: Strength) -> Self {
        self.last.strength = strength;
        self.earlier.iter_mut().for_each(|batch| batch.strength = strength);
        self
    }

    /// Real images in all of them.
    pub fn images(&self) -> usize {
        let all = self.earlier.iter().chain([&self.last]);
        all.map(|batch| batch.images.dims()[0]).sum()
    }
}

/// What a step reports, still on the device.
#[derive(Debug, Clone)]
pub struct StepMetrics<B: AutodiffBackend> {
    /// The losses of the discriminator's last update and of the generator's, and what the objective reported in them.
    pub report: Report<B::InnerBackend>,
    /// Sums of squares of each parameter's gradient, `[parameters]` in the order of the fields, of the discriminator in its
    /// last update and of the generator, where they were measured.
    pub gradient_squares: Option<[Tensor<B::InnerBackend, 1>; 2]>,
}

/// One step: a discriminator update on each batch, one generator update, then the average.
///
/// The gradients are taken in `gradients.rs`; weights, then buffers, then the average move in `state.rs`. With `measure`, the
/// gradients and the variance of the images are measured; gradients also without it where that costs nothing
/// ([`Optimizer::step`](crate::Optimizer::step)).
pub fn training_step<B: AutodiffBackend, N: TrainableNetworks<B>>(
    mut state: TrainingState<B, N>,
    update: UpdateRule,
    objective: &impl Objective<B, N::Generator, N::Discriminator>,
    batches: StepBatches<B>,
    measure: bool,
) -> (TrainingState<B, N>, StepMetrics<B>) {
    let _lock = autodiff_lock();
    // Earlier discriminator updates, on images made without a graph: Burn 0.21 loses gradients where a second graph on the
    // same weights is still waiting. The generator's buffers move with its own update only.
    for batch in batches.earlier {
        let (fake, _) = generate::<B, N>(&state.generator.clone().no_grad(), &batch);
        let unread = &mut Report::default();
        let gradients = discriminator_gradients(&state.discriminator, objective, &batch, fake, unread);
        (state, _) = state.update_discriminator(gradients, false);
    }

    // Generate.
    let batch = batches.last;
    let (fake, generator_buffers) = generate::<B, N>(&state.generator, &batch);
    let mut details = Report::default();
    if measure {
        details.report(PIXEL_VARIANCE, pixel_variance(fake.clone().inner()));
    }

    // Take both gradients, and update the discriminator for the last time: after both, or between them.
    let of_discriminator = discriminator_gradients(&state.discriminator, objective, &batch, fake.clone(), &mut details);
    let discriminator_loss = of_discriminator.loss.clone();
    let take_generator_gradients = |state: &TrainingState<B, N>| {
        let (generator, discriminator) = (&state.generator, &state.discriminator);
        generator_gradients(generator, discriminator, objective, &batch, fake, &mut details)
    };
    let (state, of_generator, discriminator_squares) = match update {
        UpdateRule::Simultaneous => {
            let of_generator = take_generator_gradients(&state);
            let (state, squares) = state.update_discriminator(of_discriminator, measure);
            (state, of_generator, squares)
        }
        UpdateRule::Alternating => {
            let (state, squares) = state.update_discriminator(of_discriminator, measure);
            let of_generator = take_generator_gradients(&state);
            (state, of_generator, squares)
        }
    };

    // Update the generator and its average.
    let mut report = Report::default();
    report.report(LOSSES[0], discriminator_loss);
    report.report(LOSSES[1], of_generator.loss.clone());
    report.append(details);
    let (state, generator_squares) = state.update_generator(of_generator, generator_buffers, measure);
    let gradient_squares = discriminator_squares.zip(generator_squares).map(<[_; 2]>::from);
    let metrics = StepMetrics {
        report,
        gradient_squares,
    };
    (state, metrics)
}

/// Images of a batch's noise, and what the generator's buffers want to become.
fn generate<B: AutodiffBackend, N: Networks<B>>(
    generator: &N::Generator,
    batch: &Batch<B>,
) -> (Tensor<B, 4>, ganvas_model::BufferUpdates<B>) {
    generator.forward_training(batch.z.clone(), batch.fake_labels.clone())
}

/// Biased variance across the batch, `[1]`; dimension by dimension, because burn-cubecl adds up a whole tensor in an order that
/// changes from run to run.
fn pixel_variance<B: Backend>(images: Tensor<B, 4>) -> Tensor<B, 1> {
    let mean = images.clone().mean_dim(0);
    let square = (images - mean).square();
    (0..4)
        .fold(square, |square, dimension| square.mean_dim(dimension))
        .reshape([1])
}
