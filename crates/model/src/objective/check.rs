//! Whether a network has what an objective is made of.

use burn::tensor::{
    Tensor, TensorData,
    backend::{AutodiffBackend, Backend},
};
use rand::{Rng, RngCore};

use crate::{Discriminator, ImageShape, ModelError, Pass, autodiff_lock, host_values, layers::UNKNOWN};

/// Images that are looked at.
const COUNT: usize = 4;

/// The largest difference between both gradients, in units of the largest value; a layer left out makes one of order 1.
const TOLERANCE: f32 = 1e-2;

/// Checks that the discriminator reads the classes of images where an objective `needs` that, and only there.
///
/// # Errors
/// [`ModelError::NoClassLogits`] where its pass does not [classify](Pass::classify), [`ModelError::UnusedClassLogits`] where it does and nothing
/// trains it to.
pub fn check_class_logits<B: Backend>(
    discriminator: &impl Discriminator<B>,
    needs: bool,
    device: &B::Device,
) -> Result<(), ModelError> {
    let [channels, height, width] = discriminator.image_shape().dims();
    let mut pass = Pass::inference();
    let one = Tensor::zeros([1, channels, height, width], device);
    discriminator.forward_pass(one, Some(Tensor::zeros([1], device)), &mut pass);
    match (pass.take_class_logits().is_some(), needs) {
        (false, true) => Err(ModelError::NoClassLogits),
        (true, false) => Err(ModelError::UnusedClassLogits),
        _ => Ok(()),
    }
}

/// Checks that the discriminator's layers say how the gradient goes back through them, and that nothing else happens in between: the
/// gradient that they give is that of Burn's backward pass, on images of noise from `rng`.
///
/// # Errors
/// [`ModelError::NoInputGradient`], naming the first layer that does not say it, or the network's own operations.
pub fn check_input_gradient<B: AutodiffBackend>(
    discriminator: &impl Discriminator<B>,
    rng: &mut dyn RngCore,
    device: &B::Device,
) -> Result<(), ModelError> {
    let ImageShape {
        channels,
        height,
        width,
    } = discriminator.image_shape();
    let values: Vec<f32> = (0..COUNT * discriminator.image_shape().len())
        .map(|_| rng.random_range(-1.0..1.0))
        .collect();
    let images = TensorData::new(values, [COUNT, channels, height, width]);
    let labels = || Some(Tensor::zeros([COUNT], device));
    let frozen = discriminator.clone().no_grad();

    let _lock = autodiff_lock();
    let input = Tensor::<B, 4>::from_data(images.clone(), device);
    let of_layers = frozen.forward_recorded(input, labels()).gradient.compute(device)?;
    let input = Tensor::<B, 4>::from_data(images, device).require_grad();
    let logits = frozen.forward_training(input.clone(), labels()).0;
    let gradients = logits.sum().backward();
    let of_burn = match input.grad(&gradients) {
        Some(gradient) => host_values(gradient),
        None => return Err(ModelError::NoInputGradient { layer: UNKNOWN }),
    };
    let of_layers = host_values(of_layers.inner());
    let largest = of_burn.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let is_near = |(one, other): (&f32, &f32)| (one - other).abs() <= TOLERANCE * largest;
    match of_layers.iter().zip(&of_burn).all(is_near) {
        true => Ok(()),
        false => Err(ModelError::NoInputGradient { layer: UNKNOWN }),
    }
}
