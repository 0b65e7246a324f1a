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

    /// Applies the layer.
    ///
    /// # Shapes
    /// - input: `[rows, in]`
    /// - result: `[rows, out]`
    pub fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let output = input.matmul(self.weight.val().transpose());
        add_bias(output, self.bias.as_ref())
    }
}

/// Adds a bias to every row, where there is one.
pub(crate) fn add_bias<B: Backend>(rows: Tensor<B, 2>, bias: Option<&Param<Tensor<B, 1>>>) -> Tensor<B, 2> {
    match bias {
        Some(bias) => rows + bias.val().unsqueeze(),
        None => rows,
    }
}
