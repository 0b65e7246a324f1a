//! `[objective]`: an adversarial loss and penalties.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use serde::{Deserialize, Serialize};

use super::{
    adversarial::AdversarialLoss,
    batch::Batch,
    penalty::{GradientPenalty, between},
    report::Report,
    traits::{DiscriminatorLoss, Objective, ObjectiveSettings},
};
use crate::{BufferUpdates, Discriminator, InputGradient, ModelError};

/// `[objective]` of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// Which adversarial game is played; usually `non-saturating`, `hinge` or `relativistic`.
    pub loss: AdversarialLoss,
    /// γ of the R1 penalty, (γ/2)·E‖∇D(x)‖² on real images, usually 0.1 to 10; 0 for none. It keeps the discriminator from being ahead, and
    /// takes a discriminator without batch normalization.
    pub r1: f64,
    /// γ of the R2 penalty, the same on generated images; with `relativistic` usually as large as `r1`; 0 for none.
    pub r2: f64,
    /// λ of the gradient penalty of WGAN-GP, λ·E(‖∇D(x̂)‖ − 1)² between real and generated images, usually 10, with `wasserstein`; 0 for none.
    pub gradient_penalty: f64,
    /// The penalties are taken in every so many-th update of the discriminator, times this number; usually 1, or 4 to 16 to save time. They are
    /// in the log where such an update is.
    pub penalty_every: u64,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self {
            loss: AdversarialLoss::default(),
            r1: 0.0,
            r2: 0.0,
            gradient_penalty: 0.0,
            penalty_every: 1,
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
const LOGITS_REAL: &str = "logits/real";
/// Mean logit of generated images.
const LOGITS_FAKE: &str = "logits/fake";

impl ObjectiveSettings for ObjectiveConfig {
    fn validate(&self) -> Result<(), ModelError> {
        for (key, weight) in [
            ("r1", self.r1),
            ("r2", self.r2),
            ("gradient_penalty", self.gradient_penalty),
        ] {
            if !(0.0..=1e6).contains(&weight) {
                return Err(ModelError::config(key, weight.to_string(), "0 to 1000000"));
            }
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
            .chain(penalties)
            .map(str::to_owned)
            .collect()
    }

    fn is_zero_where_won(&self) -> bool {
        self.loss.is_zero_where_won()
    }

    fn period(&self) -> u64 {
        self.penalty_every
    }

    fn needs_input_gradient(&self) -> bool {
        !self.penalties().is_empty()
    }
}

impl ObjectiveConfig {
    /// The penalties that have a weight, with it.
    fn penalties(&self) -> Vec<(GradientPenalty, f64)> {
        let all = [
            (GradientPenalty::R1, self.r1),
            (GradientPenalty::R2, self.r2),
            (GradientPenalty::Interpolated, self.gradient_penalty),
        ];
        all.into_iter().filter(|&(_, weight)| weight > 0.0).collect()
    }
}

/// The gradient at points between real and generated images, which are neither: what the discriminator's buffers want to become is
/// dropped.
fn of_points_between<B: AutodiffBackend>(
    discriminator: &impl Discriminator<B>,
    batch: &Batch<B>,
    fake: Tensor<B, 4>,
) -> InputGradient<B> {
    let images = between(batch, fake);
    let count = images.dims()[0];
    let labels = batch.labels.clone().map(|labels| labels.narrow(0, 0, count));
    discriminator.forward_recorded(images, labels).gradient
}

/// The gradient, which is there: networks without one are refused before training, by
/// [`check_input_gradient`](crate::check_input_gradient), which is asked where
/// [`needs_input_gradient`](ObjectiveSettings::needs_input_gradient) says so.
///
/// # Panics
/// Where nobody has asked it, because to train without the penalty is worse.
#[allow(clippy::panic)]
fn computed<B: AutodiffBackend>(gradient: InputGradient<B>, device: &B::Device) -> Tensor<B, 4> {
    gradient.compute(device).unwrap_or_else(|error| panic!("{error}"))
}

impl<B: AutodiffBackend, G, D: Discriminator<B>> Objective<B, G, D> for ObjectiveConfig {
    /// The discriminator sees the generated batch before the real one, which matters to its running statistics only.
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B> {
        // Counted from 1, so that an update that is logged, every tenth or so, is one of them where `penalty_every` divides it.
        let penalties = match (batch.number + 1).is_multiple_of(self.penalty_every) {
            true => self.penalties(),
            false => Vec::new(),
        };
        let has = |wanted: GradientPenalty| penalties.iter().any(|&(penalty, _)| penalty == wanted);
        let mut updates = BufferUpdates::default();
        let mut pass = |images: Tensor<B, 4>, penalty: GradientPenalty| {
            let labels = batch.labels.clone();
            if has(penalty) {
                let recorded = discriminator.forward_recorded(images, labels);
                updates.append(recorded.updates);
                return (recorded.logits, Some(recorded.gradient));
            }
            let (logits, of_pass) = discriminator.forward_training(images, labels);
            updates.append(of_pass);
            (logits, None)
        };
        let (fake_logits, mut on_fake) = pass(fake.clone(), GradientPenalty::R2);
        let (real_logits, mut on_real) = pass(batch.images.clone(), GradientPenalty::R1);
        report.report(LOGITS_REAL, real_logits.clone().inner().mean());
        report.report(LOGITS_FAKE, fake_logits.clone().inner().mean());
        let mut loss = self.loss.of_discriminator(real_logits, fake_logits);

        // Each penalty takes the passes that there are already, where it can.
        let device = fake.device();
        for (penalty, weight) in penalties {
            let gradient = match penalty {
                GradientPenalty::R1 => on_real.take(),
                GradientPenalty::R2 => on_fake.take(),
                GradientPenalty::Interpolated => Some(of_points_between(discriminator, batch, fake.clone())),
            };
            let Some(gradient) = gradient else { continue };
            let value = penalty.of(computed(gradient, &device));
            report.report(penalty.name(), value.clone().inner());
            loss = loss + value * (weight * self.penalty_every as f64);
        }
        DiscriminatorLoss { loss, updates }
    }

    fn generator(
        &self,
        _generator: &G,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        _report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1> {
        let logits = |images: Tensor<B, 4>| discriminator.forward_training(images, batch.labels.clone()).0;
        self.loss.of_generator(logits(fake), || logits(batch.images.clone()))
    }
}

/// As `[objective]` with this loss and nothing else.
impl<B: AutodiffBackend, G, D: Discriminator<B>> Objective<B, G, D> for AdversarialLoss {
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B> {
        let alone = ObjectiveConfig::from(*self);
        Objective::<B, G, D>::discriminator(&alone, discriminator, batch, fake, report)
    }

    fn generator(
        &self,
        generator: &G,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1> {
        ObjectiveConfig::from(*self).generator(generator, discriminator, batch, fake, report)
    }
}
