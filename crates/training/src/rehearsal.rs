//! A rehearsal: build everything, train some steps, time them, write nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use burn::tensor::{
    Tensor, TensorData,
    backend::{AutodiffBackend, Backend},
};
use ganvas_data::{ImageSet, Purpose, keyed_rng};
use ganvas_model::{ImageShape, Initialization, Linear};

use crate::{
    Experiment, Plan, TrainingError, TrainingState, count_parameters, feed::Feed, history::LossHistory, training_step,
};

/// How long to rehearse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RehearsalOptions {
    /// Steps before the timed ones; caches, kernels and allocators settle in them.
    pub warm_up: usize,
    /// Timed steps at least.
    pub steps: usize,
    /// Time that the timed steps take at least.
    pub time: Duration,
    /// Whether the matrix product is timed as well.
    pub product: bool,
}

impl RehearsalOptions {
    /// One step to warm up and one to time.
    pub const SHORTEST: Self = Self {
        warm_up: 1,
        steps: 1,
        time: Duration::ZERO,
        product: false,
    };
}

/// What a rehearsal found.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsal {
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
    /// The discriminator's loss in the first step.
    pub discriminator_loss: f32,
    /// The generator's loss in the first step.
    pub generator_loss: f32,
    /// Seconds of each timed step, its batches fetched before and the device waited for.
    pub step_seconds: Vec<f64>,
    /// When the first step was done.
    pub first_step: SystemTime,
    /// Floating-point operations of a step ([`ganvas_model::Cost::step_operations`]).
    pub step_operations: f64,
    /// Operations a second of a large matrix product on the same device, the best of several, where it was timed.
    pub product_speed: Option<f64>,
}

impl Rehearsal {
    /// The middle one of the timed steps, in seconds.
    pub fn median_step(&self) -> f64 {
        let mut sorted = self.step_seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
        }
    }
}

/// Trains as many steps as the options say, or all that the experiment has.
///
/// # Errors
/// Everything that [`train`](crate::train) would meet in these steps.
pub fn rehearse<B: AutodiffBackend>(
    experiment: &Experiment,
    images: &Arc<ImageSet>,
    device: &B::Device,
    options: RehearsalOptions,
) -> Result<Rehearsal, TrainingError> {
    let shape = images.shape();
    let network = experiment.network(ImageShape::new(shape[0], shape[1], shape[2]));
    let mut state = TrainingState::<B>::new(experiment, &network, device)?;
    let (plan, schedule) = Plan::new(experiment, images)?;
    let updates = plan.batches_per_step as usize;
    let mut rehearsal = Rehearsal {
        plan,
        generator_parameters: count_parameters(&state.generator),
        discriminator_parameters: count_parameters(&state.discriminator),
        image_bytes: images.pixels().len(),
        images_per_step: 0,
        discriminator_loss: f32::NAN,
        generator_loss: f32::NAN,
        step_seconds: Vec::new(),
        first_step: SystemTime::now(),
        step_operations: network.cost().step_operations(plan.batch_size, updates),
        product_speed: None,
    };
    let mut feed = Feed::start(
        images.clone(),
        experiment.seed,
        network.latent_size,
        (plan, schedule),
        0,
    );
    let mut history = LossHistory::new(&state);
    let advice = || "this was a rehearsal; try smaller learning rates".to_owned();
    let mut timed = 0.0;
    while rehearsal.step_seconds.len() < options.steps || timed < options.time.as_secs_f64() {
        let Some(batches) = feed.next::<B>(device)? else { break };
        rehearsal.images_per_step = batches.images;
        wait::<B>(device);
        let start = Instant::now();
        let losses;
        let (update, loss) = (experiment.training.update, experiment.loss.kind);
        (state, losses) = training_step(state, update, loss, batches.earlier, batches.last, false);
        wait::<B>(device);
        let seconds = start.elapsed().as_secs_f64();
        history.push(state.step, losses);
        if state.step == 1 {
            rehearsal.first_step = SystemTime::now();
        }
        if state.step == 1 || history.is_full() {
            let numbers = history.read(advice)?;
            if let Some(numbers) = numbers.filter(|_| state.step == 1) {
                rehearsal.discriminator_loss = numbers.discriminator_loss;
                rehearsal.generator_loss = numbers.generator_loss;
            }
        }
        if state.step as usize > options.warm_up {
            rehearsal.step_seconds.push(seconds);
            timed += seconds;
        } else if rehearsal.step_seconds.is_empty() && state.step == plan.total_steps {
            // A run this short has nothing but its warm-up.
            rehearsal.step_seconds.push(seconds);
        }
    }
    history.read(advice)?;
    if options.product {
        rehearsal.product_speed = Some(product_speed::<B::InnerBackend>(device));
    }
    Ok(rehearsal)
}

/// Waits until the device has done everything; what went wrong on it shows when the losses are read.
fn wait<B: Backend>(device: &B::Device) {
    let _ = B::sync(device);
}

/// The speed of the product that the layers use, in operations a second.
fn product_speed<B: Backend>(device: &B::Device) -> f64 {
    let mut side = 1024;
    loop {
        let mut rng = keyed_rng(0, Purpose::GeneratorWeights, 0);
        let layer = Linear::<B>::new([side, side], false, Initialization::He, &mut rng, device);
        let values: Vec<f32> = (0..side * side).map(|index| (index % 7) as f32).collect();
        let input = Tensor::<B, 3>::from_data(TensorData::new(values, [side, 1, side]), device);
        let mut best = f64::INFINITY;
        for _ in 0..6 {
            wait::<B>(device);
            let start = Instant::now();
            let output = layer.forward_pixels(input.clone());
            wait::<B>(device);
            best = best.min(start.elapsed().as_secs_f64());
            drop(output);
        }
        // A GPU is done with a small one before it is at full speed.
        if best > 2e-3 || side >= 8192 {
            return 2.0 * (side as f64).powi(3) / best;
        }
        side *= 2;
    }
}
