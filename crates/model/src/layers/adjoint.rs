//! The gradient with respect to a network's input, as operations that have gradients of their own.
//!
//! Burn 0.21 differentiates once: a gradient that its backward pass gives cannot be differentiated again. A penalty on the
//! gradient with respect to the images needs just that. So the layers say how the gradient goes back through them (their
//! adjoints), written as forward operations: a convolution's is the transposed convolution with the same weights. A backward
//! pass through these operations gives what double backpropagation gives, exactly, at the price of one more forward pass and its backward pass.

use std::fmt;

use burn::tensor::{Tensor, backend::Backend};

use super::{
    activation::Activation,
    fused::{fused_layers, primitive, tensor},
};
use crate::ModelError;

/// From the gradient with respect to a layer's output that with respect to its input, both `[channels, pixels, batch]`.
type Step<B> = Box<dyn FnOnce(Tensor<B, 3>) -> Result<Tensor<B, 3>, ModelError>>;

/// What has no adjoint where no layer says so.
pub(crate) const UNKNOWN: &str = "an operation between the layers";

/// The adjoints of the layers of a pass.
pub(crate) struct Adjoint<B: Backend> {
    steps: Vec<Step<B>>,
    /// The first layer that has none.
    missing: Option<&'static str>,
}

impl<B: Backend> Default for Adjoint<B> {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            missing: None,
        }
    }
}

impl<B: Backend> fmt::Debug for Adjoint<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Adjoint({} layers, missing {:?})",
            self.steps.len(),
            self.missing
        )
    }
}

impl<B: Backend> Adjoint<B> {
    /// Adds the layer after those before: its activation, and the product before it.
    pub(super) fn push(
        &mut self,
        output: Tensor<B, 3>,
        activation: Activation,
        product: impl FnOnce(Tensor<B, 3>) -> Tensor<B, 3> + 'static,
    ) {
        if self.missing.is_some() {
            return;
        }
        // Burn 0.21 loses gradients where two graphs that share a weight wait at the same time, so what needs no gradient leaves its
        // graph here: that of logits that nobody uses is gone before this one is made.
        let output = match activation {
            Activation::Tanh => output,
            Activation::Identity | Activation::Relu | Activation::LeakyRelu { .. } => output.detach(),
        };
        self.steps.push(Box::new(move |gradient| {
            let gradient = laid_out(gradient, output.dims())?;
            Ok(product(through_activation(gradient, output, activation)))
        }));
    }

    pub(super) fn push_missing(&mut self, layer: &'static str) {
        self.missing.get_or_insert(layer);
        // What they hold will never be asked for.
        self.steps.clear();
    }

    /// From the gradient with respect to the last layer's output that with respect to the first one's input, which has this shape.
    pub(crate) fn apply(self, gradient: Tensor<B, 3>, shape: [usize; 3]) -> Result<Tensor<B, 3>, ModelError> {
        if let Some(layer) = self.missing {
            return Err(ModelError::NoInputGradient { layer });
        }
        let gradient = self
            .steps
            .into_iter()
            .rev()
            .try_fold(gradient, |gradient, step| step(gradient))?;
        laid_out(gradient, shape)
    }
}

/// A gradient in the shape of the values that it is of: between layers values are laid out anew (flattened), never moved. Where their numbers
/// differ, something else has happened in between.
fn laid_out<B: Backend>(gradient: Tensor<B, 3>, shape: [usize; 3]) -> Result<Tensor<B, 3>, ModelError> {
    match gradient.shape().num_elements() == shape.iter().product::<usize>() {
        true => Ok(gradient.reshape(shape)),
        false => Err(ModelError::NoInputGradient { layer: UNKNOWN }),
    }
}

/// `gradient ⊙ f′(u)`, the derivative computed from the activation's output `f(u)`. Where f is piecewise linear, f′ is a constant almost
/// everywhere, so no gradient goes into `output`.
fn through_activation<B: Backend>(
    gradient: Tensor<B, 3>,
    output: Tensor<B, 3>,
    activation: Activation,
) -> Tensor<B, 3> {
    let slope = match activation {
        Activation::Identity => return gradient,
        Activation::Tanh => return gradient * (-output.square() + 1.0),
        Activation::Relu => 0.0,
        Activation::LeakyRelu { slope } => slope,
    };
    match fused_layers::<B>(&gradient.device()) {
        Some(layers) => tensor(layers.activation_gradient(primitive(gradient), primitive(output), activation)),
        None => {
            // The slope is not negative, so the output has the input's sign.
            let is_above = output.greater_elem(0.0).float();
            gradient * (is_above * (1.0 - slope) + slope)
        }
    }
}
