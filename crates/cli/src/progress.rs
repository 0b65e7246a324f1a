//! The progress of a training: a bar on a terminal that can draw one, plain lines elsewhere.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use ganvas_training::{Hint, MetricsLine, Observer, Plan, Timings, counted};
use tracing::{debug, info, warn};

use crate::{
    progress_line::{Note, ProgressLine, Unit},
    screen::{self, Progress},
    words::duration,
};

/// Without a bar, a line is written at most so often, so that hours of training do not fill a log.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// The losses that stand beside the steps, the discriminator's first.
const SHOWN_LOSSES: [&str; 2] = ["loss/discriminator", "loss/generator"];

/// Shows a run on the terminal.
pub struct TrainingProgress {
    /// From the beginning on: building the networks and looking through the images takes a while, too.
    bar: Progress,
    plan: Option<Plan>,
    first_step: u64,
    started: Instant,
    /// When the first step was done, which compiles, tunes and allocates what the others use.
    warm: Option<Instant>,
    last_plain: Option<Instant>,
    losses: Option<String>,
    speed: Option<f64>,
    /// The number that `[checkpoint.best]` goes by, and its newest value, shown beside the losses.
    metric: Option<(String, Option<f64>)>,
}

impl TrainingProgress {
    pub fn new(metric: Option<String>) -> Self {
        Self {
            bar: screen::spinner("preparing"),
            plan: None,
            first_step: 0,
            started: Instant::now(),
            warm: None,
            last_plain: None,
            losses: None,
            speed: None,
            // Both losses are shown anyhow.
            metric: metric
                .filter(|name| !SHOWN_LOSSES.contains(&name.as_str()))
                .map(|name| (name, None)),
        }
    }

    fn seconds_left(&self, step: u64) -> Option<u64> {
        let left = self.plan?.total_steps.saturating_sub(step) as f64;
        let done = step.checked_sub(self.first_step).filter(|&done| done > 0)?;
        let seconds = match (done, self.warm) {
            (2.., Some(warm)) => warm.elapsed().as_secs_f64() / (done - 1) as f64,
            _ => self.started.elapsed().as_secs_f64() / done as f64,
        };
        Some((seconds * left).round() as u64)
    }

    /// Images a second since the beginning, for as long as no line of the log says it better.
    fn speed_so_far(&self, step: u64) -> Option<f64> {
        let plan = self.plan?;
        let done = step.checked_sub(self.first_step).filter(|&done| done > 0)?;
        let images = (done * plan.batches_per_step) as f64 * plan.batch_size as f64;
        Some(images / self.started.elapsed().as_secs_f64())
    }

    /// What stands beside the steps, the least important with the highest rank.
    fn notes(&self, step: u64) -> Vec<Note> {
        let mut notes = Vec::new();
        notes.extend(self.losses.as_ref().map(|losses| Note::new(0, losses)));
        let speed = self.speed.or_else(|| self.speed_so_far(step));
        notes.extend(speed.map(|speed| Note::new(6, format!("{speed:.0} images/s"))));
        if let Some((name, Some(value))) = &self.metric {
            // Without its group, because a terminal may be narrow.
            let name = name.rsplit('/').next().unwrap_or(name);
            notes.push(Note::new(4, format!("{name} {value:.4}")));
        }
        notes
    }

    /// The numbers of a step, logged or not.
    fn take(&mut self, line: &MetricsLine) {
        let number = |name: &str| line.get(name);
        if let [Some(of_discriminator), Some(of_generator)] = SHOWN_LOSSES.map(number) {
            self.losses = Some(format!("D {of_discriminator:.3}  G {of_generator:.3}"));
        }
        self.speed = number("images_per_second").or(self.speed);
        if let Some((name, newest)) = &mut self.metric {
            *newest = line.get(name).or(*newest);
        }
        self.redraw(line.step);

        // The last step has a line of its own, when everything is written.
        let Some(plan) = self.plan.filter(|plan| line.step < plan.total_steps) else {
            return;
        };
        let due = self.last_plain.is_none_or(|last| last.elapsed() >= PLAIN_INTERVAL);
        if due && !self.bar.is_shown() {
            self.last_plain = Some(Instant::now());
            let left = self
                .seconds_left(line.step)
                .map(|seconds| Note::time(1, seconds, " left"));
            info!(
                "{}",
                plain(&plan, line.step, self.notes(line.step).into_iter().chain(left))
            );
        }
    }

    fn redraw(&self, step: u64) {
        let Some(plan) = self.plan else { return };
        self.bar.update(|line| {
            line.what = format!("epoch {}/{}", plan.epoch(step.max(1)), plan.epochs());
            line.position = step;
            let mut notes = self.notes(step);
            notes.extend(self.seconds_left(step).map(|seconds| Note::time(1, seconds, " left")));
            line.notes = Some(notes);
        });
    }
}

/// A line without a bar.
fn plain(plan: &Plan, step: u64, notes: impl Iterator<Item = Note>) -> String {
    let start = format!(
        "epoch {}/{}  step {step}/{}",
        plan.epoch(step),
        plan.epochs(),
        plan.total_steps
    );
    notes.fold(start, |line, note| line + "  " + &note.text)
}

impl Observer for TrainingProgress {
    fn started(&mut self, plan: &Plan, step: u64) {
        info!(
            "training: {}, {} of {} of {}{}",
            counted(plan.total_steps, "step"),
            counted(plan.epochs(), "epoch"),
            counted(plan.batches_per_epoch, "batch"),
            plan.batch_size,
            if step > 0 {
                format!(", going on after step {step}")
            } else {
                String::new()
            },
        );
        self.plan = Some(*plan);
        self.first_step = step;
        self.started = Instant::now();
        // The old line goes first, so that it does not come back between the two.
        self.bar = screen::nothing();
        self.bar = screen::show(ProgressLine::new("", step, Some(plan.total_steps), Unit::Things));
        self.redraw(step);
    }

    fn stepped(&mut self, step: u64) {
        self.warm.get_or_insert_with(Instant::now);
        self.redraw(step);
    }

    fn measured(&mut self, line: &MetricsLine) {
        self.take(line);
    }

    fn evaluating(&mut self, _step: u64) {
        self.bar
            .update(|line| line.notes = Some(vec![Note::new(0, "evaluating")]));
    }

    fn logged(&mut self, line: &MetricsLine) {
        self.take(line);
    }

    fn ended(&mut self, timings: &Timings) {
        self.bar = screen::nothing();
        let Some(plan) = self.plan.filter(|_| timings.steps > 0) else {
            return;
        };
        let elapsed = self.started.elapsed().as_secs_f64();
        self.speed = Some(timings.images as f64 / elapsed);
        let time = Note::new(1, format!("in {}", duration(elapsed.round() as u64)));
        let step = self.first_step + timings.steps;
        let notes = self.notes(step).into_iter().chain([time]);
        info!("{}", plain(&plan, step, notes));

        let share = |seconds: f64| 100.0 * seconds / timings.total();
        info!(
            "time: updates {:.1} %, data {:.1} %, logging {:.1} %, {}samples {:.1} %, checkpoints {:.1} %",
            share(timings.updates),
            share(timings.data),
            share(timings.logging),
            match timings.evaluation > 0.0 {
                true => format!("evaluation {:.1} %, ", share(timings.evaluation)),
                false => String::new(),
            },
            share(timings.sampling),
            share(timings.saving)
        );
    }

    fn warned(&mut self, step: u64, hint: Hint) {
        warn!("step {step}: {hint}");
    }

    fn wrote(&mut self, what: &str, path: &Path) {
        debug!("{what}: {}", path.display());
    }

    fn wants_to_stop(&mut self) -> bool {
        crate::interrupt::asked()
    }
}
