//! A DCGAN family (Radford, Metz and Chintala, 2015) for small images, scaled by `base_channels`.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use rand::RngCore;

use crate::{
    Activation, BatchNorm, BatchNormConfig, BatchStatistics, Conv2d, ConvConfig, ConvTranspose2d, FeatureMap,
    ImageShape, Initialization, Linear, batch_norm::track_all, linear::columns,
};

/// Slope of the discriminator's LeakyReLU below zero, from the DCGAN paper, section 3.
pub(crate) const LEAKY: Activation = Activation::LeakyRelu { slope: 0.2 };

/// Kernel 4, stride 2, padding 1: doubles or halves the side and leaves no border.
fn doubling(channels: [usize; 2]) -> ConvConfig {
    ConvConfig::new(channels, 4, 2).with_padding(1)
}

/// How many times an image of this side is halved: 28 → 7 and 32 → 4.
pub(crate) fn levels(side: usize) -> usize {
    if side.is_multiple_of(8) { 3 } else { 2 }
}

/// Dense → BatchNorm → ReLU, then transposed convolutions that double the side, the last one to the image and tanh.
///
/// 28×28 starts from 7×7 with 2·base channels, 32×32 from 4×4 with 4·base; each doubling halves the channels.
#[derive(Module, Debug)]
pub struct DcganGenerator<B: Backend> {
    linear: Linear<B>,
    norm: BatchNorm<B>,
    convs: Vec<ConvTranspose2d<B>>,
    norms: Vec<BatchNorm<B>>,
    output: ConvTranspose2d<B>,
    start: [usize; 2],
}

impl<B: Backend> DcganGenerator<B> {
    /// A new generator for `latent` random numbers an image.
    pub fn new(
        latent: usize,
        base_channels: usize,
        image: ImageShape,
        initialization: Initialization,
        rng: &mut dyn RngCore,
        device: &B::Device,
    ) -> Self {
        let levels = levels(image.height);
        let start = [image.height >> levels, image.width >> levels];
        let widest = base_channels << (levels - 1);
        let linear = Linear::new(
            [latent, start[0] * start[1] * widest],
            false,
            initialization,
            rng,
            device,
        );
        let widths: Vec<usize> = (1..levels).map(|level| widest >> level).collect();
        let convs = widths
            .iter()
            .map(|&width| {
                let config = doubling([2 * width, width]).without_bias();
                ConvTranspose2d::new(config, initialization, rng, device)
            })
            .collect();
        Self {
            linear,
            norm: BatchNorm::new(BatchNormConfig::PYTORCH, widest, device),
            convs,
            norms: widths
                .iter()
                .map(|&width| BatchNorm::new(BatchNormConfig::PYTORCH, width, device))
                .collect(),
            output: ConvTranspose2d::new(doubling([base_channels, image.channels]), initialization, rng, device),
            start,
        }
    }

    /// Images from noise, in [-1, 1].
    ///
    /// # Shapes
    /// - z: `[batch, latent]`
    /// - result: `[batch, channels, height, width]`
    pub fn forward(&self, z: Tensor<B, 2>, seen: &mut BatchStatistics<B>) -> Tensor<B, 4> {
        let x = self.linear.forward_features(columns(z), self.start);
        let mut x = self.norm.forward(x, Activation::Relu, seen);
        for (conv, norm) in self.convs.iter().zip(&self.norms) {
            x = norm.forward(conv.forward(x, Activation::Identity), Activation::Relu, seen);
        }
        self.output.forward(x, Activation::Tanh).into_images()
    }

    pub(crate) fn track(&mut self, seen: BatchStatistics<B>) {
        track_all(std::iter::once(&mut self.norm).chain(&mut self.norms), seen);
    }
}

/// Convolutions that halve the side, BatchNorm from the second on, LeakyReLU 0.2, and a Dense to one logit.
///
/// The features are flattened (y, x, channel), channels last; `linear.weight` has its columns in that order.
#[derive(Module, Debug)]
pub struct DcganDiscriminator<B: Backend> {
    input: Conv2d<B>,
    convs: Vec<Conv2d<B>>,
    norms: Vec<BatchNorm<B>>,
    linear: Linear<B>,
}

impl<B: Backend> DcganDiscriminator<B> {
    /// A new discriminator.
    pub fn new(
        base_channels: usize,
        image: ImageShape,
        initialization: Initialization,
        rng: &mut dyn RngCore,
        device: &B::Device,
    ) -> Self {
        let levels = levels(image.height);
        let widths: Vec<usize> = (1..levels).map(|level| base_channels << level).collect();
        let features = (image.height >> levels) * (image.width >> levels) * (base_channels << (levels - 1));
        Self {
            input: Conv2d::new(doubling([image.channels, base_channels]), initialization, rng, device),
            convs: widths
                .iter()
                .map(|&width| {
                    let config = doubling([width / 2, width]).without_bias();
                    Conv2d::new(config, initialization, rng, device)
                })
                .collect(),
            norms: widths
                .iter()
                .map(|&width| BatchNorm::new(BatchNormConfig::PYTORCH, width, device))
                .collect(),
            linear: Linear::new([features, 1], true, initialization, rng, device),
        }
    }

    /// Logits: above zero for what it takes to be real.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`
    /// - result: `[batch, 1]`
    pub fn forward(&self, images: Tensor<B, 4>, seen: &mut BatchStatistics<B>) -> Tensor<B, 2> {
        let [batch, _, _, _] = images.dims();
        let mut x = self.input.forward(FeatureMap::from_images(images), LEAKY);
        for (conv, norm) in self.convs.iter().zip(&self.norms) {
            x = norm.forward(conv.forward(x, Activation::Identity), LEAKY, seen);
        }
        self.linear.forward_flattened(x).reshape([batch, 1])
    }

    pub(crate) fn track(&mut self, seen: BatchStatistics<B>) {
        track_all(&mut self.norms, seen);
    }
}
