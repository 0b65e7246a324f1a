//! The network of the Keras blog post that ganvas began with, for 28×28 images with one channel.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Serialize};

use super::traits::{Discriminator, Generator, Labels, NetworkSettings, Networks};
use crate::{
    Activation::{Identity, Relu, Tanh},
    BatchNorm, BatchNormConfig, Conv2d, ConvConfig, ConvTranspose2d, DataShape, FeatureMap, GraphBuilder, ImageShape,
    Init, Initialization, Linear, ModelError, Operation, Pass, Value, columns,
    error::expect,
};

/// `[model]` with `network = "blog"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BlogConfig {
    /// Random numbers that an image is made of (the length of z), usually 64 to 256.
    pub latent_size: usize,
    /// How the weights get their first values.
    pub initialization: Initialization,
}

impl Default for BlogConfig {
    fn default() -> Self {
        Self {
            latent_size: 100,
            initialization: Initialization::GlorotUniform,
        }
    }
}

impl NetworkSettings for BlogConfig {
    fn reads_classes(&self) -> Option<bool> {
        Some(false)
    }

    fn validate(&self, data: Option<DataShape>) -> Result<(), ModelError> {
        expect::latent_size(self.latent_size)?;
        match data {
            Some(DataShape { image, .. }) if image != BLOG_IMAGE => {
                Err(expect::image(image, "1×28×28 (channels × height × width) for blog"))
            }
            _ => Ok(()),
        }
    }
}

impl<B: Backend> Networks<B> for BlogConfig {
    type Generator = BlogGenerator<B>;
    type Discriminator = BlogDiscriminator<B>;

    fn generator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<BlogGenerator<B>, ModelError> {
        self.validate(Some(data))?;
        init.set_scheme(self.initialization);
        Ok(BlogGenerator::new(self.latent_size, init))
    }

    fn discriminator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<BlogDiscriminator<B>, ModelError> {
        self.validate(Some(data))?;
        init.set_scheme(self.initialization);
        Ok(BlogDiscriminator::new(init))
    }
}

/// The post's images; what its layers make of 3×3 pixels.
const BLOG_IMAGE: ImageShape = ImageShape::new(1, 28, 28);

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
    fn new(latent: usize, init: &mut Init<'_, B>) -> Self {
        let linear = Linear::new([latent, 3 * 3 * 512], true, init);
        let mut up = |channels, kernel| ConvTranspose2d::new(ConvConfig::new(channels, kernel, 2), init);
        let (conv1, conv2, conv3) = (up([512, 256], 3), up([256, 128], 2), up([128, 64], 2));
        Self {
            linear,
            conv1,
            norm1: BatchNorm::new(BatchNormConfig::KERAS, 256, init),
            conv2,
            norm2: BatchNorm::new(BatchNormConfig::KERAS, 128, init),
            conv3,
            pixel: Linear::new([64, 1], true, init),
        }
    }
}

impl<B: Backend> Generator<B> for BlogGenerator<B> {
    fn latent_size(&self) -> usize {
        self.linear.inputs()
    }

    fn image_shape(&self) -> ImageShape {
        BLOG_IMAGE
    }

    fn forward_pass(&self, z: Tensor<B, 2>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 4> {
        let x = self.linear.forward_features_channels_last(columns(z), [3, 3], pass);
        let x = self.conv1.forward(x, Relu, pass);
        let x = self.norm1.forward(x, Identity, pass);
        let x = self.conv2.forward(x, Relu, pass);
        let x = self.norm2.forward(x, Identity, pass);
        let x = self.conv3.forward(x, Tanh, pass);
        x.map(|pixels| self.pixel.forward_pixels(pixels, Identity, pass))
            .into_images()
    }

    fn describe(&self, graph: &mut GraphBuilder) -> Option<Value> {
        let x = self.linear.describe(graph, Value::Z, Identity);
        let unflatten = Operation::Unflatten {
            size: [3, 3],
            channels_last: true,
        };
        let x = graph.push(unflatten, [x]);
        let x = self.conv1.describe(graph, x, Relu);
        let x = self.norm1.describe(graph, x, Identity);
        let x = self.conv2.describe(graph, x, Relu);
        let x = self.norm2.describe(graph, x, Identity);
        let x = self.conv3.describe(graph, x, Tanh);
        Some(self.pixel.describe_pixels(graph, x, Identity))
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
    fn new(init: &mut Init<'_, B>) -> Self {
        let mut down = |channels, stride| Conv2d::new(ConvConfig::new(channels, 4, stride), init);
        let (conv1, conv2, conv3) = (down([1, 64], 2), down([64, 128], 3), down([128, 256], 3));
        Self {
            conv1,
            norm1: BatchNorm::new(BatchNormConfig::KERAS, 64, init),
            conv2,
            norm2: BatchNorm::new(BatchNormConfig::KERAS, 128, init),
            conv3,
            linear: Linear::new([256, 1], true, init),
        }
    }
}

impl<B: Backend> Discriminator<B> for BlogDiscriminator<B> {
    fn image_shape(&self) -> ImageShape {
        BLOG_IMAGE
    }

    fn forward_pass(&self, images: Tensor<B, 4>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        let [batch, _, _, _] = images.dims();
        let x = self.conv1.forward(FeatureMap::from_images(images), Relu, pass);
        let x = self.norm1.forward(x, Identity, pass);
        let x = self.conv2.forward(x, Relu, pass);
        let x = self.norm2.forward(x, Identity, pass);
        let x = self.conv3.forward(x, Relu, pass);
        // One pixel is left, so Keras' order of the features is PyTorch's.
        self.linear.forward_flattened(x, pass).reshape([batch, 1])
    }
}
