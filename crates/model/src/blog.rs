//! The network of the Keras blog post that ganvas began with, for 28×28 images with one channel.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use rand::RngCore;

use crate::{
    Activation::{Identity, Relu, Tanh},
    BatchNorm, BatchNormConfig, BatchStatistics, Conv2d, ConvConfig, ConvTranspose2d, FeatureMap, Initialization,
    Linear,
    batch_norm::track_all,
    linear::columns,
};

/// Dense(latent → 4608) → 512 channels of 3×3 → three transposed convolutions → a Dense at every pixel.
///
/// The 4608 numbers of the first layer are laid out (3, 3, 512) with channels last, as Keras' `Reshape` does: row
/// `(y·3 + x)·512 + c` of `linear.weight` makes channel `c` of pixel `(y, x)`. Nothing follows the last layer, so
/// values may leave [-1, 1].
#[derive(Module, Debug)]
pub struct BlogGenerator<B: Backend> {
    linear: Linear<B>,
    conv1: ConvTranspose2d<B>,
    norm1: BatchNorm<B>,
    conv2: ConvTranspose2d<B>,
    norm2: BatchNorm<B>,
    conv3: ConvTranspose2d<B>,
    pixel: Linear<B>,
}

impl<B: Backend> BlogGenerator<B> {
    /// A new generator for `latent` random numbers an image.
    pub fn new(latent: usize, initialization: Initialization, rng: &mut dyn RngCore, device: &B::Device) -> Self {
        let linear = Linear::new([latent, 3 * 3 * 512], true, initialization, rng, device);
        let mut up = |channels, kernel| {
            ConvTranspose2d::new(ConvConfig::new(channels, kernel, 2), initialization, &mut *rng, device)
        };
        let (conv1, conv2, conv3) = (up([512, 256], 3), up([256, 128], 2), up([128, 64], 2));
        Self {
            linear,
            conv1,
            norm1: BatchNorm::new(BatchNormConfig::KERAS, 256, device),
            conv2,
            norm2: BatchNorm::new(BatchNormConfig::KERAS, 128, device),
            conv3,
            pixel: Linear::new([64, 1], true, initialization, rng, device),
        }
    }

    /// Images from noise.
    ///
    /// # Shapes
    /// - z: `[batch, latent]`
    /// - result: `[batch, 1, 28, 28]`
    pub fn forward(&self, z: Tensor<B, 2>, seen: &mut BatchStatistics<B>) -> Tensor<B, 4> {
        let x = self.linear.forward_features(columns(z), [3, 3]);
        let x = self.norm1.forward(self.conv1.forward(x, Relu), Identity, seen);
        let x = self.norm2.forward(self.conv2.forward(x, Relu), Identity, seen);
        let x = self.conv3.forward(x, Tanh);
        x.map(|pixels| self.pixel.forward_pixels(pixels)).into_images()
    }

    pub(crate) fn track(&mut self, seen: BatchStatistics<B>) {
        track_all([&mut self.norm1, &mut self.norm2], seen);
    }
}

/// Three convolutions, 28 → 13 → 4 → 1, and a Dense(256 → 1).
#[derive(Module, Debug)]
pub struct BlogDiscriminator<B: Backend> {
    conv1: Conv2d<B>,
    norm1: BatchNorm<B>,
    conv2: Conv2d<B>,
    norm2: BatchNorm<B>,
    conv3: Conv2d<B>,
    linear: Linear<B>,
}

impl<B: Backend> BlogDiscriminator<B> {
    /// A new discriminator.
    pub fn new(initialization: Initialization, rng: &mut dyn RngCore, device: &B::Device) -> Self {
        let mut down =
            |channels, stride| Conv2d::new(ConvConfig::new(channels, 4, stride), initialization, &mut *rng, device);
        let (conv1, conv2, conv3) = (down([1, 64], 2), down([64, 128], 3), down([128, 256], 3));
        Self {
            conv1,
            norm1: BatchNorm::new(BatchNormConfig::KERAS, 64, device),
            conv2,
            norm2: BatchNorm::new(BatchNormConfig::KERAS, 128, device),
            conv3,
            linear: Linear::new([256, 1], true, initialization, rng, device),
        }
    }

    /// Logits: above zero for what it takes to be real.
    ///
    /// # Shapes
    /// - images: `[batch, 1, 28, 28]`
    /// - result: `[batch, 1]`
    pub fn forward(&self, images: Tensor<B, 4>, seen: &mut BatchStatistics<B>) -> Tensor<B, 2> {
        let [batch, _, _, _] = images.dims();
        let x = self.conv1.forward(FeatureMap::from_images(images), Relu);
        let x = self.conv2.forward(self.norm1.forward(x, Identity, seen), Relu);
        let x = self.conv3.forward(self.norm2.forward(x, Identity, seen), Relu);
        // One pixel is left, so its channels are the flattened image.
        self.linear.forward_pixels(x.into_tensor()).reshape([batch, 1])
    }

    pub(crate) fn track(&mut self, seen: BatchStatistics<B>) {
        track_all([&mut self.norm1, &mut self.norm2], seen);
    }
}
