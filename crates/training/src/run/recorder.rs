//! The bookkeeping of a run: what is read from the device, logged, drawn, saved and timed.

use std::{path::PathBuf, time::Instant};

use burn::tensor::backend::AutodiffBackend;
use ganvas_data::ImageSource;
use ganvas_model::{Generator, ObjectiveSettings, TrainableNetworks};

use tracing::warn;

use super::{
    directory::RunDirectory,
    metrics_log::{MetricsLine, MetricsLog},
    plan::Plan,
    sampler::Sampler,
    samples::{COMPARED, columns_by_class, compared_images, write_comparison, write_samples},
    sessions::{Judged, Session},
    timings::{Stopwatch, Timings},
};
use crate::{
    CheckpointState, Experiment, Health, ImagesState, Observer, ResumePoint, StepMetrics, TrainingError, TrainingState,
    checkpoint::{CheckpointWriter, Snapshot, last_good},
    watch::{Patience, PendingMetrics, non_finite_weights},
};

/// Real images a second since the last line, pictures and checkpoints included.
pub(crate) const SPEED: &str = "images_per_second";

/// What the loop hands its results to.
pub(crate) struct Recorder<'a, B: AutodiffBackend, N, O> {
    experiment: &'a Experiment<N, O>,
    images: &'a dyn ImageSource,
    images_state: ImagesState,
    run: &'a RunDirectory,
    plan: Plan,
    log: MetricsLog,
    writer: CheckpointWriter,
    pending: PendingMetrics<B>,
    health: Health,
    patience: Option<Patience>,
    sampler: Sampler,
    /// In a picture, where its rows are classes.
    columns: Option<usize>,
    /// When the last line was written, and real images seen since.
    last_line: (Instant, usize),
    saved_at: Option<u64>,
    stopwatch: Stopwatch,
    pub(crate) timings: Timings,
}

impl<'a, B, N, O> Recorder<'a, B, N, O>
where
    B: AutodiffBackend,
    N: TrainableNetworks<B>,
    O: ObjectiveSettings,
{
    /// Writes the configuration and the session, and opens the log.
    pub(crate) fn open(
        experiment: &'a Experiment<N, O>,
        images: &'a dyn ImageSource,
        run: &'a RunDirectory,
        plan: Plan,
        resume: Option<&ResumePoint>,
        state: &TrainingState<B, N>,
        evaluators: Vec<Judged>,
    ) -> Result<Self, TrainingError> {
        // Every image is read once before anything is written.
        let images_state = ImagesState::of(images)?;
        let mut health = Health::of_images(images, plan.batch_size, &experiment.objective)?;
        run.write_config(&experiment.to_toml()?)?;
        let changes = resume.map_or(&[][..], |point| &point.changes);
        Session::record(run, &experiment.backend.kind, state.step, changes, evaluators)?;
        let sessions = Session::all_of(run)?;
        report_other_evaluators(&sessions, state.step);
        // The last step of a run is always logged; one that goes on beyond it has no line there, like a run that never ended.
        let was_due = resume.is_none_or(|point| point.log_was_due) || logs_at(experiment, &plan, state.step);
        let logged = if was_due {
            state.step
        } else {
            state.step.saturating_sub(1)
        };
        let since = Session::all_comparable_since(&sessions);
        // What earlier sessions' evaluations came to was reported then; it counts on, where it was by the same evaluator.
        let mut patience = Patience::of(experiment);
        let log = MetricsLog::open(&run.metrics_path(), logged, |line| {
            line.keep_comparable(&since);
            health.observe(line);
            patience.iter_mut().for_each(|patience| patience.observe(line));
        })?;
        let samples = experiment.samples.count.max(COMPARED);
        let sampler = Sampler::new(experiment.seed, samples, state.generator.latent_size());
        let classes = state.generator.classes();
        let columns = columns_by_class(experiment.samples.count, classes);
        Ok(Self {
            writer: CheckpointWriter::new(run, log.output()?),
            pending: PendingMetrics::new(state),
            health,
            patience,
            sampler: match columns {
                // Those after the last row are not shown.
                Some(columns) => sampler.with_classes(|index| (index / columns as u64 % classes as u64) as u32),
                None => sampler.of_classes(images_state.classes.as_ref()),
            },
            columns,
            images_state,
            saved_at: resume.and_then(|point| point.checkpoint.as_ref()).map(|_| state.step),
            last_line: (Instant::now(), 0),
            stopwatch: Stopwatch::start(),
            timings: Timings::default(),
            experiment,
            images,
            run,
            plan,
            log,
        })
    }

    /// Whether a step is logged: every so many, those that are evaluated, and the last.
    pub(crate) fn logs_at(&self, step: u64) -> bool {
        logs_at(self.experiment, &self.plan, step)
    }

    /// Adds the time since the last lap to a part of the timings.
    pub(crate) fn lap(&mut self, part: fn(&mut Timings) -> &mut f64) {
        self.stopwatch.lap(part(&mut self.timings));
    }

    /// Takes the metrics of a step, which stay on the device.
    pub(crate) fn step(&mut self, step: u64, metrics: StepMetrics<B>, images: usize) {
        self.pending.push(step, metrics);
        self.last_line.1 += images;
        self.timings.steps += 1;
        self.timings.images += images as u64;
    }

    /// Reads the metrics that wait where the step is logged, is the first of the session, or many wait; gives those of the
    /// newest step, also to the observer where they are not logged.
    pub(crate) fn read_if(
        &mut self,
        logged: bool,
        state: &TrainingState<B, N>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<(String, f64)>, TrainingError> {
        match logged {
            true => self.read(state),
            false if self.timings.steps == 1 || self.pending.is_full() => self.read_unlogged(state, observer),
            false => Ok(Vec::new()),
        }
    }

    /// Reads the metrics that wait, and shows those of the newest step to the observer.
    fn read_unlogged(
        &mut self,
        state: &TrainingState<B, N>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<(String, f64)>, TrainingError> {
        let numbers = self.read(state)?;
        if !numbers.is_empty() {
            observer.measured(&MetricsLine {
                step: state.step,
                epoch: self.plan.epoch(state.step),
                numbers: numbers.clone(),
            });
        }
        Ok(numbers)
    }

    /// Reads the metrics that wait and gives those of the newest step; what is not finite is reported with the weights that it
    /// spoiled by now, up to 50 steps later, and the last good checkpoint.
    fn read(&mut self, state: &TrainingState<B, N>) -> Result<Vec<(String, f64)>, TrainingError> {
        self.pending.read().map_err(|error| match error {
            TrainingError::Diverged { what, value, step, .. } => {
                // Whether the checkpoint under way can be written matters less than the divergence.
                let _ = self.writer.finish();
                let weights = non_finite_weights::<B>(&state.discriminator, &state.generator);
                TrainingError::Diverged {
                    what,
                    value,
                    step,
                    advice: format!("{weights}; {}", last_good(self.run)),
                }
            }
            other => other,
        })
    }

    /// Writes a line of the log, and looks for signs that the training goes wrong.
    pub(crate) fn log(
        &mut self,
        step: u64,
        numbers: Vec<(String, f64)>,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainingError> {
        let mut line = MetricsLine {
            step,
            epoch: self.plan.epoch(step),
            numbers: Vec::new(),
        };
        for (name, value) in numbers {
            match value.is_finite() {
                true => line.set(&name, value),
                // Only an evaluator's: the others have been checked.
                false => warn!("step {step}: `{name}` is {value} and is left out of the log"),
            }
        }
        let (since, images) = self.last_line;
        // One decimal says all there is to say of a speed.
        let speed = (images as f64 / since.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        line.set(SPEED, speed);
        self.last_line = (Instant::now(), 0);
        self.log.append(&line)?;
        observer.logged(&line);
        for hint in self.health.observe(&line) {
            observer.warned(step, hint);
        }
        self.patience.iter_mut().for_each(|patience| patience.observe(&line));
        Ok(())
    }

    /// Whether the run has had its last evaluation without becoming better.
    pub(crate) fn is_out_of_patience(&self) -> bool {
        self.patience.as_ref().is_some_and(Patience::is_over)
    }

    /// Draws images from the fixed noise into `samples/`; gives them back.
    pub(crate) fn sample(
        &mut self,
        state: &TrainingState<B, N>,
        device: &B::Device,
        observer: &mut dyn Observer,
    ) -> Result<Vec<f32>, TrainingError> {
        self.read_unlogged(state, observer)?;
        let images = self.sampler.images(&state.sampling_generator(), device);
        let path = self.run.sample_path(state.step);
        let shape = self.images.shape();
        let count = match self.columns {
            // Whole rows.
            Some(columns) => columns * self.images.classes(),
            None => self.experiment.samples.count,
        };
        write_samples(&path, self.first(&images, count), shape, self.columns)?;
        observer.wrote("samples", &path);
        Ok(images)
    }

    /// An image of the class of each real one that it is shown beside.
    fn compared_by_class(&self, state: &TrainingState<B, N>, device: &B::Device) -> Vec<f32> {
        let seed = self.experiment.seed;
        let compared = compared_images(self.images, seed);
        let class = |index: u64| compared.get(index as usize).and_then(|&real| self.images.label(real));
        let sampler = Sampler::new(seed, COMPARED, state.generator.latent_size());
        let sampler = sampler.with_classes(|index| class(index).unwrap_or_default());
        sampler.images(&state.sampling_generator(), device)
    }

    /// The first of images that were drawn.
    fn first<'b>(&self, images: &'b [f32], count: usize) -> &'b [f32] {
        let area: usize = self.images.shape().iter().product();
        images.get(..count * area).unwrap_or(images)
    }

    /// Copies the state to the host and begins to write a checkpoint of it; the one before is done then.
    pub(crate) fn save(
        &mut self,
        state: &TrainingState<B, N>,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainingError> {
        self.read_unlogged(state, observer)?;
        let record = CheckpointState::new(
            (&self.experiment.backend.kind, self.experiment.seed),
            self.images_state.clone(),
            &self.plan,
            state.step,
            self.log.newest().cloned(),
        );
        let before = self.writer.begin(Snapshot::take(self.experiment, record, state)?)?;
        self.saved_at = Some(state.step);
        report_saved(observer, before);
        Ok(())
    }

    /// Reports a checkpoint that has been written meanwhile.
    pub(crate) fn poll(&mut self, observer: &mut dyn Observer) -> Result<(), TrainingError> {
        report_saved(observer, self.writer.poll()?);
        Ok(())
    }

    /// Saves what is not saved yet, waits for the disk, and draws the last pictures.
    pub(crate) fn finish(
        mut self,
        state: &TrainingState<B, N>,
        device: &B::Device,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainingError> {
        self.read_unlogged(state, observer)?;
        if self.saved_at != Some(state.step) {
            self.save(state, observer)?;
        }
        report_saved(observer, self.writer.finish()?);
        self.lap(|timings| &mut timings.saving);
        self.timings.writing = self.writer.taken().as_secs_f64();
        let drawn = self.sample(state, device, observer)?;
        let path = self.run.comparison_path();
        let generated = match state.generator.classes() {
            0 => self.first(&drawn, COMPARED).to_vec(),
            _ => self.compared_by_class(state, device),
        };
        write_comparison(&path, self.images, self.experiment.seed, &generated)?;
        observer.wrote("comparison", &path);
        self.run.write_timings(&self.timings)?;
        observer.ended(&self.timings);
        Ok(())
    }
}

fn logs_at<N, O>(experiment: &Experiment<N, O>, plan: &Plan, step: u64) -> bool {
    let due = |every| Plan::is_due(every, step);
    due(experiment.logging.every) || due(experiment.evaluation.every) || step == plan.total_steps
}

/// Says which numbers have no earlier ones to be compared with from `step` on.
fn report_other_evaluators(sessions: &[Session], step: u64) {
    let Some((now, earlier)) = sessions.split_last() else {
        return;
    };
    for Judged { numbers, basis } in &now.evaluators {
        let before = numbers
            .iter()
            .filter_map(|name| earlier.iter().rev().find_map(|session| session.basis(name)))
            .find(|before| before.by != basis.by);
        if let Some(before) = before {
            warn!(
                "{} are by {} from here on, and were by {} until step {step}: earlier ones do not compare, so they do not count for \
                 the best checkpoint, for patience and for warnings",
                numbers.join(", "),
                basis.by,
                before.by
            );
        }
    }
}

fn report_saved(observer: &mut dyn Observer, folder: Option<PathBuf>) {
    if let Some(folder) = folder {
        observer.wrote("checkpoint", &folder);
    }
}
