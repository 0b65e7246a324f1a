//! What follows a layer at every value.

use burn::tensor::{Tensor, activation, backend::Backend};

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// The value itself.
    Identity,
    /// max(x, 0)
    Relu,
    /// x above zero, slope · x below.
    LeakyRelu {
        /// Above 0 and below 1, usually 0.2.
        slope: f32,
    },
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// Applies the function to every value.
    pub fn apply<B: Backend, const D: usize>(self, tensor: Tensor<B, D>) -> Tensor<B, D> {
        match self {
            Self::Identity => tensor,
            Self::Relu => activation::relu(tensor),
            Self::LeakyRelu { slope } => activation::leaky_relu(tensor, f64::from(slope)),
            Self::Tanh => tensor.tanh(),
        }
    }
}
