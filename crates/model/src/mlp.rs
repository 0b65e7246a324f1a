//! The fully connected pair of the first GANs (Goodfellow et al., 2014).

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use rand::RngCore;

use crate::{Activation, FeatureMap, ImageShape, Initialization, Linear, dcgan::LEAKY, linear::columns};

/// The hidden layers of a network whose widths are `inputs`, then `hidden`.
fn hidden_layers<B: Backend>(
    inputs: usize,
    hidden: &[usize],
    initialization: Initialization,
    rng: &mut dyn RngCore,
    device: &B::Device,
) -> (Vec<Linear<B>>, usize) {
    let mut width = inputs;
    let layers = hidden
        .iter()
        .map(|&next| {
            let layer = Linear::new([width, next], true, initialization, rng, device);
            width = next;
            layer
        })
        .collect();
    (layers, width)
}

/// Linear layers with ReLU, the last one with tanh.
#[derive(Module, Debug)]
pub struct MlpGenerator<B: Backend> {
    hidden: Vec<Linear<B>>,
    output: Linear<B>,
    image: [usize; 3],
}

impl<B: Backend> MlpGenerator<B> {
    /// A new generator for `latent` random numbers an image.
    pub fn new(
        latent: usize,
        hidden: &[usize],
        image: ImageShape,
        initialization: Initialization,
        rng: &mut dyn RngCore,
        device: &B::Device,
    ) -> Self {
        let (hidden, width) = hidden_layers(latent, hidden, initialization, rng, device);
        Self {
            hidden,
            output: Linear::new([width, image.len()], true, initialization, rng, device),
            image: image.dims(),
        }
    }

    /// Images from noise, in [-1, 1].
    ///
    /// # Shapes
    /// - z: `[batch, latent]`
    /// - result: `[batch, channels, height, width]`
    pub fn forward(&self, z: Tensor<B, 2>) -> Tensor<B, 4> {
        let batch = z.dims()[0];
        let [channels, height, width] = self.image;
        let features = self.hidden.iter().fold(columns(z), |features, layer| {
            layer.forward_columns(features, Activation::Relu)
        });
        let pixels = self.output.forward_columns(features, Activation::Tanh);
        FeatureMap::from_tensor(pixels.reshape([channels, height * width, batch]), [height, width]).into_images()
    }
}

/// Linear layers with LeakyReLU 0.2, the last one to one logit.
#[derive(Module, Debug)]
pub struct MlpDiscriminator<B: Backend> {
    hidden: Vec<Linear<B>>,
    output: Linear<B>,
}

impl<B: Backend> MlpDiscriminator<B> {
    /// A new discriminator; the widths of its hidden layers are given from the image to the logit.
    pub fn new(
        hidden: &[usize],
        image: ImageShape,
        initialization: Initialization,
        rng: &mut dyn RngCore,
        device: &B::Device,
    ) -> Self {
        let (hidden, width) = hidden_layers(image.len(), hidden, initialization, rng, device);
        Self {
            hidden,
            output: Linear::new([width, 1], true, initialization, rng, device),
        }
    }

    /// Logits: above zero for what it takes to be real.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`
    /// - result: `[batch, 1]`
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let [batch, channels, height, width] = images.dims();
        let pixels = FeatureMap::from_images(images).into_tensor();
        let columns = pixels.reshape([channels * height * width, 1, batch]);
        let features = self
            .hidden
            .iter()
            .fold(columns, |features, layer| layer.forward_columns(features, LEAKY));
        let logits = self.output.forward_columns(features, Activation::Identity);
        logits.reshape([batch, 1])
    }
}
