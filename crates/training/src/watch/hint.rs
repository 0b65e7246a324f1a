//! Signs that a training goes wrong, in words.

use std::fmt;

/// A sign, with what to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// The discriminator's loss stays below 0.01 nats.
    DiscriminatorWon,
    /// The discriminator's loss stays a quarter above that of guessing.
    DiscriminatorWrong,
    /// The mean of the discriminator's losses over a thousand steps is 5 % above that of guessing, though many of them are below.
    DiscriminatorUnsteady,
    /// The variance of generated pixels across a batch stays below 1 % of the real images'.
    ImagesAlike,
    /// The norm of a network's gradients stays below 1e-6.
    GradientsVanished,
    /// The norm of a network's gradients stays above 1e4.
    GradientsExploded,
    /// Recall, coverage or the entropy of classes is less than half of its best in two evaluations in a row.
    VarietyLost,
    /// Four evaluations in a row brought no distance that is a tenth better, and hardly an image lies among the real ones.
    StillFar,
    /// Eight evaluations in a row brought no distance that is a tenth better.
    QualityStalled,
}

impl fmt::Display for Hint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DiscriminatorWon => {
                "the discriminator is right about every image (loss below 0.01), so the generator learns little; try a \
                 penalty on its gradients or a larger one (objective.r1), a smaller optimizer.discriminator.learning_rate or a wider generator"
            }
            Self::DiscriminatorWrong => {
                "the discriminator does worse than one that guesses (its loss stays a quarter above): its steps were too large, then go back \
                 to an earlier checkpoint and set optimizer.discriminator.clip_gradients or a smaller learning_rate there; or they are too \
                 small to follow the generator, then try a larger one or, in a new run, training.discriminator_steps"
            }
            Self::DiscriminatorUnsteady => {
                "over a thousand steps the discriminator did worse in the mean than one that guesses, though it knows better at times: again and \
                 again its steps are too large, and what it knew is lost; try a smaller optimizer.discriminator.learning_rate (--learning-rate sets both), a rate that falls \
                 earlier (schedule.hold), or optimizer.discriminator.clip_gradients"
            }
            Self::ImagesAlike => {
                "the generated images are all alike (their pixels vary less than 1 % of what the real ones do); go back \
                 to an earlier checkpoint, try smaller learning rates or a larger data.batch_size"
            }
            Self::GradientsVanished => {
                "a network's gradients have vanished (norm below 1e-6), so it stands still; try objective.loss = \
                 \"non-saturating\" or a smaller optimizer.discriminator.learning_rate"
            }
            Self::GradientsExploded => {
                "a network's gradients explode (norm above 1e4); try smaller learning rates, optimizer.*.clip_gradients or a larger \
                 objective.r1"
            }
            Self::VarietyLost => {
                "the generator collapses onto fewer images (recall, coverage or class_entropy has fallen below half of its \
                 best); go back to an earlier checkpoint, try objective.r1 and r2, smaller learning rates, a larger data.batch_size, or model.packing"
            }
            Self::StillFar => {
                "the images are far from real ones, and four evaluations in a row brought none nearer; some networks stay so for \
                 epochs and then learn (`blog` does): give it as long again, or try a smaller \
                 optimizer.discriminator.learning_rate"
            }
            Self::QualityStalled => {
                "eight evaluations in a row brought no distance that is a tenth better: this is about what these settings reach; \
                 try learning rates that fall ([schedule]), ema.half_life, objective.r1, and keep the best with [checkpoint.best]"
            }
        })
    }
}
