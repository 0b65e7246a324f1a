//! A benchmark: build everything, train some steps, time them, write nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use burn::tensor::{
    Tensor, TensorData,
    backend::{AutodiffBackend, Backend},
};
use ganvas_data::{ImageSource, Purpose, keyed_rng};
use ganvas_model::{
    Activation, Discriminator, Generator, Init, Initialization, Linear, Objective, ObjectiveSettings, Pass,
    TrainableNetworks, fused_layers_in_use, step_operations,
};

use crate::{
    Evaluators, Experiment, Plan, TrainingError, TrainingState, count_parameters, experiment::refuse, run::BatchLoader,
    step::LOSSES, training_loop::data_shape, training_step, watch::PendingMetrics,
};

/// How long to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BenchmarkOptions {
    /// Steps before the timed ones; caches, kernels and allocators settle in them.
    pub warm_up: usize,
    /// Timed steps at least.
    pub steps: usize,
    /// Time that the timed steps take at least.
    pub time: Duration,
    /// Whether the matrix product is timed as well.
    pub product: bool,
}

impl BenchmarkOptions {
    /// One step to warm up and one to time.
    pub const SHORTEST: Self = Self {
        warm_up: 1,
        steps: 1,
        time: Duration::ZERO,
        product: false,
    };
}

/// What a benchmark found.
#[derive(Debug, Clone, PartialEq)]
pub struct Benchmark {
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
    /// The discriminator's and the generator's loss in the first step.
    pub first_losses: [f64; 2],
    /// Seconds of each timed step, its batches fetched before and the device waited for.
    pub step_seconds: Vec<f64>,
    /// When the first step was done.
    pub first_step: SystemTime,
    /// Floating-point operations of a step ([`step_operations`]).
    pub step_operations: f64,
    /// Whether the networks use fused kernels.
    pub fused_layers: bool,
    /// Operations a second of a large matrix product on the same device, the best of several, where it was timed.
    pub product_speed: Option<f64>,
    /// Seconds of one evaluation by all evaluators, where there are any.
    pub evaluation_seconds: Option<f64>,
}

impl Benchmark {
    /// The mean of the timed steps, in seconds.
    pub fn mean_step(&self) -> f64 {
        self.step_seconds.iter().sum::<f64>() / self.step_seconds.len() as f64
    }

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

/// Trains as many steps as the options say, or all that the experiment has, and evaluates once.
///
/// # Errors
/// Everything that [`train`](crate::train) would meet in these steps.
pub fn benchmark<B, N, O>(
    experiment: &Experiment<N, O>,
    images: &Arc<dyn ImageSource>,
    evaluators: &mut Evaluators<B, N>,
    device: &B::Device,
    options: BenchmarkOptions,
) -> Result<Benchmark, TrainingError>
where
    B: AutodiffBackend,
    N: TrainableNetworks<B>,
    O: Objective<B, N::Generator, N::Discriminator> + ObjectiveSettings,
{
    let plan = experiment.plan(images.len()).map_err(refuse)?;
    let mut state = TrainingState::<B, N>::new(experiment, data_shape(&**images), device)?;
    state.check_objective(experiment, device)?;
    let costs = (state.generator.cost(device), state.discriminator.cost(device));
    let mut found = Benchmark {
        plan,
        generator_parameters: count_parameters(&state.generator),
        discriminator_parameters: count_parameters(&state.discriminator),
        image_bytes: images.len() * images.shape().iter().product::<usize>(),
        images_per_step: 0,
        first_losses: [f64::NAN; 2],
        step_seconds: Vec::new(),
        first_step: SystemTime::now(),
        step_operations: step_operations(
            &costs.0,
            &costs.1,
            plan.batch_size,
            plan.batches_per_step as usize,
            f64::from(experiment.objective.extra_passes()) / experiment.objective.period() as f64,
        ),
        fused_layers: fused_layers_in_use::<B>(device),
        product_speed: None,
        evaluation_seconds: None,
    };
    let latent_size = state.generator.latent_size();
    let mut loader = BatchLoader::start(images.clone(), &plan, experiment.seed, latent_size, 0)?;
    let mut pending = PendingMetrics::new(&state);
    let mut timed = 0.0;
    // Whole periods, of which some steps take longer than others.
    let period = experiment.objective.period().div_ceil(plan.batches_per_step) as usize;
    let steps = options.steps.next_multiple_of(period);
    while found.step_seconds.len() < steps || timed < options.time.as_secs_f64() {
        let Some(batches) = loader.next::<B>(device)? else {
            break;
        };
        // An epoch's last batch may be short.
        found.images_per_step = found.images_per_step.max(batches.images());
        wait::<B>(device);
        let start = Instant::now();
        let (update, objective) = (experiment.training.update, &experiment.objective);
        state.set_schedule(
            &experiment.optimizer,
            experiment.schedule.at(state.step + 1, plan.total_steps),
        );
        let (next, metrics) = training_step(state, update, objective, batches, false);
        state = next;
        wait::<B>(device);
        let seconds = start.elapsed().as_secs_f64();
        pending.push(state.step, metrics);
        if state.step == 1 {
            found.first_step = SystemTime::now();
            let numbers = pending.read().map_err(advise)?;
            let loss = |name: &str| numbers.iter().find(|(known, _)| known == name);
            found.first_losses = LOSSES.map(|name| loss(name).map_or(f64::NAN, |&(_, value)| value));
        } else if pending.is_full() {
            pending.read().map_err(advise)?;
        }
        let is_timed = state.step as usize > options.warm_up;
        // A run this short has nothing but its warm-up.
        let is_all_there_is = found.step_seconds.is_empty() && state.step == plan.total_steps;
        if is_timed || is_all_there_is {
            found.step_seconds.push(seconds);
            timed += seconds;
        }
    }
    pending.read().map_err(advise)?;
    if !evaluators.is_empty() {
        let start = Instant::now();
        for evaluator in evaluators {
            evaluator.evaluate(&state.sampling_generator(), state.step, device)?;
        }
        found.evaluation_seconds = Some(start.elapsed().as_secs_f64());
    }
    if options.product {
        found.product_speed = Some(product_speed::<B::InnerBackend>(device));
    }
    Ok(found)
}

/// What to do about numbers that are not finite.
fn advise(error: TrainingError) -> TrainingError {
    match error {
        TrainingError::Diverged { what, value, step, .. } => TrainingError::Diverged {
            what,
            value,
            step,
            advice: "this was a benchmark; try smaller learning rates".to_owned(),
        },
        other => other,
    }
}

/// Waits until the device has done everything; what went wrong on it shows when the losses are read.
fn wait<B: Backend>(device: &B::Device) {
    let _ = B::sync(device);
}

/// The speed of the product that the layers use, in operations a second.
fn product_speed<B: Backend>(device: &B::Device) -> f64 {
    let mut side = 256;
    loop {
        let mut rng = keyed_rng(0, Purpose::GeneratorWeights, 0);
        let mut init = Init::new(&mut rng, device);
        init.set_scheme(Initialization::He);
        let layer = Linear::<B>::new([side, side], false, &mut init);
        let values: Vec<f32> = (0..side * side).map(|index| (index % 7) as f32).collect();
        let input = Tensor::<B, 3>::from_data(TensorData::new(values, [side, 1, side]), device);
        let mut best = f64::INFINITY;
        for _ in 0..6 {
            wait::<B>(device);
            let start = Instant::now();
            let output = layer.forward_pixels(input.clone(), Activation::Identity, &mut Pass::inference());
            wait::<B>(device);
            best = best.min(start.elapsed().as_secs_f64());
            drop(output);
        }
        // A processor is at full speed with 1024, a GPU with what takes it 2 ms. A software adapter takes seconds for 1024, and is no faster
        // with it.
        if best > 0.05 || (side >= 1024 && best > 2e-3) || side >= 8192 {
            return 2.0 * (side as f64).powi(3) / best;
        }
        side *= 2;
    }
}
