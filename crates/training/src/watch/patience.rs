//! Ending a run that does not become better any more.

use crate::{Experiment, Goal, MetricsLine, Plan};

/// Counts the evaluations since the number of `[checkpoint.best]` was at its best.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Patience {
    metric: String,
    goal: Goal,
    /// Steps between two evaluations.
    every: u64,
    /// Evaluations without a better number that end the run.
    evaluations: u64,
    best: Option<f64>,
    since_best: u64,
}

impl Patience {
    /// What an experiment asks for, where it asks for any.
    pub(crate) fn of<N, O>(experiment: &Experiment<N, O>) -> Option<Self> {
        let best = experiment.checkpoint.best.as_ref()?;
        (experiment.evaluation.patience > 0).then(|| Self {
            metric: best.metric.clone(),
            goal: best.goal,
            every: experiment.evaluation.every,
            evaluations: experiment.evaluation.patience,
            best: None,
            since_best: 0,
        })
    }

    /// Takes a line of the log, those of an earlier session included; only evaluated steps count.
    pub(crate) fn observe(&mut self, line: &MetricsLine) {
        let Some(value) = line.get(&self.metric).filter(|_| Plan::is_due(self.every, line.step)) else {
            return;
        };
        let is_better = |best: f64| match self.goal {
            Goal::Min => value < best,
            Goal::Max => value > best,
        };
        if self.best.is_none_or(is_better) {
            (self.best, self.since_best) = (Some(value), 0);
        } else {
            self.since_best += 1;
        }
    }

    /// Whether the run has had as many evaluations as it may without becoming better.
    pub(crate) fn is_over(&self) -> bool {
        self.since_best >= self.evaluations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends_at(goal: Goal, values: &[f64]) -> Option<u64> {
        let mut patience = Patience {
            metric: "fid".into(),
            goal,
            every: 2,
            evaluations: 3,
            best: None,
            since_best: 0,
        };
        let lines = (1..).zip(values).flat_map(|(step, &value)| {
            // A step that is logged and not evaluated counts for nothing, whatever stands there.
            [(2 * step - 1, 0.0), (2 * step, value)]
        });
        for (step, value) in lines {
            let numbers = vec![("fid".to_owned(), value)];
            let epoch = 1;
            patience.observe(&MetricsLine { step, epoch, numbers });
            if patience.is_over() {
                return Some(step);
            }
        }
        None
    }

    #[test]
    fn a_run_ends_with_the_last_evaluation_that_patience_has() {
        assert_eq!(ends_at(Goal::Min, &[9.0, 8.0, 8.0, 9.0, 8.5, 1.0]), Some(10));
        assert_eq!(ends_at(Goal::Min, &[9.0, 9.0, 9.0, 8.0, 8.0, 8.0]), None);
        assert_eq!(ends_at(Goal::Max, &[1.0, 2.0, 1.0, 2.0, 1.0]), Some(10));
        assert_eq!(ends_at(Goal::Max, &[1.0, 2.0, 3.0, 4.0, 5.0]), None);
    }
}
