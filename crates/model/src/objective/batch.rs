//! What one update of the networks is computed from.

use burn::tensor::{Tensor, backend::Backend};

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
}
