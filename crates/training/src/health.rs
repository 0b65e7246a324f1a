//! Signs that a training goes wrong, in the lines of its log.

use std::fmt;

use crate::MetricsLine;

/// Below this loss, in nats, the discriminator is right about every image and the generator learns little from it.
const WON_LOSS: f32 = 0.01;
/// Generated pixels that vary from image to image less than this share of what the real ones do.
const ALIKE_SHARE: f32 = 0.01;
/// Gradient norms at which 32-bit weights hardly move any more.
const VANISHED_NORM: f32 = 1e-6;
/// Gradient norms far beyond those of a training that works, 0.01 to 100 in the networks of this crate.
const EXPLODED_NORM: f32 = 1e4;
/// Lines in a row that show a sign before it is told: one bad batch is none.
const LINES: usize = 5;
/// Steps before any sign is told: a fresh generator makes images that are all alike.
const FIRST_STEP: u64 = 50;

/// A sign, with what to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// The discriminator's loss stays below 0.01 nats.
    DiscriminatorWon,
    /// The variance of generated pixels across a batch stays below 1 % of the real images'.
    ImagesAlike,
    /// The norm of a network's gradients stays below 1e-6.
    GradientsVanished,
    /// The norm of a network's gradients stays above 1e4.
    GradientsExploded,
}

impl Hint {
    const ALL: [Self; 4] = [
        Self::DiscriminatorWon,
        Self::ImagesAlike,
        Self::GradientsVanished,
        Self::GradientsExploded,
    ];

    fn is_shown_by(self, line: &MetricsLine, real_variance: f32) -> bool {
        let norms = [line.discriminator_gradient_norm, line.generator_gradient_norm];
        match self {
            Self::DiscriminatorWon => line.discriminator_loss < WON_LOSS,
            Self::ImagesAlike => line.fake_pixel_variance < ALIKE_SHARE * real_variance,
            Self::GradientsVanished => norms.iter().any(|&norm| norm < VANISHED_NORM),
            Self::GradientsExploded => norms.iter().any(|&norm| norm > EXPLODED_NORM),
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DiscriminatorWon => {
                "the discriminator is right about every image (loss below 0.01), so the generator learns little; try a \
                 smaller optimizer.discriminator.learning_rate or a wider generator"
            }
            Self::ImagesAlike => {
                "the generated images are all alike (their pixels vary less than 1 % of what the real ones do); go back \
                 to an earlier checkpoint, try smaller learning rates or a larger data.batch_size"
            }
            Self::GradientsVanished => {
                "a network's gradients have vanished (norm below 1e-6), so it stands still; try loss.kind = \
                 \"non-saturating\" or a smaller optimizer.discriminator.learning_rate"
            }
            Self::GradientsExploded => {
                "a network's gradients explode (norm above 1e4); try smaller learning rates"
            }
        })
    }
}

/// Watches the lines of a log.
#[derive(Debug, Clone)]
pub struct Health {
    real_variance: f32,
    /// Lines in a row that showed each hint.
    shown: [usize; Hint::ALL.len()],
}

impl Health {
    /// A watch over a training on images with this variance of a pixel from image to image.
    pub fn new(real_variance: f32) -> Self {
        Self {
            real_variance,
            shown: [0; Hint::ALL.len()],
        }
    }

    /// What the newest line completes: five lines in a row, after step 50, that show the same. Told again only after a line
    /// that does not.
    pub fn observe(&mut self, line: &MetricsLine) -> Vec<Hint> {
        let mut told = Vec::new();
        for (hint, shown) in Hint::ALL.into_iter().zip(&mut self.shown) {
            if line.step > FIRST_STEP && hint.is_shown_by(line, self.real_variance) {
                *shown += 1;
                if *shown == LINES {
                    told.push(hint);
                }
            } else {
                *shown = 0;
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(step: u64) -> MetricsLine {
        MetricsLine {
            step,
            epoch: 1,
            discriminator_loss: 0.4,
            generator_loss: 2.0,
            real_logit: 1.0,
            fake_logit: -1.0,
            discriminator_gradient_norm: 0.5,
            generator_gradient_norm: 0.5,
            fake_pixel_variance: 0.2,
            images_per_second: 1000.0,
        }
    }

    fn bad(hint: Hint, step: u64) -> MetricsLine {
        let line = good(step);
        match hint {
            Hint::DiscriminatorWon => MetricsLine {
                discriminator_loss: 0.0099,
                ..line
            },
            Hint::ImagesAlike => MetricsLine {
                fake_pixel_variance: 0.0029,
                ..line
            },
            Hint::GradientsVanished => MetricsLine {
                generator_gradient_norm: 9e-7,
                ..line
            },
            Hint::GradientsExploded => MetricsLine {
                discriminator_gradient_norm: 1.1e4,
                ..line
            },
        }
    }

    #[test]
    fn each_sign_is_told_at_its_fifth_line_in_a_row_and_once() {
        for hint in Hint::ALL {
            let mut health = Health::new(0.3);
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
    fn nothing_is_told_early_or_of_values_beside_the_thresholds() {
        let mut health = Health::new(0.3);
        for hint in Hint::ALL {
            for step in 1..=50 {
                assert_eq!(health.observe(&bad(hint, step)), []);
            }
        }
        let beside = MetricsLine {
            discriminator_loss: 0.0101,
            fake_pixel_variance: 0.0031,
            generator_gradient_norm: 1.1e-6,
            discriminator_gradient_norm: 9.9e3,
            ..good(0)
        };
        for step in 51..100 {
            assert_eq!(health.observe(&MetricsLine { step, ..beside.clone() }), []);
        }
    }
}
