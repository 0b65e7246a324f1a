//! The transposed convolution, lowered to one matrix product and, where kernels overlap, a scatter.

use super::{
    activation::Activation,
    conv::ConvConfig,
    feature_map::FeatureMap,
    fused::{LayerCall, Lowering, fused_layers, primitive, tensor},
    im2col::Window,
    init::Init,
    initialization::Fans,
    linear::add_bias,
    matrix::{multiply, transposed},
    pass::Pass,
};
use crate::{GraphBuilder, Operation, Value};
use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};

/// A transposed convolution over a [`FeatureMap`], equal to `burn::nn::conv::ConvTranspose2d` without output padding.
#[derive(Module, Debug)]
pub struct ConvTranspose2d<B: Backend> {
    /// `[in, out, kernel, kernel]`
    pub weight: Param<Tensor<B, 4>>,
    /// `[out]`
    pub bias: Option<Param<Tensor<B, 1>>>,
    stride: usize,
    padding: usize,
}

impl<B: Backend> ConvTranspose2d<B> {
    /// A new layer.
    pub fn new(config: ConvConfig, init: &mut Init<'_, B>) -> Self {
        let [inputs, outputs] = config.channels;
        let fans = Fans {
            fan_in: inputs * config.taps(),
            fan_out: outputs * config.taps(),
            meeting: (inputs * config.taps()) as f64 / (config.stride * config.stride) as f64,
        };
        let shape = [inputs, outputs, config.kernel, config.kernel];
        Self {
            weight: init.kernel(shape, fans),
            bias: config.bias.then(|| init.constant(outputs, 0.0)),
            stride: config.stride,
            padding: config.padding,
        }
    }

    /// Applies the layer and then `activation`.
    ///
    /// # Shapes
    /// - input: `[in, height · width, batch]`
    /// - result: `[out, h · w, batch]` with `h = (height − 1)·stride + kernel − 2·padding`, `w` likewise; where kernel =
    ///   stride and there is no padding, its pixels stay in blocks (see [`FeatureMap`])
    pub fn forward(&self, input: FeatureMap<B>, activation: Activation, pass: &mut Pass<B>) -> FeatureMap<B> {
        let [inputs, outputs, kernel, _] = self.weight.dims();
        let taps = kernel * kernel;
        let weight = self.weight.val().reshape([inputs, outputs * taps]);
        let bias = self.bias.as_ref();
        let splits = kernel == self.stride && self.padding == 0;
        // Where nothing overlaps, the order of the pixels does not matter.
        let input = if splits { input } else { input.into_image_order() };
        let positions = input.size();
        let window = Window {
            image: positions.map(|side| (side - 1) * self.stride + kernel - 2 * self.padding),
            positions,
            kernel,
            stride: self.stride,
            padding: self.padding,
        };
        let pixels = window.image[0] * window.image[1];
        pass.count(window.position_count() * inputs * outputs * taps, pixels * outputs);
        let lowering = if splits {
            Lowering::Split { taps }
        } else {
            Lowering::Scatter(window)
        };
        pass.record_missing("a transposed convolution");
        let apply = |pixels: Tensor<B, 3>| match fused_layers::<B>(&pixels.device()) {
            Some(layers) => tensor(layers.layer(LayerCall {
                input: primitive(pixels),
                weight: primitive(weight),
                bias: bias.map(Param::val).map(primitive),
                lowering,
                activation,
            })),
            None => {
                let [_, count, batch] = pixels.dims();
                let taps_of_pixels = multiply(transposed(weight), pixels);
                let output = if splits {
                    taps_of_pixels.reshape([outputs, taps * count, batch])
                } else {
                    window.scatter(taps_of_pixels)
                };
                activation.apply(add_bias(output, bias))
            }
        };
        if splits {
            input.split_into_blocks(kernel, apply)
        } else {
            FeatureMap::from_tensor(apply(input.into_tensor()), window.image)
        }
    }

    /// Says what the layer computes.
    pub fn describe(&self, graph: &mut GraphBuilder, input: Value, activation: Activation) -> Value {
        let operation = Operation::ConvTranspose {
            weights: graph.weights(&self.weight, self.bias.as_ref()),
            stride: self.stride,
            padding: self.padding,
        };
        let output = graph.push(operation, [input]);
        graph.activation(activation, output)
    }
}
