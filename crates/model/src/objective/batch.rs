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
    /// The discriminator update that it is for, counted from 0.
    pub number: u64,
    /// Decides whatever an objective draws: another for every batch.
    pub seed: u64,
}

impl<B: Backend> Batch<B> {
    /// Random numbers of this batch, on the host: the same on every backend and in a resumed run. `stream` tells the draws of one batch
    /// apart; those of objectives that ship are below 1000.
    pub fn rng(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        rng
    }
}
