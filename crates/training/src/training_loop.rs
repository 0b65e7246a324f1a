//! The loop: fetch, update both networks, log, sample, save.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use burn::tensor::backend::AutodiffBackend;
use ganvas_data::{ImageSet, normalize};
use ganvas_model::ImageShape;
use tracing::debug;

use crate::{
    CheckpointState, Experiment, Health, Hint, MetricsLine, MetricsLog, Plan, ResumePoint, RunDirectory, Sampler,
    Session, Timings, TrainingError, TrainingState,
    divergence::locate,
    feed::Feed,
    history::{LossHistory, StepNumbers},
    render::{COMPARED, write_comparison, write_samples},
    saver::{Saver, Snapshot},
    timings::Stopwatch,
    training_step,
};

/// Who watches a run.
pub trait Observer {
    /// The run begins, or goes on, after `step` steps.
    fn started(&mut self, plan: &Plan, step: u64);
    /// A step is done.
    fn stepped(&mut self, step: u64);
    /// A line was written to `metrics.jsonl`.
    fn logged(&mut self, line: &MetricsLine);
    /// The log shows a sign that the training goes wrong.
    fn warned(&mut self, step: u64, hint: Hint);
    /// A file or folder stands complete.
    fn wrote(&mut self, what: &str, path: &Path);
    /// The loop has ended, finished or stopped.
    fn ended(&mut self, timings: &Timings);
    /// Asked after every step; true ends the run there, saved.
    fn wants_to_stop(&mut self) -> bool;
}

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
}

/// Trains a GAN into a run directory, from the start or from a checkpoint.
///
/// The same experiment, images, backend and number of threads give the same weights to the bit, however often the run
/// was stopped and resumed.
///
/// # Errors
/// [`TrainingError`]: networks that do not fit the images, a failing disk, losses that leave the numbers.
pub fn train<B: AutodiffBackend>(
    experiment: &Experiment,
    images: &Arc<ImageSet>,
    run: &RunDirectory,
    resume: Option<&ResumePoint>,
    device: &B::Device,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainingError> {
    let shape = images.shape();
    let image = ImageShape::new(shape[0], shape[1], shape[2]);
    let network = experiment.network(image);
    let checkpoint = resume.and_then(|point| point.checkpoint.as_ref());
    let mut state = match checkpoint {
        Some(checkpoint) => checkpoint.restore::<B>(experiment, &network, device)?,
        None => TrainingState::<B>::new(experiment, &network, device)?,
    };
    let (plan, schedule) = Plan::new(experiment, images)?;
    if state.step > plan.total_steps {
        return Err(TrainingError::NotARun {
            path: run.path().to_owned(),
            reason: format!(
                "cannot end after {} steps, {} are already trained; raise training.epochs or training.max_steps",
                plan.total_steps, state.step
            ),
        });
    }
    run.write_config(experiment)?;
    let changes = resume.map_or(&[][..], |point| &point.changes);
    Session::record(run, experiment, state.step, changes)?;
    let sampler = Sampler::new(
        experiment.seed,
        experiment.samples.count.max(COMPARED),
        network.latent_size,
    );
    let is_due = |every: u64, step: u64| every > 0 && step.is_multiple_of(every);
    let logs_at = |step: u64| is_due(experiment.logging.every, step) || step == plan.total_steps;
    // The last step of a run is always logged; one that goes on beyond it has no line there, like a run that never ended.
    let logged = if logs_at(state.step) {
        state.step
    } else {
        state.step.saturating_sub(1)
    };
    let mut metrics = MetricsLog::open(&run.metrics_path(), logged)?;
    let mut saver = Saver::new(run, metrics.output()?);
    let mut health = Health::new(match plan.batch_size {
        // A single image is all alike.
        1 => 0.0,
        _ => pixel_variance(images),
    });
    let mut history = LossHistory::new(&state);
    let mut feed = Feed::start(
        images.clone(),
        experiment.seed,
        network.latent_size,
        (plan, schedule),
        state.step,
    );
    let mut saved_at = checkpoint.map(|_| state.step);
    let mut last_line = (Instant::now(), 0);
    observer.started(&plan, state.step);
    let (mut timings, mut watch) = (Timings::default(), Stopwatch::start());

    let stopped = loop {
        // Fetch: real images that another thread has prepared, z from the seed.
        let Some(batches) = feed.next::<B>(device)? else {
            break false;
        };
        watch.lap(&mut timings.data);

        // Update the discriminator, the generator and its average.
        let step = state.step + 1;
        let logs = logs_at(step);
        let (update, loss) = (experiment.training.update, experiment.loss.kind);
        let losses;
        (state, losses) = training_step(state, update, loss, batches.earlier, batches.last, logs);
        history.push(step, losses);
        last_line.1 += batches.images;
        timings.steps += 1;
        watch.lap(&mut timings.updates);

        // Log, and notice losses that left the numbers.
        if logs {
            if let Some(numbers) = read_losses(&mut history, &state, run, &mut saver)? {
                let [of_discriminator, of_generator] = numbers.gradient_norms.unwrap_or([f32::NAN; 2]);
                let line = MetricsLine {
                    step,
                    epoch: plan.epoch(step),
                    discriminator_loss: numbers.discriminator_loss,
                    generator_loss: numbers.generator_loss,
                    real_logit: numbers.real_logit,
                    fake_logit: numbers.fake_logit,
                    discriminator_gradient_norm: of_discriminator,
                    generator_gradient_norm: of_generator,
                    fake_pixel_variance: numbers.fake_pixel_variance.unwrap_or(f32::NAN),
                    images_per_second: last_line.1 as f64 / last_line.0.elapsed().as_secs_f64(),
                };
                last_line = (Instant::now(), 0);
                metrics.append(&line)?;
                observer.logged(&line);
                for hint in health.observe(&line) {
                    observer.warned(step, hint);
                }
            }
        } else if history.is_full() {
            read_losses(&mut history, &state, run, &mut saver)?;
        }
        observer.stepped(step);
        watch.lap(&mut timings.logging);

        // Sample.
        if is_due(experiment.samples.every, step) {
            read_losses(&mut history, &state, run, &mut saver)?;
            let path = run.sample_path(step);
            let made = sampler.images(&state.sampling_generator(), device);
            write_samples(&path, first(&made, experiment.samples.count, image), shape)?;
            observer.wrote("samples", &path);
            watch.lap(&mut timings.sampling);
        }

        // Save, and stop where that is wanted.
        let stop = step < plan.total_steps && observer.wants_to_stop();
        if stop || is_due(experiment.checkpoint.every, step) {
            read_losses(&mut history, &state, run, &mut saver)?;
            let record = CheckpointState::new(experiment, image, &plan, step, metrics.newest().cloned());
            let before = saver.begin(Snapshot::take(experiment, record, &state)?)?;
            saved_at = Some(step);
            tell_saved(observer, before);
            watch.lap(&mut timings.saving);
        } else {
            tell_saved(observer, saver.poll()?);
        }
        if stop {
            break true;
        }
    };

    read_losses(&mut history, &state, run, &mut saver)?;
    if saved_at != Some(state.step) {
        let record = CheckpointState::new(experiment, image, &plan, state.step, metrics.newest().cloned());
        tell_saved(observer, saver.begin(Snapshot::take(experiment, record, &state)?)?);
    }
    tell_saved(observer, saver.finish()?);
    watch.lap(&mut timings.saving);
    timings.writing = saver.taken().as_secs_f64();
    let made = sampler.images(&state.sampling_generator(), device);
    let path = run.sample_path(state.step);
    write_samples(&path, first(&made, experiment.samples.count, image), shape)?;
    observer.wrote("samples", &path);
    let path = run.comparison_path();
    write_comparison(&path, images, experiment.seed, first(&made, COMPARED, image))?;
    observer.wrote("comparison", &path);
    run.write_timings(&timings)?;
    observer.ended(&timings);
    debug!(step = state.step, stopped, "training ended");
    Ok(if stopped {
        Outcome::Stopped { step: state.step }
    } else {
        Outcome::Finished { step: state.step }
    })
}

/// Reads the losses that wait; one that left the numbers is told with the weights that it spoiled and the last good checkpoint.
fn read_losses<B: AutodiffBackend>(
    history: &mut LossHistory<B>,
    state: &TrainingState<B>,
    run: &RunDirectory,
    saver: &mut Saver,
) -> Result<Option<StepNumbers>, TrainingError> {
    // `locate` gives the advice.
    history
        .read(String::new)
        .map_err(|error| locate(error, state, run, saver))
}

fn tell_saved(observer: &mut dyn Observer, folder: Option<PathBuf>) {
    if let Some(folder) = folder {
        observer.wrote("checkpoint", &folder);
    }
}

/// Variance of a pixel from image to image, the mean over all pixels, of the first thousand real images.
fn pixel_variance(images: &ImageSet) -> f32 {
    let count = images.len().min(1000);
    let area = images.image_len();
    let (mut sums, mut squares) = (vec![0.0_f64; area], vec![0.0_f64; area]);
    for image in (0..count).filter_map(|index| images.image(index)) {
        for ((sum, square), &pixel) in sums.iter_mut().zip(&mut squares).zip(image) {
            let value = f64::from(normalize(pixel));
            *sum += value;
            *square += value * value;
        }
    }
    let count = count as f64;
    let variance = |(sum, square): (&f64, &f64)| square / count - (sum / count).powi(2);
    (sums.iter().zip(&squares).map(variance).sum::<f64>() / area as f64) as f32
}

/// The values of the first images.
fn first(images: &[f32], count: usize, image: ImageShape) -> &[f32] {
    images.get(..count * image.len()).unwrap_or(images)
}
