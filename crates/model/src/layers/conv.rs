//! The convolution, lowered to a gather and one matrix product.

use super::{
    activation::Activation,
    feature_map::FeatureMap,
    fused::{LayerCall, Lowering, fused_layers, primitive, tensor},
    im2col::Window,
    init::Init,
    initialization::Fans,
    linear::add_bias,
    matrix::{multiply, transposed},
    pass::Pass,
    spectral_norm::SpectralNorm,
};
use crate::{GraphBuilder, Operation, Value};
use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};

/// The shape of a convolution or transposed convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Side of the square kernel, in pixels.
    pub kernel: usize,
    /// Step between neighbouring positions, in pixels.
    pub stride: usize,
    /// Zeros around the image (convolution), or pixels cut from the result (transposed convolution).
    pub padding: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl ConvConfig {
    /// No padding, with bias.
    pub fn new(channels: [usize; 2], kernel: usize, stride: usize) -> Self {
        Self {
            channels,
            kernel,
            stride,
            padding: 0,
            bias: true,
        }
    }

    /// Sets the padding.
    pub fn with_padding(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    /// Leaves the bias out, as before a batch normalization.
    pub fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.kernel
    }
}

/// A convolution (cross-correlation, as in every framework) over a [`FeatureMap`], equal to `burn::nn::conv::Conv2d`.
#[derive(Module, Debug)]
pub struct Conv2d<B: Backend> {
    /// `[out, in, kernel, kernel]`
    pub weight: Param<Tensor<B, 4>>,
    /// `[out]`
    pub bias: Option<Param<Tensor<B, 1>>>,
    /// What divides the weights by their largest singular value, where that is wanted.
    pub spectral: Option<SpectralNorm<B>>,
    stride: usize,
    padding: usize,
}

impl<B: Backend> Conv2d<B> {
    /// A new layer.
    pub fn new(config: ConvConfig, init: &mut Init<'_, B>) -> Self {
        let [inputs, outputs] = config.channels;
        let fans = Fans {
            fan_in: inputs * config.taps(),
            fan_out: outputs * config.taps(),
            meeting: (inputs * config.taps()) as f64,
        };
        let shape = [outputs, inputs, config.kernel, config.kernel];
        Self {
            weight: init.kernel(shape, fans),
            bias: config.bias.then(|| init.constant(outputs, 0.0)),
            spectral: None,
            stride: config.stride,
            padding: config.padding,
        }
    }

    /// Divides the weights by their largest singular value from now on.
    pub fn with_spectral_norm(self, init: &mut Init<'_, B>) -> Self {
        Self {
            spectral: Some(SpectralNorm::new(&self.weight, init)),
            ..self
        }
    }

    /// Applies the layer and then `activation`.
    ///
    /// # Shapes
    /// - input: `[in, height · width, batch]`
    /// - result: `[out, h · w, batch]` with `h = (height + 2·padding − kernel) / stride + 1`, `w` likewise
    ///
    /// # Panics
    /// If the kernel is larger than the padded image.
    pub fn forward(&self, input: FeatureMap<B>, activation: Activation, pass: &mut Pass<B>) -> FeatureMap<B> {
        let input = input.into_image_order();
        let [outputs, inputs, kernel, _] = self.weight.dims();
        let image = input.size();
        let window = Window {
            image,
            positions: image.map(|side| (side + 2 * self.padding - kernel) / self.stride + 1),
            kernel,
            stride: self.stride,
            padding: self.padding,
        };
        let count = window.position_count();
        pass.count(count * inputs * outputs * window.taps(), count * outputs);
        let weight = self.weight.val().reshape([outputs, inputs * kernel * kernel]);
        let weight = SpectralNorm::apply_to(self.spectral.as_ref(), weight, pass);
        let bias = self.bias.as_ref();
        let input = input.into_tensor();
        let output = match fused_layers::<B>(&input.device()) {
            Some(layers) => tensor(layers.layer(LayerCall {
                input: primitive(input),
                weight: primitive(weight.clone()),
                bias: bias.map(Param::val).map(primitive),
                lowering: Lowering::Gather(window),
                activation,
            })),
            None => activation.apply(add_bias(multiply(weight.clone(), window.gather(input)), bias)),
        };
        pass.record(&output, activation, move |gradient| transpose(window, weight, gradient));
        FeatureMap::from_tensor(output, window.positions)
    }

    /// Says what the layer computes.
    pub fn describe(&self, graph: &mut GraphBuilder, input: Value, activation: Activation) -> Value {
        SpectralNorm::describe(self.spectral.as_ref(), graph);
        let operation = Operation::Conv {
            weights: graph.weights(&self.weight, self.bias.as_ref()),
            stride: self.stride,
            padding: self.padding,
        };
        let output = graph.push(operation, [input]);
        graph.activation(activation, output)
    }
}

/// The transpose of a convolution without bias, which is a transposed convolution with the same weights.
///
/// # Shapes
/// - weight: `[out, in · taps]`
/// - output: `[out, positions, batch]`
/// - result: `[in, pixels, batch]`
fn transpose<B: Backend>(window: Window, weight: Tensor<B, 2>, output: Tensor<B, 3>) -> Tensor<B, 3> {
    match fused_layers::<B>(&output.device()) {
        Some(layers) => tensor(layers.layer(LayerCall {
            input: primitive(output),
            weight: primitive(weight),
            bias: None,
            lowering: Lowering::Scatter(window),
            activation: Activation::Identity,
        })),
        None => window.scatter(multiply(transposed(weight), output)),
    }
}
