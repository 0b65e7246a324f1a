//! Signs that a training goes wrong, in the lines of its log.

use ganvas_data::{DataError, ImageSource};
use ganvas_model::{ADVERSARIAL_LOSS, ObjectiveSettings};

use super::{hint::Hint, moments::Moments, quality::QualityTrend, recent_losses::RecentLosses};
use crate::{
    MetricsLine,
    step::{GRADIENT_NORMS, LOSSES, PIXEL_VARIANCE},
};

/// Below this loss, in nats, the discriminator is right about every image and the generator learns little from it.
const WON_LOSS: f64 = 0.01;
/// Above this many times the loss of guessing, the discriminator is worse than no discriminator.
const WRONG_SHARE: f64 = 1.25;
/// Generated pixels that vary from image to image less than this share of what the real ones do.
const ALIKE_SHARE: f64 = 0.01;
/// Gradient norms at which 32-bit weights hardly move any more.
const VANISHED_NORM: f64 = 1e-6;
/// Gradient norms far beyond those of a training that works, 0.01 to 100 in the networks that ship.
const EXPLODED_NORM: f64 = 1e4;
/// Lines in a row that show a sign before it is reported: one bad batch is none.
const LINES: usize = 5;
/// Steps before any sign is reported: a new generator makes images that are all alike.
const FIRST_STEP: u64 = 50;

/// Hints that lines show by themselves.
const OF_LINES: [Hint; 5] = [
    Hint::DiscriminatorWon,
    Hint::DiscriminatorWrong,
    Hint::ImagesAlike,
    Hint::GradientsVanished,
    Hint::GradientsExploded,
];

/// What is known of a training whose log is watched.
#[derive(Debug, Clone, Copy)]
pub struct WatchedTraining {
    /// The variance of a pixel from image to image, of the real ones.
    pub real_variance: f64,
    /// Whether a discriminator's loss near zero says that it is right about every image.
    pub is_zero_where_won: bool,
    /// The discriminator's loss, without penalties, where it guesses; none where there is no such number.
    pub loss_of_guessing: Option<f64>,
}

/// Watches the lines of a log.
#[derive(Debug, Clone)]
pub struct Health {
    watched: WatchedTraining,
    /// Lines in a row that showed each hint.
    shown: [usize; OF_LINES.len()],
    quality: QualityTrend,
    losses: RecentLosses,
}

impl Health {
    /// A watch over a training of which this is known.
    pub fn new(watched: WatchedTraining) -> Self {
        Self {
            watched,
            shown: [0; OF_LINES.len()],
            quality: QualityTrend::default(),
            losses: RecentLosses::default(),
        }
    }

    /// A watch over a training on these images.
    pub(crate) fn of_images(
        images: &dyn ImageSource,
        batch_size: usize,
        objective: &impl ObjectiveSettings,
    ) -> Result<Self, DataError> {
        let variance = match batch_size {
            // A single image is all alike.
            1 => 0.0,
            _ => pixel_variance(images)?,
        };
        Ok(Self::new(WatchedTraining {
            real_variance: variance,
            is_zero_where_won: objective.is_zero_where_won(),
            loss_of_guessing: objective.loss_of_guessing(),
        }))
    }

    /// What the newest line completes: five lines in a row, after step 50, that show the same. Reported again only after a line
    /// that does not. The mean of the discriminator's losses is looked at over a thousand steps, numbers of quality from evaluation to evaluation.
    pub fn observe(&mut self, line: &MetricsLine) -> Vec<Hint> {
        let mut found = self.quality.observe(line);
        for (hint, shown) in OF_LINES.into_iter().zip(&mut self.shown) {
            if line.step > FIRST_STEP && is_shown_by(hint, line, &self.watched) {
                *shown += 1;
                if *shown == LINES {
                    found.push(hint);
                }
            } else {
                *shown = 0;
            }
        }
        if let Some((loss, guessing)) = adversarial_loss(line).zip(self.watched.loss_of_guessing)
            && line.step > FIRST_STEP
        {
            found.extend(self.losses.observe(line.step, loss, guessing));
        }
        found
    }
}

/// The discriminator's loss without penalties, which are no sign of who is ahead.
fn adversarial_loss(line: &MetricsLine) -> Option<f64> {
    line.get(ADVERSARIAL_LOSS).or_else(|| line.get(LOSSES[0]))
}

/// Whether a line by itself shows the hint.
fn is_shown_by(hint: Hint, line: &MetricsLine, watched: &WatchedTraining) -> bool {
    let loss = adversarial_loss(line);
    let is = |name: &str, shows: &dyn Fn(f64) -> bool| line.get(name).is_some_and(shows);
    let any_norm = |shows: &dyn Fn(f64) -> bool| GRADIENT_NORMS.iter().any(|name| is(name, shows));
    match hint {
        // An objective of one's own may have losses below zero, which say nothing of the kind.
        Hint::DiscriminatorWon => watched.is_zero_where_won && loss.is_some_and(|loss| (0.0..WON_LOSS).contains(&loss)),
        Hint::DiscriminatorWrong => loss
            .zip(watched.loss_of_guessing)
            .is_some_and(|(loss, guessing)| loss > WRONG_SHARE * guessing),
        Hint::ImagesAlike => is(PIXEL_VARIANCE, &|variance| {
            variance < ALIKE_SHARE * watched.real_variance
        }),
        Hint::GradientsVanished => any_norm(&|norm| norm < VANISHED_NORM),
        Hint::GradientsExploded => any_norm(&|norm| norm > EXPLODED_NORM),
        Hint::DiscriminatorUnsteady | Hint::VarietyLost | Hint::StillFar | Hint::QualityStalled => false,
    }
}

/// Variance of a pixel from image to image, the mean over all pixels, of the first thousand real images.
fn pixel_variance(images: &dyn ImageSource) -> Result<f64, DataError> {
    let Moments { deviations, .. } = Moments::of_images(images, 0..images.len().min(1000))?;
    let variances = deviations.iter().map(|deviation| deviation.powi(2));
    Ok(variances.sum::<f64>() / deviations.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(step: u64) -> MetricsLine {
        let numbers = [
            (LOSSES[0], 0.4),
            (LOSSES[1], 2.0),
            (GRADIENT_NORMS[0], 0.5),
            (GRADIENT_NORMS[1], 0.5),
            (PIXEL_VARIANCE, 0.2),
        ];
        MetricsLine {
            step,
            epoch: 1,
            numbers: numbers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        }
    }

    const WATCHED: WatchedTraining = WatchedTraining {
        real_variance: 0.3,
        is_zero_where_won: true,
        loss_of_guessing: Some(1.386),
    };

    fn bad(hint: Hint, step: u64) -> MetricsLine {
        let mut line = good(step);
        match hint {
            Hint::DiscriminatorWon => line.set(LOSSES[0], 0.0099),
            Hint::DiscriminatorWrong => line.set(LOSSES[0], 1.74),
            Hint::ImagesAlike => line.set(PIXEL_VARIANCE, 0.0029),
            Hint::GradientsVanished => line.set(GRADIENT_NORMS[1], 9e-7),
            Hint::GradientsExploded => line.set(GRADIENT_NORMS[0], 1.1e4),
            hint => panic!("{hint:?} is none of a line by itself"),
        }
        line
    }

    #[test]
    fn each_sign_is_reported_at_its_fifth_line_in_a_row_and_once() {
        for hint in OF_LINES {
            let mut health = Health::new(WATCHED);
            for step in 51..55 {
                assert_eq!(health.observe(&bad(hint, step)), []);
            }
            assert_eq!(health.observe(&bad(hint, 55)), [hint]);
            assert_eq!(health.observe(&bad(hint, 56)), []);
            assert_eq!(health.observe(&good(57)), []);
            let again: Vec<Hint> = (58..63).flat_map(|step| health.observe(&bad(hint, step))).collect();
            assert_eq!(again, [hint]);
        }
    }

    #[test]
    fn a_penalty_beside_the_loss_does_not_hide_who_is_ahead() {
        let penalized = |step: u64, adversarial: f64, all: f64| {
            let mut line = good(step);
            line.set(LOSSES[0], all);
            line.set(ADVERSARIAL_LOSS, adversarial);
            line
        };
        let hints = |adversarial: f64, all: f64| -> Vec<Hint> {
            let mut health = Health::new(WATCHED);
            (51..60)
                .flat_map(|step| health.observe(&penalized(step, adversarial, all)))
                .collect()
        };
        assert_eq!(hints(0.0099, 0.4), [Hint::DiscriminatorWon]);
        assert_eq!(hints(0.0101, 0.0099), []);
    }

    #[test]
    fn the_mean_over_a_thousand_steps_is_that_of_the_loss_without_penalties() {
        let mut health = Health::new(WATCHED);
        // One line in four is far above guessing, with or without what the penalty adds to all of them.
        let mut hints = |steps: std::ops::Range<u64>, above: f64| -> Vec<Hint> {
            let lines = steps.map(|step| {
                let mut line = good(step);
                line.set(LOSSES[0], 9.0);
                line.set(ADVERSARIAL_LOSS, if step % 4 == 0 { above } else { 1.35 });
                line
            });
            lines.flat_map(|line| health.observe(&line)).collect()
        };
        assert_eq!(hints(51..2000, 1.5), []);
        assert_eq!(hints(2000..4000, 9.0), [Hint::DiscriminatorUnsteady]);
    }

    #[test]
    fn a_loss_says_nothing_where_it_has_no_least_value() {
        let mut critic = Health::new(WatchedTraining {
            is_zero_where_won: false,
            loss_of_guessing: None,
            ..WATCHED
        });
        for hint in [Hint::DiscriminatorWon, Hint::DiscriminatorWrong] {
            let hints: Vec<Hint> = (51..99).flat_map(|step| critic.observe(&bad(hint, step))).collect();
            assert_eq!(hints, []);
        }
    }

    #[test]
    fn nothing_is_reported_early_or_of_values_beside_the_thresholds() {
        let mut health = Health::new(WATCHED);
        for hint in OF_LINES {
            for step in 1..=50 {
                assert_eq!(health.observe(&bad(hint, step)), []);
            }
        }
        let mut beside = good(0);
        beside.set(PIXEL_VARIANCE, 0.0031);
        beside.set(GRADIENT_NORMS[0], 9.9e3);
        beside.set(GRADIENT_NORMS[1], 1.1e-6);
        for (step, loss) in (51..100).map(|step| (step, if step < 75 { 0.0101 } else { 1.73 })) {
            beside.set(LOSSES[0], loss);
            assert_eq!(health.observe(&MetricsLine { step, ..beside.clone() }), []);
        }
    }
}
