//! The progress of a training: a bar on a terminal, plain lines elsewhere.

use std::{
    io::{IsTerminal, stderr},
    path::Path,
    time::{Duration, Instant},
};

use ganvas_training::{Hint, MetricsLine, Observer, Plan, Timings};
use indicatif::ProgressBar;
use tracing::{debug, info, warn};

use crate::screen::{hide, show, style};

/// Without a terminal, a line is written at most so often, so that hours of training do not fill a log.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Shows a run on the terminal.
pub struct TrainingProgress {
    bar: Option<ProgressBar>,
    plan: Option<Plan>,
    first_step: u64,
    started: Instant,
    last_plain: Option<Instant>,
    /// The number that `[checkpoint.best]` goes by, and its newest value, shown beside the losses.
    metric: Option<(String, Option<f64>)>,
    quiet: bool,
}

impl TrainingProgress {
    pub fn new(metric: Option<String>) -> Self {
        let quiet = !tracing::enabled!(tracing::Level::INFO);
        Self {
            bar: None,
            plan: None,
            first_step: 0,
            started: Instant::now(),
            last_plain: None,
            metric: metric.map(|name| (name, None)),
            quiet,
        }
    }

    fn seconds_left(&self, step: u64) -> Option<u64> {
        let done = step.checked_sub(self.first_step).filter(|&done| done > 0)?;
        let left = self.plan?.total_steps.saturating_sub(step);
        Some((self.started.elapsed().as_secs_f64() / done as f64 * left as f64).round() as u64)
    }
}

impl Drop for TrainingProgress {
    fn drop(&mut self) {
        hide();
    }
}

impl Observer for TrainingProgress {
    fn started(&mut self, plan: &Plan, step: u64) {
        info!(
            "training: {} steps, {} epochs of {} batches of {}{}",
            plan.total_steps,
            plan.epochs(),
            plan.batches_per_epoch,
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
        if stderr().is_terminal() && !self.quiet {
            let bar = ProgressBar::new(plan.total_steps).with_position(step);
            bar.set_style(style("{prefix} {wide_bar:.cyan/dim} {pos}/{len}  {msg}"));
            bar.set_prefix(format!("epoch {}/{}", plan.epoch(step + 1), plan.epochs()));
            bar.enable_steady_tick(Duration::from_millis(250));
            show(&bar);
            self.bar = Some(bar);
        }
    }

    fn ended(&mut self, timings: &Timings) {
        let share = |seconds: f64| 100.0 * seconds / timings.total();
        if timings.steps > 0 {
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
    }

    fn stepped(&mut self, step: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(step);
        }
    }

    fn logged(&mut self, line: &MetricsLine) {
        let Some(plan) = self.plan else { return };
        let left = self.seconds_left(line.step).map_or_else(|| "?".into(), duration);
        let number = |name: &str| line.get(name).unwrap_or(f64::NAN);
        let mut losses = format!(
            "D {:.3}  G {:.3}  {:.0} images/s  {left} left",
            number("loss/discriminator"),
            number("loss/generator"),
            number("images_per_second")
        );
        if let Some((name, newest)) = &mut self.metric {
            *newest = line.get(name).or(*newest);
            if let Some(value) = newest {
                // At the end and without its group, because a terminal may be narrow.
                let name = name.rsplit('/').next().unwrap_or(name);
                losses += &format!("  {name} {value:.4}");
            }
        }

        match &self.bar {
            Some(bar) => {
                bar.set_prefix(format!("epoch {}/{}", line.epoch, plan.epochs()));
                bar.set_message(losses);
            }
            None => {
                let due = self.last_plain.is_none_or(|last| last.elapsed() >= PLAIN_INTERVAL);
                if due || line.step == plan.total_steps {
                    self.last_plain = Some(Instant::now());
                    info!(
                        "epoch {}/{}  step {}/{}  {losses}",
                        line.epoch,
                        plan.epochs(),
                        line.step,
                        plan.total_steps
                    );
                }
            }
        }
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

/// Seconds as a person says them: `42 s`, `3 min 05 s`, `2 h 10 min`.
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}
