//! One adversarial step.

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{
        Tensor,
        backend::{AutodiffBackend, Backend},
    },
};
use ganvas_model::{BatchStatistics, Discriminator, Generator, Loss};

use crate::{TrainingState, UpdateRule};

/// What a step tells; scalars `[1]` that still stand on the device.
#[derive(Debug, Clone)]
pub struct Losses<B: AutodiffBackend> {
    /// The discriminator's loss in its last update of the step, in nats.
    pub discriminator: Tensor<B::InnerBackend, 1>,
    /// The generator's loss, in nats.
    pub generator: Tensor<B::InnerBackend, 1>,
    /// Mean logit of real images.
    pub real_logit: Tensor<B::InnerBackend, 1>,
    /// Mean logit of generated images.
    pub fake_logit: Tensor<B::InnerBackend, 1>,
    /// Sums of squares of each parameter's gradient, `[parameters]` in the order of the fields, of the discriminator in its
    /// last update and of the generator, where they were measured.
    pub gradient_squares: Option<[Tensor<B::InnerBackend, 1>; 2]>,
    /// Variance of a generated pixel from image to image, the mean over all pixels, where it was measured.
    pub fake_pixel_variance: Option<Tensor<B::InnerBackend, 1>>,
}

/// The discriminator's gradients, and what was seen on the way.
#[derive(Debug)]
pub struct DiscriminatorGradients<B: AutodiffBackend> {
    /// The loss, `[1]`.
    pub loss: Tensor<B::InnerBackend, 1>,
    /// By parameter.
    pub gradients: GradientsParams,
    /// Mean logit of the real images, `[1]`.
    pub real_logit: Tensor<B::InnerBackend, 1>,
    /// Mean logit of the generated images, `[1]`.
    pub fake_logit: Tensor<B::InnerBackend, 1>,
    /// What the running statistics move with: those of the generated images, then those of the real ones.
    pub seen: [BatchStatistics<B>; 2],
}

/// The generator's gradients.
#[derive(Debug)]
pub struct GeneratorGradients<B: AutodiffBackend> {
    /// The loss, `[1]`.
    pub loss: Tensor<B::InnerBackend, 1>,
    /// By parameter.
    pub gradients: GradientsParams,
}

/// The discriminator's loss and gradients on generated and real images.
///
/// # Shapes
/// - real, fake: `[batch, channels, height, width]`; the two batches may differ in size
pub fn discriminator_gradients<B: AutodiffBackend>(
    discriminator: &Discriminator<B>,
    loss: Loss,
    real: Tensor<B, 4>,
    fake: Tensor<B, 4>,
) -> DiscriminatorGradients<B> {
    let (fake_logits, seen_fake) = discriminator.forward_training(fake.detach());
    let (real_logits, seen_real) = discriminator.forward_training(real);
    let [real_logit, fake_logit] = [&real_logits, &fake_logits].map(|logits| logits.clone().inner().mean());
    let loss = loss.discriminator(real_logits, fake_logits);
    DiscriminatorGradients {
        loss: loss.clone().inner(),
        gradients: GradientsParams::from_grads(loss.backward(), discriminator),
        real_logit,
        fake_logit,
        seen: [seen_fake, seen_real],
    }
}

/// The generator's loss and gradients through a discriminator that stands still.
///
/// The discriminator's weights are not tracked, so the way back computes only what the generator needs; its running
/// statistics do not move, those belong to its own update.
///
/// # Shapes
/// - fake: `[batch, channels, height, width]`, with the generator's graph
pub fn generator_gradients<B: AutodiffBackend>(
    generator: &Generator<B>,
    discriminator: &Discriminator<B>,
    loss: Loss,
    fake: Tensor<B, 4>,
) -> GeneratorGradients<B> {
    let logits = discriminator.clone().no_grad().forward(fake);
    let loss = loss.generator(logits);
    GeneratorGradients {
        loss: loss.clone().inner(),
        gradients: GradientsParams::from_grads(loss.backward(), generator),
    }
}

/// Real images `[batch, channels, height, width]` and the z `[batch, latent]` of one discriminator update.
pub type Batch<B> = (Tensor<B, 4>, Tensor<B, 2>);

/// One step: a discriminator update on each batch, one generator update, then the average.
///
/// The images made for the discriminator's last update are those that the generator learns from.
///
/// With `measure`, the gradients and the variance of the images are measured; gradients also without it where that costs
/// nothing ([`Adam::step`](crate::Adam::step)).
pub fn training_step<B: AutodiffBackend>(
    mut state: TrainingState<B>,
    update: UpdateRule,
    loss: Loss,
    earlier_batches: Vec<Batch<B>>,
    (real, z): Batch<B>,
    measure: bool,
) -> (TrainingState<B>, Losses<B>) {
    for (real, z) in earlier_batches {
        // Without a graph: Burn 0.21 loses gradients where a second graph on the same weights is still waiting.
        let fake = state.generator.clone().no_grad().forward(z);
        let gradients = discriminator_gradients(&state.discriminator, loss, real, fake);
        (state, _) = move_discriminator(state, gradients.gradients, gradients.seen, false);
    }

    let (fake, seen_by_generator) = state.generator.forward_training(z);
    let fake_pixel_variance = measure.then(|| pixel_variance(fake.clone().inner()));
    let of_discriminator = discriminator_gradients(&state.discriminator, loss, real, fake.clone());
    let (gradients, seen) = (of_discriminator.gradients, of_discriminator.seen);
    let (of_generator, discriminator_squares);
    match update {
        UpdateRule::Simultaneous => {
            of_generator = generator_gradients(&state.generator, &state.discriminator, loss, fake);
            (state, discriminator_squares) = move_discriminator(state, gradients, seen, measure);
        }
        UpdateRule::Alternating => {
            (state, discriminator_squares) = move_discriminator(state, gradients, seen, measure);
            of_generator = generator_gradients(&state.generator, &state.discriminator, loss, fake);
        }
    }
    let (generator, generator_squares) =
        state
            .optimizer_generator
            .step(state.generator, of_generator.gradients, measure);
    state.generator = generator.track(seen_by_generator);
    state.step += 1;
    state.ema = state.ema.map(|ema| ema.update(&state.generator, state.step));

    let losses = Losses {
        discriminator: of_discriminator.loss,
        generator: of_generator.loss,
        real_logit: of_discriminator.real_logit,
        fake_logit: of_discriminator.fake_logit,
        gradient_squares: discriminator_squares
            .zip(generator_squares)
            .map(|(of_d, of_g)| [of_d, of_g]),
        fake_pixel_variance,
    };
    (state, losses)
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

type Squares<B> = Option<Tensor<<B as AutodiffBackend>::InnerBackend, 1>>;

fn move_discriminator<B: AutodiffBackend>(
    mut state: TrainingState<B>,
    gradients: GradientsParams,
    seen: [BatchStatistics<B>; 2],
    measure: bool,
) -> (TrainingState<B>, Squares<B>) {
    let (discriminator, squares) = state
        .optimizer_discriminator
        .step(state.discriminator, gradients, measure);
    state.discriminator = seen.into_iter().fold(discriminator, Discriminator::track);
    (state, squares)
}
