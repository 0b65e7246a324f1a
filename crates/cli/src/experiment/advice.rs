//! What helps an experiment that is allowed, but unlikely to come to something.

use ganvas_model::{AdversarialLoss, DcganConfig, NetworkConfig, Normalization};
use ganvas_training::{Experiment, counted};
use tracing::warn;

use super::{Loaded, Origin};

/// Fewer images than these are few. Our choice: DiffAugment's sets of few have 100 to 400, and the tenth of CIFAR-10 that it helps much 5,000
/// (arXiv:2006.10738).
const FEW_IMAGES: usize = 2_000;

/// What to change where a penalty cannot be exact, as the end of an error.
pub(super) fn on_penalties(experiment: &Experiment) -> String {
    if !matches!(experiment.model, NetworkConfig::Dcgan(_)) {
        return "; `network = \"dcgan\"`, `\"resnet\"` and `\"mlp\"` have discriminators without".to_owned();
    }
    let approximate = match experiment.objective.gradient_penalty > 0.0 {
        true => "",
        false => ", and `objective.penalty_method = \"random-direction\"` does without the gradient",
    };
    format!("; `model.discriminator_normalization = \"none\"` leaves it out{approximate}")
}

/// Whether something bounds the slope of a Wasserstein critic, without which its loss has no end.
fn has_bounded_critic(experiment: &Experiment) -> bool {
    let objective = &experiment.objective;
    let is_penalized = [objective.gradient_penalty, objective.r1, objective.r2]
        .iter()
        .any(|&weight| weight > 0.0);
    let is_spectral = matches!(
        &experiment.model,
        NetworkConfig::Dcgan(DcganConfig {
            discriminator_normalization: Normalization::Spectral,
            ..
        })
    );
    is_penalized || is_spectral || experiment.optimizer.discriminator.clip_weights > 0.0
}

impl Loaded {
    /// Says what helps, before a training.
    pub fn advise(&self) {
        self.advise_on_few_images();
        if self.experiment.objective.loss == AdversarialLoss::Wasserstein && !has_bounded_critic(&self.experiment) {
            warn!(
                "nothing bounds the critic of `objective.loss = \"wasserstein\"`, whose logits then grow without end: use `objective.gradient_penalty = 10` \
                 (WGAN-GP, without batch normalization in the discriminator), `optimizer.discriminator.clip_weights = 0.01` (WGAN) or \
                 `model.discriminator_normalization = \"spectral\"`"
            );
        }
    }

    /// Says what helps where the images are so few that a discriminator learns them by heart.
    fn advise_on_few_images(&self) {
        let Origin::Own(own) = &self.images.origin else {
            return;
        };
        let (count, augment) = (own.1.count, &self.experiment.objective.augment);
        if count >= FEW_IMAGES || augment.is_on() {
            return;
        }
        let (flip, puts) = match self.experiment.data.flip {
            true => ("", "puts"),
            false => ("`data.flip = true` where left and right do not matter, and ", "put"),
        };
        warn!(
            "{} are few, and a discriminator learns few by heart: {flip}`[objective.augment]` (translation, cutout, brightness) {puts} that \
             off, and `ganvas evaluate RUN --neighbours pairs.png` shows whether images are copies (docs/images.md)",
            counted(count, "image")
        );
    }
}
