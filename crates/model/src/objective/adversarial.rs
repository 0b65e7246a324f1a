//! Adversarial losses on logits, in forms that neither overflow nor lose their gradient.

use std::f64::consts::LN_2;

use burn::tensor::{
    Tensor, TensorData,
    activation::{log_sigmoid, relu},
    backend::Backend,
};
use serde::{Deserialize, Serialize};

/// Which adversarial game is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AdversarialLoss {
    /// The discriminator minimizes the binary cross-entropy with label 1 for real and 0 for generated images, the generator
    /// −log σ(D(G(z))): strong gradients also where the discriminator wins (Goodfellow et al., 2014, section 3). With `r1` what
    /// `mnist` and its kin have.
    #[default]
    NonSaturating,
    /// The same discriminator loss; the generator minimizes log(1 − σ(D(G(z)))), the value of the minimax game (equation 1 of
    /// the same paper): to compare with, because it learns little where the discriminator wins.
    Minimax,
    /// The discriminator minimizes max(0, 1 − D(x)) + max(0, 1 + D(G(z))), so images beyond the margin of 1 teach it nothing more;
    /// the generator minimizes −D(G(z)) (Lim and Ye, 2017, arXiv:1705.02894; Miyato et al., 2018, equations 16 and 17). With spectral normalization,
    /// as in SNGAN and BigGAN.
    Hinge,
    /// The discriminator minimizes half the mean square of D(x) − 1 and of D(G(z)), the generator half that of D(G(z)) − 1: images
    /// that are on the right side, but far from the others, still move (Mao et al., 2017, arXiv:1611.04076, equation 9).
    LeastSquares,
    /// The discriminator, a critic, minimizes D(G(z)) − D(x), the generator −D(G(z)): an estimate of the Wasserstein distance as long as
    /// the critic's slope is held, by `gradient_penalty` or by `optimizer.discriminator.clip_weights` (Arjovsky et al., 2017, arXiv:1701.07875).
    Wasserstein,
    /// Real and generated images are judged in pairs: the discriminator minimizes −log σ(D(x) − D(G(z))), the generator −log σ(D(G(z)) −
    /// D(x)); with `r1` and `r2` the loss of R3GAN (RpGAN; Jolicoeur-Martineau, 2018, arXiv:1807.00734; Huang et al., 2024,
    /// arXiv:2501.05441). Against generators that lose modes.
    Relativistic,
    /// Each image is judged against the mean of the others: as `non-saturating` of D(x) − mean D(G(z)) and D(G(z)) − mean D(x), in both
    /// networks' losses (RaGAN; Jolicoeur-Martineau, 2018, arXiv:1807.00734, section 4.2). `relativistic` is the
    /// form of which R3GAN shows that it converges.
    RelativisticAverage,
}

impl AdversarialLoss {
    /// What the discriminator minimizes.
    ///
    /// # Shapes
    /// - logits of real and of generated images: `[batch, 1]`; the two batches may differ in size: each is averaged, and in pairs the
    ///   shorter one begins again
    /// - result: `[1]`, in nats where it is a cross-entropy
    pub fn of_discriminator<B: Backend>(self, real_logits: Tensor<B, 2>, fake_logits: Tensor<B, 2>) -> Tensor<B, 1> {
        match self {
            Self::NonSaturating | Self::Minimax => cross_entropy_real(real_logits) + cross_entropy_fake(fake_logits),
            Self::Hinge => relu(-real_logits + 1.0).mean() + relu(fake_logits + 1.0).mean(),
            Self::LeastSquares => ((real_logits - 1.0).square().mean() + fake_logits.square().mean()) * 0.5,
            Self::Wasserstein => fake_logits.mean() - real_logits.mean(),
            Self::Relativistic => {
                let [real_logits, fake_logits] = in_pairs(real_logits, fake_logits);
                cross_entropy_real(real_logits - fake_logits)
            }
            Self::RelativisticAverage => {
                let [real_mean, fake_mean] =
                    [&real_logits, &fake_logits].map(|logits| logits.clone().mean().reshape([1, 1]));
                cross_entropy_real(real_logits - fake_mean) + cross_entropy_fake(fake_logits - real_mean)
            }
        }
    }

    /// What the generator minimizes. `real_logits` is asked for only where images are judged against real ones.
    ///
    /// # Shapes
    /// - logits: `[batch, 1]`
    /// - result: `[1]`, in nats where it is a cross-entropy
    pub fn of_generator<B: Backend>(
        self,
        fake_logits: Tensor<B, 2>,
        real_logits: impl FnOnce() -> Tensor<B, 2>,
    ) -> Tensor<B, 1> {
        match self {
            Self::NonSaturating => cross_entropy_real(fake_logits),
            Self::Minimax => -cross_entropy_fake(fake_logits),
            Self::Hinge | Self::Wasserstein => -fake_logits.mean(),
            Self::LeastSquares => (fake_logits - 1.0).square().mean() * 0.5,
            // The discriminator's loss with the sides exchanged.
            Self::Relativistic | Self::RelativisticAverage => self.of_discriminator(fake_logits, real_logits()),
        }
    }

    /// Whether real images have a label that can be smoothed.
    pub(super) fn has_labels(self) -> bool {
        matches!(self, Self::NonSaturating | Self::Minimax)
    }

    /// The discriminator's loss where it gives every image the same logit, the best that says nothing; a critic's loss has no such number.
    pub(super) fn of_guessing(self) -> Option<f64> {
        match self {
            Self::NonSaturating | Self::Minimax | Self::RelativisticAverage => Some(2.0 * LN_2),
            Self::Relativistic => Some(LN_2),
            Self::Hinge => Some(2.0),
            // Half of the two squares of ½.
            Self::LeastSquares => Some(0.25),
            Self::Wasserstein => None,
        }
    }

    /// Whether the discriminator's loss is near zero where it is right about every image, and nowhere below.
    pub(super) fn is_zero_where_won(self) -> bool {
        self != Self::Wasserstein
    }
}

/// As many of both; the shorter one begins again, so that no logit is left out.
///
/// By `select`, because the gradient that Burn 0.21 gives of `repeat_dim` is not the sum over the repetitions.
fn in_pairs<B: Backend>(one: Tensor<B, 2>, other: Tensor<B, 2>) -> [Tensor<B, 2>; 2] {
    let pairs = one.dims()[0].max(other.dims()[0]);
    [one, other].map(|logits| match logits.dims()[0] {
        count if count == pairs => logits,
        count => {
            let chosen: Vec<i32> = (0..pairs).map(|pair| (pair % count) as i32).collect();
            let chosen = Tensor::from_data(TensorData::new(chosen, [pairs]), &logits.device());
            logits.select(0, chosen)
        }
    })
}

/// Mean of −log σ(x) = softplus(−x).
fn cross_entropy_real<B: Backend>(logits: Tensor<B, 2>) -> Tensor<B, 1> {
    -log_sigmoid(logits).mean()
}

/// Mean of −log(1 − σ(x)) = −log σ(−x) = softplus(x).
fn cross_entropy_fake<B: Backend>(logits: Tensor<B, 2>) -> Tensor<B, 1> {
    -log_sigmoid(-logits).mean()
}
