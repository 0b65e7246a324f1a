//! A rehearsal: build everything, run one step, write nothing.

use std::{sync::Arc, time::Instant};

use burn::tensor::backend::AutodiffBackend;
use ganvas_data::ImageSet;
use ganvas_model::ImageShape;

use crate::{
    Experiment, Plan, TrainingError, TrainingState, count_parameters, feed::Feed, history::LossHistory, training_step,
};

/// What a rehearsal found.
#[derive(Debug, Clone, PartialEq)]
pub struct DryRun {
    /// The steps of the whole run.
    pub plan: Plan,
    /// Trainable values of the generator.
    pub generator_parameters: usize,
    /// Trainable values of the discriminator.
    pub discriminator_parameters: usize,
    /// Bytes of one set of images in memory.
    pub image_bytes: usize,
    /// Real images in a step.
    pub images_per_step: usize,
    /// Seconds of a step, the second of two; the first also warms up.
    pub step_seconds: f64,
    /// The discriminator's loss in the first step.
    pub discriminator_loss: f32,
    /// The generator's loss in the first step.
    pub generator_loss: f32,
}

/// Runs one step, and a second one to time it.
///
/// # Errors
/// Everything that [`train`](crate::train) would meet before its second step.
pub fn dry_run<B: AutodiffBackend>(
    experiment: &Experiment,
    images: &Arc<ImageSet>,
    device: &B::Device,
) -> Result<DryRun, TrainingError> {
    let shape = images.shape();
    let network = experiment.network(ImageShape::new(shape[0], shape[1], shape[2]));
    let mut state = TrainingState::<B>::new(experiment, &network, device)?;
    let (generator_parameters, discriminator_parameters) = (
        count_parameters(&state.generator),
        count_parameters(&state.discriminator),
    );
    let (plan, schedule) = Plan::new(experiment, images)?;
    let mut feed = Feed::start(
        images.clone(),
        experiment.seed,
        network.latent_size,
        (plan, schedule),
        0,
    );
    let mut history = LossHistory::<B>::new();
    let mut first = None;
    let (mut step_seconds, mut images_per_step) = (0.0, 0);
    for _ in 0..2 {
        let start = Instant::now();
        let Some(batches) = feed.next::<B>(device)? else { break };
        images_per_step = batches.images;
        let losses;
        let (update, loss) = (experiment.training.update, experiment.loss.kind);
        (state, losses) = training_step(state, update, loss, batches.earlier, batches.last, true);
        history.push(state.step, losses);
        let numbers = history.read(|| "this was a dry run; try smaller learning rates".into())?;
        first = first.or(numbers);
        step_seconds = start.elapsed().as_secs_f64();
    }
    Ok(DryRun {
        plan,
        generator_parameters,
        discriminator_parameters,
        image_bytes: images.pixels().len(),
        images_per_step,
        step_seconds,
        discriminator_loss: first.map_or(f32::NAN, |numbers| numbers.discriminator_loss),
        generator_loss: first.map_or(f32::NAN, |numbers| numbers.generator_loss),
    })
}
