//! Where the time of a run goes.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Seconds that the latest session of a run spent on each part of the loop; `timings.json` in the run directory.
///
/// On a GPU the host hands out work and goes on, so that the device's time is found where the host waits for it: mostly in
/// `logging`, which reads the losses.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Steps of the session.
    pub steps: u64,
    /// Real images in them.
    #[serde(default)]
    pub images: u64,
    /// Waiting for batches, and moving them to the device.
    pub data: f64,
    /// Both networks' updates and the average.
    pub updates: f64,
    /// Reading losses, `metrics.jsonl`, calling the observer.
    pub logging: f64,
    /// The evaluators.
    #[serde(default)]
    pub evaluation: f64,
    /// `samples/`
    pub sampling: f64,
    /// `checkpoints/`: copying the state to the host, and waiting for the writing thread.
    pub saving: f64,
    /// The writing thread's own, beside all of the above; the most that it can have taken from the steps.
    pub writing: f64,
}

impl Timings {
    /// All parts of the loop, which is all but [`writing`](Self::writing).
    pub fn total(&self) -> f64 {
        self.data + self.updates + self.logging + self.evaluation + self.sampling + self.saving
    }
}

/// Measures how long each part took, one after the other.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Adds the time since the last lap.
    pub(crate) fn lap(&mut self, seconds: &mut f64) {
        let now = Instant::now();
        *seconds += (now - self.0).as_secs_f64();
        self.0 = now;
    }
}
