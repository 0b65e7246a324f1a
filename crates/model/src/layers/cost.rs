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

    /// Of one of so many images that it is for together.
    pub(crate) fn shared_by(mut self, images: usize) -> Self {
        for count in self.layers.iter_mut().chain([&mut self.activations]) {
            *count = count.div_ceil(images.max(1) as u64);
        }
        self
    }

    /// Of the first layer, whose input needs no gradient where it is data.
    pub fn first(&self) -> u64 {
        self.layers.first().copied().unwrap_or_default()
    }
}

/// Floating-point operations of a training step, a multiply-add counted as two: what no lowering can leave out.
///
/// Each discriminator update sees generated and real images; gradients go to all weights, and to all inputs but z and the
/// discriminator's images. The generator's update goes forward and backward through the discriminator to the images. `extra_passes` are
/// those of penalties in each discriminator update, each forward and backward
/// ([`ObjectiveSettings::extra_passes`](crate::ObjectiveSettings::extra_passes)).
pub fn step_operations(
    generator: &Cost,
    discriminator: &Cost,
    batch: usize,
    discriminator_updates: usize,
    extra_passes: f64,
) -> f64 {
    let of_penalties = extra_passes * 3.0 * discriminator.total() as f64;
    let of_discriminator = 2 * (3 * discriminator.total() - discriminator.first());
    let of_generator = 3 * generator.total() - generator.first() + 2 * discriminator.total();
    let updates = discriminator_updates as u64;
    // The images of earlier updates are made without a gradient.
    let again = updates.saturating_sub(1) * generator.total();
    let without = updates * of_discriminator + of_generator + again;
    2.0 * batch as f64 * (without as f64 + updates as f64 * of_penalties)
}
