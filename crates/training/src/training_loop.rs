//! The training loop.

use std::sync::Arc;

use burn::tensor::backend::AutodiffBackend;
use ganvas_data::ImageSource;
use ganvas_model::{DataShape, Generator, InnerGenerator, Objective, ObjectiveSettings, TrainableNetworks};

use crate::{
    Evaluator, Experiment, Judged, Observer, Plan, ResumePoint, RunDirectory, TrainingError, TrainingState,
    run::{BatchLoader, Recorder},
    training_step,
};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Finished {
        /// Their number.
        step: u64,
    },
    /// The observer stopped it; it can be resumed.
    Stopped {
        /// Steps done.
        step: u64,
    },
    /// It did not become better for as many evaluations as `[evaluation] patience` says.
    OutOfPatience {
        /// Steps done.
        step: u64,
    },
}

/// What networks for these images are built for.
pub(crate) fn data_shape(images: &dyn ImageSource) -> DataShape {
    DataShape::new(images.shape().into(), images.classes())
}

/// The evaluators of a run.
pub type Evaluators<B, N> = [Box<dyn Evaluator<<B as AutodiffBackend>::InnerBackend, InnerGenerator<B, N>>>];

/// Trains a GAN into a run directory, from the start or from a checkpoint.
///
/// A step is one update of the generator, after one or more of the discriminator. The same experiment, images and backend give
/// the same weights to the bit, however often the run was stopped and resumed.
///
/// # Errors
/// [`TrainingError`]: networks that do not fit the images, a failing disk, numbers that are not finite.
pub fn train<B, N, O>(
    experiment: &Experiment<N, O>,
    images: &Arc<dyn ImageSource>,
    evaluators: &mut Evaluators<B, N>,
    run: &RunDirectory,
    resume: Option<&ResumePoint>,
    device: &B::Device,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainingError>
where
    B: AutodiffBackend,
    N: TrainableNetworks<B>,
    O: Objective<B, N::Generator, N::Discriminator> + ObjectiveSettings,
{
    // Refuse what can be refused, before anything is written.
    let reports: Vec<String> = evaluators.iter().flat_map(|evaluator| evaluator.reports()).collect();
    let plan = experiment.check_against(&**images, &reports)?;

    // Initialize the networks, optimizers and the average, or restore them from a checkpoint.
    let mut state: TrainingState<B, N> = match resume.and_then(|point| point.checkpoint.as_ref()) {
        Some(checkpoint) => checkpoint.restore(experiment, device)?,
        None => TrainingState::new(experiment, data_shape(&**images), device)?,
    };
    plan.check_steps_done(state.step, run)?;
    state.check_objective(experiment, device)?;

    // Open the run directory and start loading batches.
    let judged = evaluators.iter().map(|evaluator| Judged {
        numbers: evaluator.reports(),
        basis: evaluator.basis(),
    });
    let mut recorder = Recorder::open(experiment, &**images, run, plan, resume, &state, judged.collect())?;
    let latent_size = state.generator.latent_size();
    let mut loader = BatchLoader::start(images.clone(), &plan, experiment.seed, latent_size, state.step)?;
    observer.started(&plan, state.step);

    let outcome = loop {
        // Load real images, their labels and noise.
        let Some(batches) = loader.next::<B>(device)? else {
            break Outcome::Finished { step: state.step };
        };
        if recorder.is_out_of_patience() {
            break Outcome::OutOfPatience { step: state.step };
        }
        recorder.lap(|timings| &mut timings.data);

        // Update the discriminator, the generator and its average.
        let step = state.step + 1;
        let (logs, images_seen) = (recorder.logs_at(step), batches.images());
        let (update, objective) = (experiment.training.update, &experiment.objective);
        let scheduled = experiment.schedule.at(step, plan.total_steps);
        state.set_schedule(&experiment.optimizer, scheduled);
        let batches = batches.with_strength(scheduled.strength);
        let (next, metrics) = training_step(state, update, objective, batches, logs);
        state = next;
        recorder.step(step, metrics, images_seen);
        recorder.lap(|timings| &mut timings.updates);

        // Read the numbers that the step reported from the device.
        let mut numbers = recorder.read_if(logs, &state, observer)?;
        recorder.lap(|timings| &mut timings.logging);

        // Evaluate the generator that samples are drawn from.
        if Plan::is_due(experiment.evaluation.every, step) {
            observer.evaluating(step);
            for evaluator in evaluators.iter_mut() {
                numbers.extend(evaluator.evaluate(&state.sampling_generator(), step, device)?);
            }
            recorder.lap(|timings| &mut timings.evaluation);
        }

        // Log all numbers by their names.
        if logs {
            recorder.log(step, numbers, observer)?;
        }
        observer.stepped(step);
        recorder.lap(|timings| &mut timings.logging);

        // Sample images of the fixed noise.
        if Plan::is_due(experiment.samples.every, step) {
            recorder.sample(&state, device, observer)?;
            recorder.lap(|timings| &mut timings.sampling);
        }

        // Save a checkpoint, and stop where that is wanted.
        let stop = step < plan.total_steps && observer.wants_to_stop();
        if stop || Plan::is_due(experiment.checkpoint.every, step) {
            recorder.save(&state, observer)?;
            recorder.lap(|timings| &mut timings.saving);
        }
        recorder.poll(observer)?;
        if stop {
            break Outcome::Stopped { step };
        }
    };

    recorder.finish(&state, device, observer)?;
    Ok(outcome)
}
