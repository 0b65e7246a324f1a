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

/// What a pass has gone through, in its order.
enum Element<B: Backend> {
    /// A layer.
    Layer(Step<B>),
    /// From here on features of this shape go through two branches.
    Fork([usize; 3]),
    /// The first branch ends, and the second begins where the first did.
    Second,
    /// The second branch ends, and the sum of both goes on.
    Join,
}

/// The adjoints of the layers of a pass.
pub(crate) struct Adjoint<B: Backend> {
    elements: Vec<Element<B>>,
    /// The first layer that has none.
    missing: Option<&'static str>,
}

impl<B: Backend> Default for Adjoint<B> {
    fn default() -> Self {
        Self {
            elements: Vec::new(),
            missing: None,
        }
    }
}

impl<B: Backend> fmt::Debug for Adjoint<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Adjoint({} elements, missing {:?})",
            self.elements.len(),
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
        self.elements.push(Element::Layer(Box::new(move |gradient| {
            let gradient = laid_out(gradient, output.dims())?;
            Ok(product(through_activation(gradient, output, activation)))
        })));
    }

    /// Features of this shape begin to go through two branches.
    pub(super) fn fork(&mut self, shape: [usize; 3]) {
        self.push_element(Element::Fork(shape));
    }

    /// The second branch begins.
    pub(super) fn second(&mut self) {
        self.push_element(Element::Second);
    }

    /// The sum of both branches goes on.
    pub(super) fn join(&mut self) {
        self.push_element(Element::Join);
    }

    fn push_element(&mut self, element: Element<B>) {
        if self.missing.is_none() {
            self.elements.push(element);
        }
    }

    pub(super) fn push_missing(&mut self, layer: &'static str) {
        self.missing.get_or_insert(layer);
        // What they hold will never be asked for.
        self.elements.clear();
    }

    /// From the gradient with respect to the last layer's output that with respect to the first one's input, which has this shape.
    pub(crate) fn apply(self, gradient: Tensor<B, 3>, shape: [usize; 3]) -> Result<Tensor<B, 3>, ModelError> {
        if let Some(layer) = self.missing {
            return Err(ModelError::NoInputGradient { layer });
        }
        // Of branches that wait: the gradient for the first one, then what has come out of the second.
        let mut waiting: Vec<Tensor<B, 3>> = Vec::new();
        let mut gradient = gradient;
        for element in self.elements.into_iter().rev() {
            gradient = match element {
                Element::Layer(step) => step(gradient)?,
                Element::Join => {
                    waiting.push(gradient.clone());
                    gradient
                }
                // A pass forks, changes branches and joins in one call, so there is one that waits.
                Element::Second => match waiting.pop() {
                    Some(of_first) => {
                        waiting.push(gradient);
                        of_first
                    }
                    None => gradient,
                },
                Element::Fork(shape) => match waiting.pop() {
                    Some(of_second) => laid_out(gradient, shape)? + laid_out(of_second, shape)?,
                    None => gradient,
                },
            };
        }
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
