//! A convolution, transposed convolution or fully connected layer with bias and activation, in burn-autodiff's graph.

mod backward;
mod forward;

use std::marker::PhantomData;

use burn::tensor::{backend::Backend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff,
    checkpoint::base::Checkpointer,
    grads::Gradients,
    ops::{Backward, Ops},
};
use ganvas_model::{Activation, LayerCall, Lowering, Window};

use crate::{memory::CpuMemory, tracked::tracked};
use backward::{Wanted, backward};
use forward::forward;

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State<B: Backend> {
    /// `[inner side of the product, columns · batch]`: what im2col made for a convolution, else the input.
    columns: FloatTensor<B>,
    weight: FloatTensor<B>,
    /// What the activation gave, where there is one.
    output: Option<FloatTensor<B>>,
    input_shape: [usize; 3],
    output_shape: [usize; 3],
    lowering: Lowering,
    activation: Activation,
}

/// [`FusedLayers::layer`](ganvas_model::FusedLayers::layer)
pub(crate) fn layer<B: Backend, M: CpuMemory<B>>(call: LayerCall<Autodiff<B>>) -> FloatTensor<Autodiff<B>> {
    let nodes = [&call.input, &call.weight].map(|tensor| tensor.node.clone());
    let bias_node = call.bias.as_ref().map(|bias| bias.node.clone());
    let (output, state) = forward::<B, M>(LayerCall {
        input: call.input.primitive,
        weight: call.weight.primitive,
        bias: call.bias.map(|bias| bias.primitive),
        lowering: call.lowering,
        activation: call.activation,
    });
    let step = LayerStep::<B, M>(PhantomData);
    // Two kinds, because the number of a node's parents is part of its type.
    match bias_node {
        Some(bias) => {
            let [input, weight] = nodes;
            tracked(Backward::<B, 3>::prepare(step, [input, weight, bias]), output, state)
        }
        None => tracked(Backward::<B, 2>::prepare(step, nodes), output, state),
    }
}

/// The layer without a backward pass.
pub(crate) fn infer<B: Backend, M: CpuMemory<B>>(call: LayerCall<B>) -> FloatTensor<B> {
    forward::<B, M>(call).0
}

/// The window of a transposed convolution that has to be added up.
fn overlapping(lowering: Lowering) -> Option<Window> {
    match lowering {
        Lowering::Scatter(window) if !window.is_whole_image() => Some(window),
        _ => None,
    }
}

/// The window of a convolution that needs im2col.
fn gathered(lowering: Lowering) -> Option<Window> {
    match lowering {
        Lowering::Gather(window) if !window.is_whole_image() => Some(window),
        _ => None,
    }
}

/// The backward pass of a layer.
struct LayerStep<B, M>(PhantomData<fn(B, M)>);

impl<B, M> std::fmt::Debug for LayerStep<B, M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LayerStep")
    }
}

impl<B: Backend, M: CpuMemory<B>> Backward<B, 3> for LayerStep<B, M> {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [input, weight, bias] = ops.parents;
        let wanted = Wanted {
            input: input.is_some(),
            weight: weight.is_some(),
            bias: bias.is_some(),
        };
        let of = backward::<B, M>(ops.state, gradient, wanted);
        for (parent, gradient) in [(input, of.input), (weight, of.weight), (bias, of.bias)] {
            if let Some((parent, gradient)) = parent.zip(gradient) {
                gradients.register::<B>(parent.id, gradient);
            }
        }
    }
}

impl<B: Backend, M: CpuMemory<B>> Backward<B, 2> for LayerStep<B, M> {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 2>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [input, weight] = ops.parents;
        let wanted = Wanted {
            input: input.is_some(),
            weight: weight.is_some(),
            bias: false,
        };
        let of = backward::<B, M>(ops.state, gradient, wanted);
        for (parent, gradient) in [(input, of.input), (weight, of.weight)] {
            if let Some((parent, gradient)) = parent.zip(gradient) {
                gradients.register::<B>(parent.id, gradient);
            }
        }
    }
}
