//! The transposed convolution, lowered to one matrix product and, where kernels overlap, a scatter.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};
use rand::RngCore;

use crate::{
    ConvConfig, FeatureMap,
    initialization::{Fans, Initialization, constant_vector},
    linear::add_bias,
    patches::Window,
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
    pub fn new(config: ConvConfig, initialization: Initialization, rng: &mut dyn RngCore, device: &B::Device) -> Self {
        let [inputs, outputs] = config.channels;
        let fans = Fans {
            fan_in: inputs * config.taps(),
            fan_out: outputs * config.taps(),
            meeting: (inputs * config.taps()) as f64 / (config.stride * config.stride) as f64,
        };
        let shape = [inputs, outputs, config.kernel, config.kernel];
        Self {
            weight: initialization.kernel(shape, fans, rng, device),
            bias: config.bias.then(|| constant_vector(outputs, 0.0, device)),
            stride: config.stride,
            padding: config.padding,
        }
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// - input: `[height · width, in, batch]`
    /// - result: `[h · w, out, batch]` with `h = (height − 1)·stride + kernel − 2·padding`, `w` likewise; where kernel =
    ///   stride and there is no padding, its pixels stay in blocks (see [`FeatureMap`])
    pub fn forward(&self, input: FeatureMap<B>) -> FeatureMap<B> {
        let [inputs, outputs, kernel, _] = self.weight.dims();
        // Taps before channels, as patches have them; one matrix for every pixel.
        let weight = self
            .weight
            .val()
            .permute([2, 3, 1, 0])
            .reshape([1, kernel * kernel * outputs, inputs]);

        if kernel == self.stride && self.padding == 0 {
            let blocks = input.map(|pixels| weight.matmul(pixels)).split_into_blocks(kernel);
            return blocks.map(|pixels| add_bias(pixels, self.bias.as_ref()));
        }

        let input = input.into_image_order();
        let positions = input.size();
        let window = Window {
            image: positions.map(|side| (side - 1) * self.stride + kernel - 2 * self.padding),
            positions,
            kernel,
            stride: self.stride,
            padding: self.padding,
        };
        let patches = weight.matmul(input.into_tensor());
        let output = add_bias(window.scatter(patches), self.bias.as_ref());
        FeatureMap::from_tensor(output, window.image)
    }
}
