//! Penalties on gradients for networks whose layers do not say how the gradient goes back through them.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use serde::{Deserialize, Serialize};

use super::{augment::normals, batch::Batch};
use crate::{Discriminator, Labels, Pass};

/// How R1 and R2 are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PenaltyMethod {
    /// The gradient itself, through the layers' adjoints; takes a discriminator without batch normalization.
    #[default]
    Exact,
    /// E(D(x + σε) − D(x))² / 2σ² with ε ~ N(0, 1) in every pixel, for any discriminator: of the same mean as σ goes to 0, but the direction of one
    /// batch is mostly noise (Lin et al., 2025, arXiv:2501.08316, section 3.2, where λ = γ / 2σ²), and with LeakyReLU its gradient also has
    /// how the slope changes where that bends, which `exact` leaves out.
    RandomDirection,
    /// The slope along the gradient, (D(x + ε∇D) − D(x − ε∇D)) / 2ε, for discriminators of smooth activations: with LeakyReLU, whose slope
    /// jumps, its gradient is wrong by several times.
    CentralDifference,
}

/// Half the mean square of the norm of D's gradient at `images`, by a method that passes through the network only.
pub(super) struct Approximation<'a, B: AutodiffBackend, D> {
    pub(super) discriminator: &'a D,
    /// What the discriminator sees, `[batch, channels, height, width]`.
    pub(super) images: Tensor<B, 4>,
    pub(super) labels: Option<Labels<B>>,
    /// The logits of those, `[batch, 1]`.
    pub(super) logits: Tensor<B, 2>,
    /// σ, or the length of ε∇D in the mean.
    pub(super) step: f64,
}

impl<B: AutodiffBackend, D: Discriminator<B>> Approximation<'_, B, D> {
    fn judge(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        // What the buffers want to become by images that are neither real nor generated is dropped.
        self.discriminator
            .forward_pass(images, self.labels.clone(), &mut Pass::training())
    }

    /// `[1]`, by [`PenaltyMethod::RandomDirection`], with the batch's random numbers of this stream.
    pub(super) fn by_random_direction(self, batch: &Batch<B>, stream: u64) -> Tensor<B, 1> {
        let noise = normals::<B>(self.images.dims(), batch.rng(stream), &self.images.device());
        let moved = self.judge(self.images.clone() + noise * self.step);
        let squares = (moved - self.logits).square();
        squares.mean() * (0.5 / (self.step * self.step))
    }

    /// `[1]`, by [`PenaltyMethod::CentralDifference`].
    pub(super) fn by_central_difference(self) -> Tensor<B, 1> {
        // The gradient as a mere direction, through a frozen copy with a backward pass of its own (`Objective`).
        let frozen = self.discriminator.clone().no_grad();
        let images = self.images.clone().detach().require_grad();
        let logits = frozen.forward_pass(images.clone(), self.labels.clone(), &mut Pass::training());
        let gradients = logits.sum().backward();
        let Some(gradient) = images.grad(&gradients) else {
            // A discriminator that does not look at its images has no gradient.
            return Tensor::zeros([1], &self.images.device());
        };
        // The same share of every gradient, so that the slopes are in its proportion: of this length in the mean.
        let squares = (1..4).fold(gradient.clone().square(), |squares, dimension| {
            squares.sum_dim(dimension)
        });
        let share = (squares.mean_dim(0) + 1e-24).sqrt().recip() * self.step;
        let moved = Tensor::<B, 4>::from_inner(gradient * share.clone());
        let difference = self.judge(self.images.clone() + moved.clone()) - self.judge(self.images.clone() - moved);
        let slopes = difference.mean() / Tensor::<B, 1>::from_inner(share.reshape([1])) * 0.5;
        // The slope along the gradient is its squared norm, and has the gradient of half of that where the direction is a constant.
        slopes.clone() - slopes.detach() * 0.5
    }
}
