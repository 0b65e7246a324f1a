//! Adversarial losses on logits, in forms that neither overflow nor lose their gradient.

use burn::tensor::{
    Tensor,
    activation::{log_sigmoid, relu},
    backend::{AutodiffBackend, Backend},
};
use serde::{Deserialize, Serialize};

use super::{
    batch::Batch,
    report::Report,
    sum::WeightedSum,
    traits::{DiscriminatorLoss, Objective, ObjectiveSettings},
};
use crate::{Discriminator, ModelError};

/// `[objective]` of an experiment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// Which adversarial game is played; usually `non-saturating` or `hinge`.
    pub loss: AdversarialLoss,
}

impl ObjectiveSettings for ObjectiveConfig {
    fn validate(&self) -> Result<(), ModelError> {
        Ok(())
    }

    fn reports(&self) -> Vec<String> {
        [LOGITS_REAL, LOGITS_FAKE].map(str::to_owned).to_vec()
    }
}

impl ObjectiveConfig {
    /// The objective as the sum of its parts.
    fn parts<B: AutodiffBackend, G, D: Discriminator<B>>(&self) -> WeightedSum<'_, B, G, D> {
        WeightedSum::new(self.loss)
    }
}

impl<B: AutodiffBackend, G, D: Discriminator<B>> Objective<B, G, D> for ObjectiveConfig {
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B> {
        self.parts::<B, G, D>()
            .discriminator(discriminator, batch, fake, report)
    }

    fn generator(
        &self,
        generator: &G,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1> {
        self.parts().generator(generator, discriminator, batch, fake, report)
    }
}

/// Mean logit of real images.
const LOGITS_REAL: &str = "logits/real";
/// Mean logit of generated images.
const LOGITS_FAKE: &str = "logits/fake";

/// Which adversarial game is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AdversarialLoss {
    /// The discriminator minimizes the binary cross-entropy with label 1 for real and 0 for generated images, the generator
    /// −log σ(D(G(z))): strong gradients also where the discriminator wins (Goodfellow et al., 2014, section 3).
    #[default]
    NonSaturating,
    /// The same discriminator loss; the generator minimizes log(1 − σ(D(G(z)))), the value of the minimax game (equation 1 of
    /// the same paper).
    Minimax,
    /// The discriminator minimizes max(0, 1 − D(x)) + max(0, 1 + D(G(z))), so images beyond the margin of 1 teach it nothing more;
    /// the generator minimizes −D(G(z)) (Lim and Ye, 2017, arXiv:1705.02894; Miyato et al., 2018, equations 16 and 17).
    Hinge,
}

impl AdversarialLoss {
    /// What the discriminator minimizes.
    ///
    /// # Shapes
    /// - logits of real and of generated images: `[batch, 1]`; the two batches may differ in size, each is averaged
    /// - result: `[1]`, in nats where it is a cross-entropy
    pub fn of_discriminator<B: Backend>(self, real_logits: Tensor<B, 2>, fake_logits: Tensor<B, 2>) -> Tensor<B, 1> {
        match self {
            Self::NonSaturating | Self::Minimax => cross_entropy_real(real_logits) + cross_entropy_fake(fake_logits),
            Self::Hinge => relu(-real_logits + 1.0).mean() + relu(fake_logits + 1.0).mean(),
        }
    }

    /// What the generator minimizes.
    ///
    /// # Shapes
    /// - fake_logits: `[batch, 1]`
    /// - result: `[1]`, in nats where it is a cross-entropy
    pub fn of_generator<B: Backend>(self, fake_logits: Tensor<B, 2>) -> Tensor<B, 1> {
        match self {
            Self::NonSaturating => cross_entropy_real(fake_logits),
            Self::Minimax => -cross_entropy_fake(fake_logits),
            Self::Hinge => -fake_logits.mean(),
        }
    }
}

impl<B: AutodiffBackend, G, D: Discriminator<B>> Objective<B, G, D> for AdversarialLoss {
    /// The discriminator sees the generated batch before the real one, which matters to its running statistics only.
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B> {
        let (fake_logits, mut updates) = discriminator.forward_training(fake, batch.labels.clone());
        let (real_logits, of_real) = discriminator.forward_training(batch.images.clone(), batch.labels.clone());
        updates.append(of_real);
        report.report(LOGITS_REAL, real_logits.clone().inner().mean());
        report.report(LOGITS_FAKE, fake_logits.clone().inner().mean());
        DiscriminatorLoss {
            loss: self.of_discriminator(real_logits, fake_logits),
            updates,
        }
    }

    fn generator(
        &self,
        _generator: &G,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        _report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1> {
        let (logits, _) = discriminator.forward_training(fake, batch.labels.clone());
        self.of_generator(logits)
    }
}

/// Mean of −log σ(x) = softplus(−x).
fn cross_entropy_real<B: Backend>(logits: Tensor<B, 2>) -> Tensor<B, 1> {
    -log_sigmoid(logits).mean()
}

/// Mean of −log(1 − σ(x)) = −log σ(−x) = softplus(x).
fn cross_entropy_fake<B: Backend>(logits: Tensor<B, 2>) -> Tensor<B, 1> {
    -log_sigmoid(-logits).mean()
}
