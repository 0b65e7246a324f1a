//! Who watches a run.

use std::path::Path;

use crate::{Hint, MetricsLine, Plan, Timings};

/// Watches a run, and may stop it. Nothing has to be done; `()` does nothing.
pub trait Observer {
    /// The run begins, or goes on, after `step` steps.
    fn started(&mut self, plan: &Plan, step: u64) {
        let _ = (plan, step);
    }
    /// A step is done.
    fn stepped(&mut self, step: u64) {
        let _ = step;
    }
    /// A line was written to `metrics.jsonl`.
    fn logged(&mut self, line: &MetricsLine) {
        let _ = line;
    }
    /// The log shows a sign that the training goes wrong.
    fn warned(&mut self, step: u64, hint: Hint) {
        let _ = (step, hint);
    }
    /// A file or folder stands complete.
    fn wrote(&mut self, what: &str, path: &Path) {
        let _ = (what, path);
    }
    /// The loop has ended, finished or stopped.
    fn ended(&mut self, timings: &Timings) {
        let _ = timings;
    }
    /// Asked after every step; true ends the run there, saved.
    fn wants_to_stop(&mut self) -> bool {
        false
    }
}

impl Observer for () {}
