//! Layer normalization over all features of an image.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};

use super::{
    activation::Activation,
    feature_map::FeatureMap,
    fused::{fused_layers, primitive, tensor},
    init::Init,
    linear::by_channel,
    pass::Pass,
};
use crate::{GraphBuilder, Operation, Value};

/// Added to the variance.
const EPSILON: f64 = 1e-5;

/// Layer normalization (Ba, Kiros and Hinton, 2016, arXiv:1607.06450) over channels and pixels of each image, with a scale and a shift for each
/// channel: what WGAN-GP's authors put into their critic, because an image does not depend on the others. PyTorch's `GroupNorm` of one group.
#[derive(Module, Debug)]
pub struct LayerNorm<B: Backend> {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<B, 1>>,
    /// Shift, `[channels]`.
    pub bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> LayerNorm<B> {
    /// A new layer: scale 1, shift 0.
    pub fn new(channels: usize, init: &mut Init<'_, B>) -> Self {
        Self {
            weight: init.constant(channels, 1.0),
            bias: init.constant(channels, 0.0),
        }
    }

    /// Normalizes each image and then applies `activation`.
    ///
    /// # Shapes
    /// - input and result: `[channels, pixels, batch]`
    pub fn forward(&self, input: FeatureMap<B>, activation: Activation, pass: &mut Pass<B>) -> FeatureMap<B> {
        input.map(|pixels| {
            let [channels, count, _] = pixels.dims();
            pass.count_outputs(channels * count);
            let weight = self.weight.val();
            let output = match fused_layers::<B>(&pixels.device()) {
                Some(layers) => tensor(layers.layer_norm(
                    primitive(pixels.clone()),
                    primitive(weight.clone()),
                    primitive(self.bias.val()),
                    EPSILON as f32,
                    activation,
                )),
                None => {
                    let Normalized { values, .. } = Normalized::of(pixels.clone());
                    activation.apply(values * by_channel(weight.clone()) + by_channel(self.bias.val()))
                }
            };
            pass.record(&output, activation, move |gradient| {
                let Normalized {
                    values,
                    inverse_deviation,
                } = Normalized::of(pixels);
                let gradient = gradient * by_channel(weight);
                let along = mean_of_images(gradient.clone() * values.clone());
                (gradient.clone() - mean_of_images(gradient) - values * along) * inverse_deviation
            });
            output
        })
    }

    /// Says what the layer computes.
    pub fn describe(&self, graph: &mut GraphBuilder, input: Value, activation: Activation) -> Value {
        let operation = Operation::LayerNorm {
            scale: graph.name(&self.weight),
            shift: graph.name(&self.bias),
            epsilon: EPSILON,
        };
        let output = graph.push(operation, [input]);
        graph.activation(activation, output)
    }
}

/// Features with mean 0 and variance 1 in each image.
struct Normalized<B: Backend> {
    /// `[channels, pixels, batch]`
    values: Tensor<B, 3>,
    /// `[1, 1, batch]`
    inverse_deviation: Tensor<B, 3>,
}

impl<B: Backend> Normalized<B> {
    fn of(pixels: Tensor<B, 3>) -> Self {
        let centred = pixels.clone() - mean_of_images(pixels);
        let variance = mean_of_images(centred.clone().square());
        let inverse_deviation = (variance + EPSILON).sqrt().recip();
        Self {
            values: centred * inverse_deviation.clone(),
            inverse_deviation,
        }
    }
}

/// `[channels, pixels, batch]` to `[1, 1, batch]`; all channels have as many pixels, so the mean of the means is the mean.
fn mean_of_images<B: Backend>(pixels: Tensor<B, 3>) -> Tensor<B, 3> {
    pixels.mean_dim(1).mean_dim(0)
}
