//! What an objective is.

use std::fmt::Debug;

use burn::tensor::{Tensor, backend::AutodiffBackend};
use serde::{Serialize, de::DeserializeOwned};

use super::{batch::Batch, report::Report};
use crate::{BufferUpdates, ModelError};

/// What the discriminator minimizes, and what its buffers want to become.
#[derive(Debug)]
pub struct DiscriminatorLoss<B: AutodiffBackend> {
    /// `[1]`
    pub loss: Tensor<B, 1>,
    /// Of the passes that count as the discriminator's own; those of a penalty's extra passes are best dropped.
    pub updates: BufferUpdates<B>,
}

/// What both networks minimize, computed from the networks and the batch: an adversarial loss, a penalty, or a
/// [weighted sum](crate::WeightedSum) of such parts.
///
/// It may pass through the networks as often as it wants. Burn 0.21 loses gradients where two graphs that share a parameter
/// wait at the same time, so everything that a loss depends on belongs into the one loss that is returned. A penalty on the gradient
/// with respect to the images is made of [`forward_recorded`](crate::Discriminator::forward_recorded); where a gradient is wanted as a mere
/// direction, take it through a frozen copy (`discriminator.clone().no_grad()`) with a backward pass of its own, and detach it.
pub trait Objective<B: AutodiffBackend, G, D>: Debug {
    /// The discriminator's loss on the real images of `batch` and on generated ones.
    ///
    /// # Shapes
    /// - fake: `[rows, channels, height, width]`, made of the batch's z, without the generator's graph
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B>;

    /// The generator's loss, `[1]`, through a frozen discriminator: its weights need no gradient, and its buffer
    /// updates are dropped.
    ///
    /// # Shapes
    /// - fake: as above, with the generator's graph
    fn generator(
        &self,
        generator: &G,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1>;
}

/// The settings of an objective: the section `[objective]` of an experiment.
pub trait ObjectiveSettings: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ModelError::Config`] naming the key, what was given and what would do.
    fn validate(&self) -> Result<(), ModelError> {
        Ok(())
    }

    /// Whether the discriminator's loss, without penalties, is near zero, and never below, where it is right about every image.
    fn is_zero_where_won(&self) -> bool {
        true
    }

    /// What the discriminator's loss, without penalties ([`ADVERSARIAL_LOSS`](crate::ADVERSARIAL_LOSS) where that is reported), is where it gives every
    /// image the same logit, the best that says nothing: more than that for long is a sign that it was thrown off. None where there is no such number.
    fn loss_of_guessing(&self) -> Option<f64> {
        None
    }

    /// Whether the discriminator's gradient with respect to the images is penalized, which not every network has
    /// ([`check_input_gradient`](crate::check_input_gradient) is asked before training). Settings that hold others of which one does must
    /// say so, too.
    fn needs_input_gradient(&self) -> bool {
        false
    }

    /// Whether the discriminator has to read the classes of images, which it does where its pass
    /// [classifies](crate::Pass::classify). Settings that hold others of which one needs it must say so, too.
    fn needs_class_logits(&self) -> bool {
        false
    }

    /// Whether there are penalties that `schedule.penalty` may weaken ([`Strength::penalty`](crate::Strength::penalty)).
    fn has_penalties(&self) -> bool {
        true
    }

    /// Whether there is noise that `schedule.instance_noise` may weaken ([`Strength::noise`](crate::Strength::noise)).
    fn has_instance_noise(&self) -> bool {
        true
    }

    /// After how many updates of the discriminator it does the same again: more than 1 where penalties are taken lazily.
    fn period(&self) -> u64 {
        1
    }

    /// Passes through the discriminator that an update keeps for its backward pass, beside those of real and of generated images: a penalty's. Where
    /// they are not in every update, those of one that has them.
    fn extra_passes(&self) -> u32 {
        0
    }

    /// Names of the numbers that the objective reports, beside the losses, which are reported for it.
    fn reports(&self) -> Vec<String> {
        Vec::new()
    }
}
