//! Adversarial losses on logits, in forms that neither overflow nor lose their gradient.

use burn::tensor::{Tensor, activation::log_sigmoid, backend::Backend};
use serde::{Deserialize, Serialize};

/// Which adversarial game is played (Goodfellow et al., 2014).
///
/// Both have the same discriminator loss, the binary cross-entropy with label 1 for real and 0 for generated images;
/// they differ in what the generator minimizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The generator minimizes −log σ(D(G(z))): strong gradients also where the discriminator wins.
    #[default]
    NonSaturating,
    /// The generator minimizes log(1 − σ(D(G(z)))), the value of the minimax game (equation 1 of the paper).
    Minimax,
}

impl Loss {
    /// What the discriminator minimizes.
    ///
    /// # Shapes
    /// - logits of real and of generated images: `[batch, 1]`; the two batches may differ in size, each is averaged
    /// - result: `[1]`, in nats
    pub fn discriminator<B: Backend>(self, real_logits: Tensor<B, 2>, fake_logits: Tensor<B, 2>) -> Tensor<B, 1> {
        cross_entropy_real(real_logits) + cross_entropy_fake(fake_logits)
    }

    /// What the generator minimizes.
    ///
    /// # Shapes
    /// - fake_logits: `[batch, 1]`
    /// - result: `[1]`, in nats
    pub fn generator<B: Backend>(self, fake_logits: Tensor<B, 2>) -> Tensor<B, 1> {
        match self {
            Self::NonSaturating => cross_entropy_real(fake_logits),
            Self::Minimax => -cross_entropy_fake(fake_logits),
        }
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
