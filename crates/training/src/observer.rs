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
    /// The numbers of a step were read from the device without being logged: those of the session's first step, and those of
    /// steps at which the loop has to read anyway. `line` has no speed and no evaluator's numbers.
    fn measured(&mut self, line: &MetricsLine) {
        let _ = line;
    }
    /// The evaluators begin, which may take as long as many steps.
    fn evaluating(&mut self, step: u64) {
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
