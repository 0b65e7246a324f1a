//! A sign in the mean of the discriminator's losses that single lines hide.

use std::collections::VecDeque;

use super::hint::Hint;

/// Steps that the mean is of. A healthy training is thrown back for a few hundred at times and gets over it.
const STEPS: u64 = 1000;
/// The fewest lines that a mean is made of.
const LINES: usize = 20;
/// Above this many times the loss of guessing, what the discriminator learns is lost again and again.
const UNSTEADY_SHARE: f64 = 1.15;

/// The discriminator's losses in the newest lines.
#[derive(Debug, Clone, Default)]
pub(super) struct RecentLosses {
    /// With their steps, oldest first.
    lines: VecDeque<(u64, f64)>,
    /// Whether it has been reported since the mean was last below the loss of guessing.
    is_told: bool,
}

impl RecentLosses {
    /// What the newest line completes, where guessing has this loss.
    pub(super) fn observe(&mut self, step: u64, loss: f64, guessing: f64) -> Option<Hint> {
        self.lines.push_back((step, loss));
        // All of them but the oldest lie within the window, so it is full when that one is not.
        while self.lines.get(1).is_some_and(|&(second, _)| second + STEPS <= step) {
            self.lines.pop_front();
        }
        let is_full = self.lines.front().is_some_and(|&(oldest, _)| oldest + STEPS <= step);
        if !is_full || self.lines.len() < LINES {
            return None;
        }
        let mean = self.lines.iter().map(|(_, loss)| loss).sum::<f64>() / self.lines.len() as f64;
        if mean < guessing {
            self.is_told = false;
        }
        let is_new = mean > UNSTEADY_SHARE * guessing && !self.is_told;
        self.is_told |= is_new;
        is_new.then_some(Hint::DiscriminatorUnsteady)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUESSING: f64 = 1.386;

    /// The steps at which the losses of lines bring the hint.
    fn reported(every: u64, losses: impl Iterator<Item = f64>) -> Vec<u64> {
        let mut recent = RecentLosses::default();
        let lines = (1..).map(|line| line * every).zip(losses);
        lines
            .filter_map(|(step, loss)| recent.observe(step, loss, GUESSING).map(|_| step))
            .collect()
    }

    #[test]
    fn losses_that_are_thrown_up_again_and_again_are_reported_once() {
        // A quarter of the lines is at more than twice the loss of guessing, and never two in a row.
        let losses = (0..1000).map(|line| if line % 4 == 0 { 3.0 } else { 1.3 });
        assert_eq!(reported(10, losses), [1010]);
    }

    #[test]
    fn a_few_hundred_bad_steps_are_not() {
        let losses = (0..1000).map(|line| if (300..330).contains(&line) { 2.0 } else { 1.3 });
        assert_eq!(reported(10, losses), []);
        assert_eq!(reported(10, std::iter::repeat_n(1.59, 1000)), []);
    }

    #[test]
    fn it_is_reported_again_after_a_mean_below_guessing() {
        let losses = (0..600).map(|line| if (200..400).contains(&line) { 1.2 } else { 1.7 });
        let found = reported(10, losses);
        assert_eq!(found.len(), 2);
        assert!((4010..5010).contains(&found[1]), "{found:?}");
    }

    #[test]
    fn few_lines_are_no_mean() {
        // Eleven lines in a thousand steps.
        assert_eq!(reported(100, std::iter::repeat_n(2.0, 100)), []);
        assert_eq!(reported(50, std::iter::repeat_n(2.0, 100)), [1050]);
        assert_eq!(reported(1, std::iter::repeat_n(2.0, 1000)), []);
        assert_eq!(reported(1, std::iter::repeat_n(2.0, 1001)), [1001]);
    }
}
