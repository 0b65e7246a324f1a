//! A DCGAN family (Radford, Metz and Chintala, 2015) for small images, scaled by `base_channels`.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Serialize};

use super::traits::{Discriminator, Generator, Labels, NetworkSettings, Networks};
use crate::{
    Activation, BatchNorm, Conv2d, ConvConfig, ConvTranspose2d, FeatureMap, ImageShape, Init, Initialization, Linear,
    ModelError, Normalization, Pass, columns, error::expect,
};

/// `[model]` with `network = "dcgan"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DcganConfig {
    /// Random numbers that an image is made of (the length of z), usually 64 to 128.
    pub latent_size: usize,
    /// Channels of the layer nearest to the image, usually 16 to 128; each halving of the image doubles them.
    pub base_channels: usize,
    /// 3×3 convolutions of the generator after its first layer and after each doubling but the last, usually 0 to 2: they let it draw more
    /// finely.
    pub generator_convolutions: usize,
    /// 3×3 convolutions of the discriminator after each halving, usually 0 to 2; 1 is the discriminator of SNGAN.
    pub discriminator_convolutions: usize,
    /// What follows the generator's layers before their activation, usually `batch`.
    pub generator_normalization: Normalization,
    /// What follows the discriminator's layers, from the second on; `none` where the objective has penalties on gradients.
    pub discriminator_normalization: Normalization,
    /// How the weights get their first values.
    pub initialization: Initialization,
}

impl Default for DcganConfig {
    fn default() -> Self {
        Self {
            latent_size: 100,
            base_channels: 64,
            generator_convolutions: 0,
            discriminator_convolutions: 0,
            generator_normalization: Normalization::Batch,
            discriminator_normalization: Normalization::Batch,
            initialization: Initialization::Dcgan,
        }
    }
}

impl NetworkSettings for DcganConfig {
    fn validate(&self, image: Option<ImageShape>) -> Result<(), ModelError> {
        expect::latent_size(self.latent_size)?;
        expect::within("base_channels", self.base_channels, 2_048)?;
        expect::at_most("generator_convolutions", self.generator_convolutions, 8)?;
        expect::at_most("discriminator_convolutions", self.discriminator_convolutions, 8)?;
        match image {
            Some(image) if levels(image).is_none() || ![1, 3].contains(&image.channels) => Err(expect::image(
                image,
                "1 or 3 channels and sides that are multiples of 4, 16 to 1024 pixels, for dcgan",
            )),
            _ => Ok(()),
        }
    }
}

impl<B: Backend> Networks<B> for DcganConfig {
    type Generator = DcganGenerator<B>;
    type Discriminator = DcganDiscriminator<B>;

    fn generator(&self, image: ImageShape, init: &mut Init<'_, B>) -> Result<DcganGenerator<B>, ModelError> {
        self.validate(Some(image))?;
        init.set_scheme(self.initialization);
        Ok(DcganGenerator::new(self, image, init))
    }

    fn discriminator(&self, image: ImageShape, init: &mut Init<'_, B>) -> Result<DcganDiscriminator<B>, ModelError> {
        self.validate(Some(image))?;
        init.set_scheme(self.initialization);
        Ok(DcganDiscriminator::new(self, image, init))
    }
}

/// Slope of the discriminator's LeakyReLU below zero, from the DCGAN paper, section 3.
pub(super) const LEAKY: Activation = Activation::LeakyRelu { slope: 0.2 };

/// Kernel 4, stride 2, padding 1: doubles or halves the side and leaves no border.
fn doubling(channels: [usize; 2]) -> ConvConfig {
    ConvConfig::new(channels, 4, 2).with_padding(1)
}

/// Kernel 3 and padding 1: keeps the side.
fn keeping(width: usize) -> ConvConfig {
    ConvConfig::new([width; 2], 3, 1).with_padding(1)
}

/// How many times an image is halved: as often as both sides allow and leave at least 4 pixels, twice to four times. 28 becomes
/// 7, 32 and 64 become 4.
fn levels(image: ImageShape) -> Option<usize> {
    let sides = [image.height, image.width];
    let fits = |side: usize, levels: usize| side.is_multiple_of(1 << levels) && side >> levels >= 4 && side <= 1024;
    (2..=4)
        .rev()
        .find(|&levels| sides.into_iter().all(|side| fits(side, levels)))
}

/// The number of halvings, the pixels that are left, and the widest layer's channels.
fn pyramid(config: &DcganConfig, image: ImageShape) -> (usize, [usize; 2], usize) {
    // A shape without levels is refused by `validate`.
    let levels = levels(image).unwrap_or(2);
    let start = [image.height >> levels, image.width >> levels];
    (levels, start, config.base_channels << (levels - 1))
}

/// Convolutions of one size of the image, each with its normalization, where there is one.
#[derive(Module, Debug)]
struct Level<B: Backend> {
    convs: Vec<Conv2d<B>>,
    /// One for each of those, or none at all.
    norms: Vec<BatchNorm<B>>,
}

impl<B: Backend> Level<B> {
    fn new(width: usize, count: usize, normalization: Normalization, init: &mut Init<'_, B>) -> Self {
        let convs = (0..count)
            .map(|_| Conv2d::new(normalization.before(keeping(width)), init))
            .collect();
        let norms = (0..count).filter_map(|_| normalization.layer(width, init)).collect();
        Self { convs, norms }
    }

    fn forward(&self, x: FeatureMap<B>, activation: Activation, pass: &mut Pass<B>) -> FeatureMap<B> {
        self.convs.iter().enumerate().fold(x, |x, (index, conv)| {
            normalized(self.norms.get(index), activation, pass, |activation, pass| {
                conv.forward(x, activation, pass)
            })
        })
    }
}

/// A layer, then its normalization, where there is one, and the activation, which the layer takes where there is none.
fn normalized<B: Backend>(
    norm: Option<&BatchNorm<B>>,
    activation: Activation,
    pass: &mut Pass<B>,
    layer: impl FnOnce(Activation, &mut Pass<B>) -> FeatureMap<B>,
) -> FeatureMap<B> {
    match norm {
        Some(norm) => {
            let x = layer(Activation::Identity, pass);
            norm.forward(x, activation, pass)
        }
        None => layer(activation, pass),
    }
}

/// Dense → normalization → ReLU, then transposed convolutions that double the side, the last one to the image and tanh.
///
/// 28×28 starts from 7×7 with 2·base channels, 32×32 from 4×4 with 4·base; each doubling halves the channels. 3×3 convolutions may stand before
/// each doubling. The first layer's
/// features are laid out (channel, y, x), as PyTorch's `view(-1, channels, height, width)` takes them.
#[derive(Module, Debug)]
pub struct DcganGenerator<B: Backend> {
    linear: Linear<B>,
    norm: Option<BatchNorm<B>>,
    convs: Vec<ConvTranspose2d<B>>,
    /// One for each convolution, or none at all.
    norms: Vec<BatchNorm<B>>,
    /// After the first layer, and after each of the convolutions.
    levels: Vec<Level<B>>,
    output: ConvTranspose2d<B>,
    start: [usize; 2],
    image: [usize; 3],
}

impl<B: Backend> DcganGenerator<B> {
    fn new(config: &DcganConfig, image: ImageShape, init: &mut Init<'_, B>) -> Self {
        let (levels, start, widest) = pyramid(config, image);
        let normalization = config.generator_normalization;
        let bias = normalization == Normalization::None;
        let linear = Linear::new([config.latent_size, start[0] * start[1] * widest], bias, init);
        let widths: Vec<usize> = (1..levels).map(|level| widest >> level).collect();
        let conv =
            |&width: &usize| ConvTranspose2d::new(normalization.before(doubling([2 * width, width])), &mut *init);
        let convs = widths.iter().map(conv).collect();
        Self {
            linear,
            norm: normalization.layer(widest, init),
            convs,
            norms: widths
                .iter()
                .filter_map(|&width| normalization.layer(width, init))
                .collect(),
            levels: [widest]
                .iter()
                .chain(&widths)
                .map(|&width| Level::new(width, config.generator_convolutions, normalization, init))
                .collect(),
            output: ConvTranspose2d::new(doubling([config.base_channels, image.channels]), init),
            start,
            image: image.dims(),
        }
    }
}

impl<B: Backend> Generator<B> for DcganGenerator<B> {
    fn latent_size(&self) -> usize {
        self.linear.inputs()
    }

    fn image_shape(&self) -> ImageShape {
        self.image.into()
    }

    fn forward_pass(&self, z: Tensor<B, 2>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 4> {
        let mut x = normalized(self.norm.as_ref(), Activation::Relu, pass, |activation, pass| {
            let features = self.linear.forward_features(columns(z), self.start, pass);
            features.map(|pixels| activation.apply(pixels))
        });
        for (index, level) in self.levels.iter().enumerate() {
            x = level.forward(x, Activation::Relu, pass);
            if let Some(conv) = self.convs.get(index) {
                x = normalized(self.norms.get(index), Activation::Relu, pass, |activation, pass| {
                    conv.forward(x, activation, pass)
                });
            }
        }
        self.output.forward(x, Activation::Tanh, pass).into_images()
    }
}

/// Convolutions that halve the side, 3×3 convolutions after them where they are wanted, a normalization from the second on, LeakyReLU 0.2, and a Dense to one logit.
///
/// The features are flattened (channel, y, x), as PyTorch's `flatten(1)` does; `linear.weight` has its columns in that order.
#[derive(Module, Debug)]
pub struct DcganDiscriminator<B: Backend> {
    input: Conv2d<B>,
    convs: Vec<Conv2d<B>>,
    /// One for each of those, or none at all.
    norms: Vec<BatchNorm<B>>,
    /// After each halving.
    levels: Vec<Level<B>>,
    linear: Linear<B>,
    image: [usize; 3],
}

impl<B: Backend> DcganDiscriminator<B> {
    fn new(config: &DcganConfig, image: ImageShape, init: &mut Init<'_, B>) -> Self {
        let (levels, start, widest) = pyramid(config, image);
        let base = config.base_channels;
        let input = Conv2d::new(doubling([image.channels, base]), init);
        let widths: Vec<usize> = (1..levels).map(|level| base << level).collect();
        let normalization = config.discriminator_normalization;
        let conv = |&width: &usize| Conv2d::new(normalization.before(doubling([width / 2, width])), &mut *init);
        let convs = widths.iter().map(conv).collect();
        let norm = |&width: &usize| normalization.layer(width, &mut *init);
        Self {
            input,
            convs,
            norms: widths.iter().filter_map(norm).collect(),
            levels: [base]
                .iter()
                .chain(&widths)
                .map(|&width| Level::new(width, config.discriminator_convolutions, normalization, init))
                .collect(),
            linear: Linear::new([start[0] * start[1] * widest, 1], true, init),
            image: image.dims(),
        }
    }
}

impl<B: Backend> Discriminator<B> for DcganDiscriminator<B> {
    fn image_shape(&self) -> ImageShape {
        self.image.into()
    }

    fn forward_pass(&self, images: Tensor<B, 4>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        let [batch, _, _, _] = images.dims();
        let mut x = self.input.forward(FeatureMap::from_images(images), LEAKY, pass);
        for (index, level) in self.levels.iter().enumerate() {
            x = level.forward(x, LEAKY, pass);
            if let Some(conv) = self.convs.get(index) {
                x = normalized(self.norms.get(index), LEAKY, pass, |activation, pass| {
                    conv.forward(x, activation, pass)
                });
            }
        }
        self.linear.forward_flattened(x, pass).reshape([batch, 1])
    }
}
