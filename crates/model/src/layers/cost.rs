//! How much there is to multiply, and to keep.

/// The multiply-adds of the layers that are matrix products, for one image, forward, in the order of the pass. The layers
/// count them as they run, as in k-diffusion's `models/flops.py`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// One number a layer.
    pub layers: Vec<u64>,
    /// The values that all layers put out for one image. A backward pass keeps them.
    pub activations: u64,
}

impl Cost {
    /// Of all layers.
    pub fn total(&self) -> u64 {
        self.layers.iter().sum()
    }

    /// Of the first layer, whose input needs no gradient where it is data.
    pub fn first(&self) -> u64 {
        self.layers.first().copied().unwrap_or_default()
    }
}

/// Floating-point operations of a training step without penalties, a multiply-add counted as two: what no lowering can leave
/// out.
///
/// Each discriminator update sees generated and real images; gradients go to all weights, and to all inputs but z and the
/// discriminator's images. The generator's update goes forward and backward through the discriminator to the images.
pub fn step_operations(generator: &Cost, discriminator: &Cost, batch: usize, discriminator_updates: usize) -> f64 {
    let of_discriminator = 2 * (3 * discriminator.total() - discriminator.first());
    let of_generator = 3 * generator.total() - generator.first() + 2 * discriminator.total();
    let updates = discriminator_updates as u64;
    // The images of earlier updates are made without a gradient.
    let again = updates.saturating_sub(1) * generator.total();
    (2 * batch as u64 * (updates * of_discriminator + of_generator + again)) as f64
}
