//! How much memory a training takes, before it takes any.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{DataShape, Discriminator, Generator, Init, ModelError, ObjectiveSettings, TrainableNetworks};

use crate::{Experiment, TrainingError, count_parameters};

/// What a training needs at least, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryNeed {
    /// Weights, gradients, moments, the average, and the copy that a checkpoint is written from.
    pub networks: u64,
    /// What a step keeps for its backward pass.
    pub step: u64,
}

impl MemoryNeed {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.networks.saturating_add(self.step)
    }
}

/// Counts what a training needs at least on a device. The networks are built and one image goes through them; both are dropped.
///
/// A step keeps every layer's output for its backward pass: in the discriminator's update those of the real and of the generated
/// images, in the generator's those of both networks. What the layers take while they work is not counted: measured on processors,
/// a step takes 1.0 (blog) to 2.8 times (dcgan) as much as this.
///
/// # Errors
/// Networks that cannot be built for these images, or whose weights alone are of more than `most` bytes.
pub fn memory_need<B, N, O>(
    experiment: &Experiment<N, O>,
    data: DataShape,
    most: u64,
    device: &B::Device,
) -> Result<MemoryNeed, TrainingError>
where
    B: AutodiffBackend,
    N: TrainableNetworks<B>,
    O: ObjectiveSettings,
{
    const VALUE: u64 = 4;
    // Weight, gradient and two moments; a checkpoint copies weight and moments to the host.
    const COPIES: u64 = 7;
    let limited = |error: ModelError| match error {
        ModelError::TooLarge { .. } => ModelError::config(
            "network",
            "weights, gradients and moments of more".to_owned(),
            format!("networks that fit into {most} bytes of memory, with fewer or smaller layers"),
        ),
        error => error,
    };
    let mut rng = keyed_rng(experiment.seed, Purpose::GeneratorWeights, 0);
    let mut init = Init::new(&mut rng, device)
        .with_zeros()
        .with_limit(most / (VALUE * COPIES));
    let generator = experiment.model.generator(data, &mut init).map_err(limited)?;
    init.check().map_err(limited)?;
    let discriminator = experiment.model.discriminator(data, &mut init).map_err(limited)?;
    init.check().map_err(limited)?;

    if experiment.objective.needs_input_gradient() {
        // The layers alone say whether they have it; the numbers are compared when the training begins.
        let [channels, height, width] = data.image.dims();
        let one = Tensor::zeros([1, channels, height, width], device);
        let labels = Some(Tensor::zeros([1], device));
        discriminator.forward_recorded(one, labels).gradient.compute(device)?;
    }
    let weights = [count_parameters(&generator), count_parameters(&discriminator)].map(|count| count as u64);
    let average = match experiment.ema.rate(1) {
        Some(_) => 2 * weights[0],
        None => 0,
    };
    let networks = COPIES * (weights[0] + weights[1]) + average;
    let (made, judged) = (
        generator.cost(device).activations,
        discriminator.cost(device).activations,
    );
    // An exact penalty keeps what goes back through the discriminator, as many values as what goes forward.
    let penalized = u64::from(experiment.objective.extra_passes());
    let kept = ((2 + penalized) * judged).max(made + judged);
    let images = experiment.data.batch_size as u64;
    Ok(MemoryNeed {
        networks: networks.saturating_mul(VALUE),
        // Each with its gradient, in the backward pass.
        step: (2 * kept).saturating_mul(images).saturating_mul(VALUE),
    })
}
