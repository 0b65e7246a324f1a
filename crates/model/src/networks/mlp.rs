//! The fully connected pair of the first GANs (Goodfellow et al., 2014).

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Serialize};

use super::{
    dcgan::LEAKY,
    traits::{Discriminator, Generator, Labels, NetworkSettings, Networks},
};
use crate::{
    Activation, DataShape, FeatureMap, GraphBuilder, ImageShape, Init, Initialization, Linear, ModelError, Operation,
    Pass, Value, columns, error::expect,
};

/// `[model]` with `network = "mlp"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Random numbers that an image is made of (the length of z), usually 64 to 256.
    pub latent_size: usize,
    /// Widths of the generator's hidden layers, usually 1 to 4 of 128 to 1024; the discriminator has them in reverse order.
    pub hidden_sizes: Vec<usize>,
    /// How the weights get their first values.
    pub initialization: Initialization,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            latent_size: 100,
            hidden_sizes: vec![256, 512],
            initialization: Initialization::He,
        }
    }
}

impl NetworkSettings for MlpConfig {
    fn reads_classes(&self) -> Option<bool> {
        Some(false)
    }

    fn validate(&self, _data: Option<DataShape>) -> Result<(), ModelError> {
        expect::latent_size(self.latent_size)?;
        if self.hidden_sizes.is_empty() {
            return Err(ModelError::config("hidden_sizes", "none", "at least one layer"));
        }
        self.hidden_sizes
            .iter()
            .try_for_each(|&size| expect::within("hidden_sizes", size, 65_536))
    }
}

impl<B: Backend> Networks<B> for MlpConfig {
    type Generator = MlpGenerator<B>;
    type Discriminator = MlpDiscriminator<B>;

    fn generator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<MlpGenerator<B>, ModelError> {
        self.validate(Some(data))?;
        init.set_scheme(self.initialization);
        let (hidden, width) = hidden_layers(self.latent_size, self.hidden_sizes.iter(), init);
        Ok(MlpGenerator {
            hidden,
            output: Linear::new([width, data.image.len()], true, init),
            image: data.image.dims(),
        })
    }

    fn discriminator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<MlpDiscriminator<B>, ModelError> {
        self.validate(Some(data))?;
        init.set_scheme(self.initialization);
        let (hidden, width) = hidden_layers(data.image.len(), self.hidden_sizes.iter().rev(), init);
        Ok(MlpDiscriminator {
            hidden,
            output: Linear::new([width, 1], true, init),
            image: data.image.dims(),
        })
    }
}

/// The hidden layers of a network whose widths are `inputs`, then `hidden`; and the last width.
fn hidden_layers<'a, B: Backend>(
    inputs: usize,
    hidden: impl Iterator<Item = &'a usize>,
    init: &mut Init<'_, B>,
) -> (Vec<Linear<B>>, usize) {
    let mut width = inputs;
    let layers = hidden
        .map(|&next| {
            let layer = Linear::new([width, next], true, init);
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

impl<B: Backend> Generator<B> for MlpGenerator<B> {
    fn latent_size(&self) -> usize {
        self.hidden.first().unwrap_or(&self.output).inputs()
    }

    fn image_shape(&self) -> ImageShape {
        self.image.into()
    }

    fn forward_pass(&self, z: Tensor<B, 2>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 4> {
        let batch = z.dims()[0];
        let [channels, height, width] = self.image;
        let mut features = columns(z);
        for layer in &self.hidden {
            features = layer.forward_columns(features, Activation::Relu, pass);
        }
        let pixels = self.output.forward_columns(features, Activation::Tanh, pass);
        FeatureMap::from_tensor(pixels.reshape([channels, height * width, batch]), [height, width]).into_images()
    }

    fn describe(&self, graph: &mut GraphBuilder) -> Option<Value> {
        let hidden = self.hidden.iter();
        let x = hidden.fold(Value::Z, |x, layer| layer.describe(graph, x, Activation::Relu));
        let x = self.output.describe(graph, x, Activation::Tanh);
        let [_, height, width] = self.image;
        let unflatten = Operation::Unflatten {
            size: [height, width],
            channels_last: false,
        };
        Some(graph.push(unflatten, [x]))
    }
}

/// Linear layers with LeakyReLU 0.2, the last one to one logit.
#[derive(Module, Debug)]
pub struct MlpDiscriminator<B: Backend> {
    hidden: Vec<Linear<B>>,
    output: Linear<B>,
    image: [usize; 3],
}

impl<B: Backend> Discriminator<B> for MlpDiscriminator<B> {
    fn image_shape(&self) -> ImageShape {
        self.image.into()
    }

    fn forward_pass(&self, images: Tensor<B, 4>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        let [batch, channels, height, width] = images.dims();
        let pixels = FeatureMap::from_images(images).into_tensor();
        let mut features = pixels.reshape([channels * height * width, 1, batch]);
        for layer in &self.hidden {
            features = layer.forward_columns(features, LEAKY, pass);
        }
        let logits = self.output.forward_columns(features, Activation::Identity, pass);
        logits.reshape([batch, 1])
    }
}
