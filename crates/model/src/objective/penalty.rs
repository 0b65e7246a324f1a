//! Penalties on the discriminator's gradient with respect to the images.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::Rng;

use super::batch::Batch;

/// A penalty on the gradient of D's logit with respect to an image, over all pixels and channels of that image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GradientPenalty {
    /// ½·E‖∇D(x)‖² over real images x (Mescheder et al., 2018, arXiv:1801.04406, equation 9): its weight is γ.
    R1,
    /// ½·E‖∇D(G(z))‖² over generated images (the same, equation 10).
    R2,
    /// E(‖∇D(x̂)‖ − 1)² over points x̂ on the lines between real and generated images (WGAN-GP; Gulrajani et al., 2017,
    /// arXiv:1704.00028, algorithm 1): its weight is λ.
    Interpolated,
}

impl GradientPenalty {
    /// The name of the number that is reported, without its weight: half the mean square of the gradient's norm, or its mean square distance
    /// from 1.
    pub const fn name(self) -> &'static str {
        match self {
            Self::R1 => "penalty/r1",
            Self::R2 => "penalty/r2",
            Self::Interpolated => "penalty/gradient",
        }
    }

    /// What is penalized, without its weight.
    ///
    /// # Shapes
    /// - gradient: `[batch, channels, height, width]`, one for each image
    /// - result: `[1]`
    pub fn of<B: Backend>(self, gradient: Tensor<B, 4>) -> Tensor<B, 1> {
        let squares = squared_norms(gradient);
        match self {
            Self::R1 | Self::R2 => squares.mean() * 0.5,
            // The root's own slope has no end at 0, where no gradient is.
            Self::Interpolated => ((squares + 1e-12).sqrt() - 1.0).square().mean(),
        }
    }
}

/// The squared norm of each image's gradient, `[batch]`; dimension by dimension, because burn-cubecl adds up a whole tensor in an order that
/// changes from run to run.
fn squared_norms<B: Backend>(gradient: Tensor<B, 4>) -> Tensor<B, 1> {
    let batch = gradient.dims()[0];
    let squares = (1..4).fold(gradient.square(), |squares, dimension| squares.sum_dim(dimension));
    squares.reshape([batch])
}

/// A point on the line between each real image and a generated one, drawn evenly.
///
/// # Shapes
/// - fake: `[rows, channels, height, width]`; as many points as there are of the fewer
pub(super) fn between<B: Backend>(batch: &Batch<B>, real: Tensor<B, 4>, fake: Tensor<B, 4>) -> Tensor<B, 4> {
    let count = real.dims()[0].min(fake.dims()[0]);
    let [real, fake] = [real, fake].map(|images| images.narrow(0, 0, count));
    let mut rng = batch.rng(BETWEEN);
    let shares: Vec<f32> = (0..count).map(|_| rng.random()).collect();
    let shares = Tensor::from_data(TensorData::new(shares, [count, 1, 1, 1]), &real.device());
    fake.clone() + (real - fake) * shares
}

/// The random numbers that [`between`] draws.
const BETWEEN: u64 = 1;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::Tensor;

    use super::*;
    use crate::host_values;

    type Flex = burn_autodiff::Autodiff<burn_flex::Flex>;

    #[test]
    fn points_lie_on_the_lines_each_at_a_place_of_its_own_that_the_batch_decides() {
        let device = Default::default();
        let images = |value: f32, count: usize| Tensor::<Flex, 4>::full([count, 1, 2, 3], value, &device);
        let of = |seed: u64| {
            let batch = Batch::without_labels(images(3.0, 5), Tensor::zeros([7, 1], &device), seed);
            host_values(between(&batch, batch.images.clone(), images(-1.0, 7)))
        };
        let found = of(1);
        // As many as there are of the fewer.
        assert_eq!(found.len(), 5 * 6);
        let shares: Vec<f32> = found.chunks(6).map(|image| (image[0] + 1.0) / 4.0).collect();
        for (image, share) in found.chunks(6).zip(&shares) {
            assert!(image.iter().all(|&value| value == image[0]), "one share for all pixels");
            assert!((0.0..1.0).contains(share));
        }
        assert!(shares.windows(2).all(|pair| pair[0] != pair[1]), "{shares:?}");
        assert_eq!(of(1), found);
        assert_ne!(of(2), found);
    }
}
