//! What one update of the networks is computed from.

use burn::tensor::{Tensor, backend::Backend};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::Labels;

/// A batch of real images with their labels, and the noise that generated ones are made of.
#[derive(Debug, Clone)]
pub struct Batch<B: Backend> {
    /// Real images, `[batch, channels, height, width]`, in [-1, 1].
    pub images: Tensor<B, 4>,
    /// Their classes, `[batch]`, where the data has classes.
    pub labels: Option<Labels<B>>,
    /// Noise, `[rows, latent]`: a row for each image of a whole batch, also beside an epoch's short last one, so that every
    /// update of the generator sees as many.
    pub z: Tensor<B, 2>,
    /// The classes that images are to be made of, `[rows]`, where the data has classes: those of the real images, and beside a short batch from its
    /// first on again.
    pub fake_labels: Option<Labels<B>>,
    /// How strong what is scheduled is by now.
    pub strength: Strength,
    /// The discriminator update that it is for, counted from 0.
    pub number: u64,
    /// Decides whatever an objective draws: another for every batch.
    pub seed: u64,
}

/// What a schedule makes of an objective's settings, as shares of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// Of the penalties' weights.
    pub penalty: f64,
    /// Of the noise on images.
    pub noise: f64,
}

impl Default for Strength {
    fn default() -> Self {
        Self {
            penalty: 1.0,
            noise: 1.0,
        }
    }
}

impl<B: Backend> Batch<B> {
    /// The first batch of images without classes.
    pub fn without_labels(images: Tensor<B, 4>, z: Tensor<B, 2>, seed: u64) -> Self {
        Self {
            images,
            labels: None,
            z,
            fake_labels: None,
            strength: Strength::default(),
            number: 0,
            seed,
        }
    }

    /// Random numbers of this batch, on the host: the same on every backend and in a resumed run. `stream` tells the draws of one batch
    /// apart; those of objectives that ship are below 1000.
    pub fn rng(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        rng
    }
}
