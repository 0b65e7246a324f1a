//! The gradients of both networks.

use burn::{
    module::{AutodiffModule, Module},
    optim::GradientsParams,
    tensor::{Tensor, backend::AutodiffBackend},
};
use ganvas_model::{Batch, BufferUpdates, DiscriminatorLoss, Objective, Report, autodiff_lock};

/// The discriminator's gradients, and what came with them.
#[derive(Debug)]
pub struct DiscriminatorGradients<B: AutodiffBackend> {
    /// The loss, `[1]`.
    pub loss: Tensor<B::InnerBackend, 1>,
    /// By parameter.
    pub gradients: GradientsParams,
    /// What the discriminator's buffers want to become.
    pub buffer_updates: BufferUpdates<B>,
}

/// The generator's gradients.
#[derive(Debug)]
pub struct GeneratorGradients<B: AutodiffBackend> {
    /// The loss, `[1]`.
    pub loss: Tensor<B::InnerBackend, 1>,
    /// By parameter.
    pub gradients: GradientsParams,
}

/// The discriminator's loss and gradients on a batch and on generated images.
///
/// # Shapes
/// - fake: `[rows, channels, height, width]`; the real images may be of another number
pub fn discriminator_gradients<B: AutodiffBackend, G, D: AutodiffModule<B>>(
    discriminator: &D,
    objective: &impl Objective<B, G, D>,
    batch: &Batch<B>,
    fake: Tensor<B, 4>,
    report: &mut Report<B::InnerBackend>,
) -> DiscriminatorGradients<B> {
    let _lock = autodiff_lock();
    let DiscriminatorLoss { loss, updates } = objective.discriminator(discriminator, batch, fake.detach(), report);
    DiscriminatorGradients {
        loss: loss.clone().inner(),
        gradients: GradientsParams::from_grads(loss.backward(), discriminator),
        buffer_updates: updates,
    }
}

/// The generator's loss and gradients through a frozen discriminator. Where others may train in the same process, who generates `fake` holds [`autodiff_lock`].
///
/// The discriminator's weights are not tracked, so the backward pass computes only what the generator needs.
///
/// # Shapes
/// - fake: `[rows, channels, height, width]`, with the generator's graph
pub fn generator_gradients<B: AutodiffBackend, G: AutodiffModule<B>, D: Module<B>>(
    generator: &G,
    discriminator: &D,
    objective: &impl Objective<B, G, D>,
    batch: &Batch<B>,
    fake: Tensor<B, 4>,
    report: &mut Report<B::InnerBackend>,
) -> GeneratorGradients<B> {
    let _lock = autodiff_lock();
    let frozen = discriminator.clone().no_grad();
    let loss = objective.generator(generator, &frozen, batch, fake, report);
    GeneratorGradients {
        loss: loss.clone().inner(),
        gradients: GradientsParams::from_grads(loss.backward(), generator),
    }
}
