//! The fully connected layer.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};
use rand::RngCore;

use crate::initialization::{Fans, Initialization, constant_vector};

/// `output = input · weightᵀ + bias`, with PyTorch's weight layout.
///
/// Burn's own layer keeps `[in, out]` by default; this one keeps `[out, in]`, so that every tensor of a network has the
/// name and shape that PyTorch's users expect.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// `[out, in]`
    pub weight: Param<Tensor<B, 2>>,
    /// `[out]`
    pub bias: Option<Param<Tensor<B, 1>>>,
}

impl<B: Backend> Linear<B> {
    /// A new layer from `inputs` to `outputs` features.
    pub fn new(
        [inputs, outputs]: [usize; 2],
        bias: bool,
        initialization: Initialization,
        rng: &mut dyn RngCore,
        device: &B::Device,
    ) -> Self {
        let fans = Fans {
            fan_in: inputs,
            fan_out: outputs,
            meeting: inputs as f64,
        };
        Self {
            weight: initialization.kernel([outputs, inputs], fans, rng, device),
            bias: bias.then(|| constant_vector(outputs, 0.0, device)),
        }
    }

    /// Applies the layer to rows of features.
    ///
    /// # Shapes
    /// - input: `[rows, in]`
    /// - result: `[rows, out]`
    pub fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let output = input.matmul(self.weight.val().transpose());
        match &self.bias {
            Some(bias) => output + bias.val().unsqueeze(),
            None => output,
        }
    }

    /// Applies the layer to every pixel of a [`FeatureMap`](crate::FeatureMap)'s tensor.
    ///
    /// # Shapes
    /// - input: `[pixels, in, batch]`
    /// - result: `[pixels, out, batch]`
    pub fn forward_pixels(&self, input: Tensor<B, 3>) -> Tensor<B, 3> {
        let weight = self.weight.val().unsqueeze();
        add_bias(weight.matmul(input), self.bias.as_ref())
    }
}

/// Adds a bias to every pixel `[channels, batch]`, where there is one.
pub(crate) fn add_bias<B: Backend>(pixels: Tensor<B, 3>, bias: Option<&Param<Tensor<B, 1>>>) -> Tensor<B, 3> {
    match bias {
        Some(bias) => {
            let count = pixels.dims()[0];
            pixels + by_channel(bias.val(), count)
        }
        None => pixels,
    }
}

/// A vector over channels as `[pixels, channels, 1]`, to meet `[pixels, channels, batch]`.
///
/// It is repeated for each pixel, rather than left to broadcasting, because one number for each whole row of memory is a
/// pattern that every backend has a fast loop for, and `[1, channels, 1]` is none (flex falls back to an index calculation for
/// each value). The repeated vector is smaller than the activations by the size of the batch.
pub(crate) fn by_channel<B: Backend>(vector: Tensor<B, 1>, pixels: usize) -> Tensor<B, 3> {
    let channels = vector.dims()[0];
    vector.reshape([1, channels, 1]).repeat_dim(0, pixels)
}
