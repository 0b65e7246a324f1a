//! `[objective]`: an adversarial loss and penalties.

use serde::{Deserialize, Serialize};

use super::{
    adversarial::AdversarialLoss, approximate::PenaltyMethod, augment::AugmentConfig, penalty::GradientPenalty,
    traits::ObjectiveSettings,
};
use crate::ModelError;

/// `[objective]` of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// Which adversarial game is played; usually `non-saturating`, `hinge` or `relativistic`.
    pub loss: AdversarialLoss,
    /// The discriminator is to give real images the label 1 minus this, not 1 (one-sided; Salimans et al., 2016, arXiv:1606.03498, section 3.4), with
    /// `non-saturating` and `minimax`; usually 0.1, or 0 for none.
    pub label_smoothing: f64,
    /// Standard deviation of noise on every pixel that the discriminator sees, real or generated (Sønderby et al., 2017, arXiv:1610.04490); usually 0.1
    /// at first, falling by `[schedule]`, or 0 for none.
    pub instance_noise: f64,
    /// What is done to images before the discriminator sees them: for small sets (DiffAugment; Zhao et al., 2020, arXiv:2006.10738).
    pub augment: AugmentConfig,
    /// γ of the R1 penalty, (γ/2)·E‖∇D(x)‖² on real images (Mescheder et al., 2018, arXiv:1801.04406, equation 9), usually 0.1 to 10, more for larger
    /// images; 0 for none. It keeps the discriminator from being ahead, and takes a discriminator without batch normalization.
    pub r1: f64,
    /// γ of the R2 penalty, the same on generated images (equation 10 of the same paper); with `relativistic` usually as large as `r1`; 0 for none.
    pub r2: f64,
    /// Weight of the cross-entropy of the classes that the discriminator reads, in both networks' losses (ACGAN), usually 1 with `model.class_head =
    /// "classifier"`; 0 for none.
    pub classification: f64,
    /// λ of the gradient penalty of WGAN-GP, λ·E(‖∇D(x̂)‖ − 1)² between real and generated images (Gulrajani et al., 2017, arXiv:1704.00028), usually 10,
    /// with `wasserstein`; 0 for none.
    pub gradient_penalty: f64,
    /// The penalties are taken in every so many-th update of the discriminator, times this number; usually 1, or 4 to 16 to save time. They are
    /// in the log where such an update is.
    pub penalty_every: u64,
    /// How `r1` and `r2` are computed.
    pub penalty_method: PenaltyMethod,
    /// How far images are moved by the methods that are not exact: the standard deviation in each pixel, or the length of the step; usually 0.01 to
    /// 0.1.
    pub penalty_step: f64,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self {
            loss: AdversarialLoss::default(),
            label_smoothing: 0.0,
            instance_noise: 0.0,
            augment: AugmentConfig::default(),
            r1: 0.0,
            r2: 0.0,
            classification: 0.0,
            gradient_penalty: 0.0,
            penalty_every: 1,
            penalty_method: PenaltyMethod::Exact,
            penalty_step: 0.01,
        }
    }
}

impl From<AdversarialLoss> for ObjectiveConfig {
    fn from(loss: AdversarialLoss) -> Self {
        Self {
            loss,
            ..Self::default()
        }
    }
}

/// Mean logit of real images.
pub(super) const LOGITS_REAL: &str = "logits/real";
/// Mean logit of generated images.
pub(super) const LOGITS_FAKE: &str = "logits/fake";
/// The cross-entropy of the classes that the discriminator reads, of real and generated images together, without its weight, in nats.
pub(super) const CLASSIFICATION: &str = "loss/classification";

/// The discriminator's loss without penalties and the cross-entropy of classes; reported where there are any.
pub const ADVERSARIAL_LOSS: &str = "loss/adversarial";

impl ObjectiveSettings for ObjectiveConfig {
    fn validate(&self) -> Result<(), ModelError> {
        for (key, value, most) in [
            ("r1", self.r1, 1e6),
            ("r2", self.r2, 1e6),
            ("classification", self.classification, 1e6),
            ("gradient_penalty", self.gradient_penalty, 1e6),
            ("label_smoothing", self.label_smoothing, 0.5),
            ("instance_noise", self.instance_noise, 10.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return Err(ModelError::config(key, value.to_string(), format!("0 to {most}")));
            }
        }
        self.augment.validate()?;
        if !(1e-6..=1.0).contains(&self.penalty_step) {
            return Err(ModelError::config(
                "penalty_step",
                self.penalty_step.to_string(),
                "0.000001 to 1",
            ));
        }
        if self.label_smoothing > 0.0 && !self.loss.has_labels() {
            let expected = "0 where `loss` is neither `non-saturating` nor `minimax`";
            return Err(ModelError::config(
                "label_smoothing",
                self.label_smoothing.to_string(),
                expected,
            ));
        }
        if self.gradient_penalty > 0.0 && self.penalty_method != PenaltyMethod::Exact {
            let expected = "0 where `penalty_method` is not `exact`, which the norm itself needs";
            return Err(ModelError::config(
                "gradient_penalty",
                self.gradient_penalty.to_string(),
                expected,
            ));
        }
        if self.penalty_method != PenaltyMethod::Exact && self.r1 == 0.0 && self.r2 == 0.0 {
            let found = format!("{:?}", self.penalty_method).to_lowercase();
            return Err(ModelError::config(
                "penalty_method",
                found,
                "`exact` where `r1` and `r2` are 0",
            ));
        }
        if self.penalty_method == PenaltyMethod::Exact && self.penalty_step != Self::default().penalty_step {
            let expected = "no value where `penalty_method` is `exact`, which takes no step";
            return Err(ModelError::config(
                "penalty_step",
                self.penalty_step.to_string(),
                expected,
            ));
        }
        let expected = match (self.penalties().is_empty(), self.penalty_every) {
            (_, 1) => return Ok(()),
            (true, _) => "1 where there is no penalty",
            (false, 2..=1000) => return Ok(()),
            (false, _) => "1 to 1000",
        };
        Err(ModelError::config(
            "penalty_every",
            self.penalty_every.to_string(),
            expected,
        ))
    }

    fn reports(&self) -> Vec<String> {
        // Those that only some updates have are no numbers to go by.
        let always = if self.penalty_every == 1 {
            self.penalties()
        } else {
            Vec::new()
        };
        let penalties = always.into_iter().map(|(penalty, _)| penalty.name());
        [LOGITS_REAL, LOGITS_FAKE]
            .into_iter()
            .chain(self.has_more_than_a_game().then_some(ADVERSARIAL_LOSS))
            .chain((self.classification > 0.0).then_some(CLASSIFICATION))
            .chain(penalties)
            .map(str::to_owned)
            .collect()
    }

    fn is_zero_where_won(&self) -> bool {
        self.loss.is_zero_where_won() && self.label_smoothing == 0.0
    }

    fn loss_of_guessing(&self) -> Option<f64> {
        self.loss.of_guessing()
    }

    fn period(&self) -> u64 {
        self.penalty_every
    }

    fn needs_input_gradient(&self) -> bool {
        self.penalty_method == PenaltyMethod::Exact && !self.penalties().is_empty()
    }

    fn extra_passes(&self) -> u32 {
        let of_one = |(penalty, _): (GradientPenalty, f64)| match (penalty, self.penalty_method) {
            // The adjoint, and of points in between the logits as well.
            (GradientPenalty::Interpolated, _) => 2,
            (_, PenaltyMethod::Exact | PenaltyMethod::RandomDirection) => 1,
            (_, PenaltyMethod::CentralDifference) => 2,
        };
        self.penalties().into_iter().map(of_one).sum()
    }

    fn needs_class_logits(&self) -> bool {
        self.classification > 0.0
    }

    fn has_penalties(&self) -> bool {
        !self.penalties().is_empty()
    }

    fn has_instance_noise(&self) -> bool {
        self.instance_noise > 0.0
    }
}

impl ObjectiveConfig {
    /// Whether the discriminator's loss has other parts than the adversarial one.
    pub(super) fn has_more_than_a_game(&self) -> bool {
        self.classification > 0.0 || self.has_penalties()
    }

    /// The penalties that have a weight, with it.
    pub(super) fn penalties(&self) -> Vec<(GradientPenalty, f64)> {
        let all = [
            (GradientPenalty::R1, self.r1),
            (GradientPenalty::R2, self.r2),
            (GradientPenalty::Interpolated, self.gradient_penalty),
        ];
        all.into_iter().filter(|&(_, weight)| weight > 0.0).collect()
    }
}
