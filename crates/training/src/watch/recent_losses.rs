//! A sign in the mean of the discriminator's losses that single lines hide.

use std::collections::VecDeque;

use super::hint::Hint;

/// Steps that the mean is of. A healthy training is thrown back for a few hundred at times and gets over it.
const STEPS: u64 = 1000;
/// The fewest lines that a mean is made of, over however many steps.
const LINES: usize = 20;
/// A line counts as no more than this many times the loss of guessing: one that is far out is none of many.
const MOST_SHARE: f64 = 2.0;
/// Above this many times the loss of guessing, what the discriminator learns is lost again and again. Twelve trainings that came to good images
/// stayed at 1.02 or below, two that did not were at 1.07 and 1.09 (`docs/experiments.md`).
const UNSTEADY_SHARE: f64 = 1.05;
/// The least share of lines below the loss of guessing: with fewer, the discriminator is not thrown back but wrong, or too slow.
const GOOD_SHARE: f64 = 0.25;

/// The discriminator's losses in the newest lines.
#[derive(Debug, Clone, Default)]
pub(super) struct RecentLosses {
    /// With their steps, oldest first.
    lines: VecDeque<(u64, f64)>,
    /// Whether it has been reported since the mean was last below the loss of guessing.
    is_reported: bool,
}

impl RecentLosses {
    /// What the newest line completes, where guessing has this loss.
    pub(super) fn observe(&mut self, step: u64, loss: f64, guessing: f64) -> Option<Hint> {
        self.lines.push_back((step, loss.min(MOST_SHARE * guessing)));
        let is_before = |line: Option<&(u64, f64)>| line.is_some_and(|&(before, _)| before + STEPS <= step);
        // The oldest line stays the only one that is older than the window, so that its being there says that the window is full.
        while self.lines.len() > LINES && is_before(self.lines.get(1)) {
            self.lines.pop_front();
        }
        let count = self.lines.len();
        if count < LINES || !is_before(self.lines.front()) {
            return None;
        }
        let mean = self.lines.iter().map(|(_, loss)| loss).sum::<f64>() / count as f64;
        let good = self.lines.iter().filter(|&&(_, loss)| loss < guessing).count();
        if mean < guessing {
            self.is_reported = false;
        }
        let is_shown = mean > UNSTEADY_SHARE * guessing && good as f64 >= GOOD_SHARE * count as f64;
        let is_new = is_shown && !self.is_reported;
        self.is_reported |= is_new;
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

    /// So many lines, of which one in so many is far above guessing and the others are a little below.
    fn thrown_back(lines: u64, one_in: u64) -> impl Iterator<Item = f64> {
        (0..lines).map(move |line| if line % one_in == 0 { 9.0 } else { 1.35 })
    }

    #[test]
    fn losses_that_are_thrown_up_again_and_again_are_reported_once() {
        assert_eq!(reported(10, thrown_back(1000, 4)), [1010]);
        assert!(reported(1, thrown_back(1000, 4)).is_empty());
        assert_eq!(reported(1, thrown_back(1001, 4)), [1001]);
        // However seldom lines are written, of twenty.
        assert_eq!(reported(50, thrown_back(100, 4)), [1050]);
        assert_eq!(reported(100, thrown_back(100, 4)), [2000]);
        assert_eq!(reported(5000, thrown_back(100, 4)), [100_000]);
    }

    #[test]
    fn a_few_bad_lines_are_not() {
        assert!(reported(10, thrown_back(1000, 50)).is_empty());
        assert!(reported(100, thrown_back(1000, 50)).is_empty());
        assert!(reported(10, std::iter::repeat_n(1.45, 1000)).is_empty());
    }

    #[test]
    fn a_discriminator_that_is_always_wrong_is_not_thrown_back() {
        assert!(reported(10, std::iter::repeat_n(2.0, 1000)).is_empty());
    }

    #[test]
    fn it_is_reported_again_after_a_mean_below_guessing() {
        let losses = thrown_back(200, 4)
            .chain(std::iter::repeat_n(1.2, 200))
            .chain(thrown_back(200, 4));
        let found = reported(10, losses);
        assert_eq!(found.len(), 2);
        assert!((4010..5010).contains(&found[1]), "{found:?}");
    }
}
