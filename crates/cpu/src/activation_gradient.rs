//! The gradient of an activation as a layer of its own, for penalties on gradients.

use std::marker::PhantomData;

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff,
    checkpoint::base::Checkpointer,
    grads::Gradients,
    ops::{Backward, Ops},
};
use ganvas_model::Activation;

use crate::{memory::CpuMemory, rows, tracked::tracked};

/// [`FusedLayers::activation_gradient`](ganvas_model::FusedLayers::activation_gradient)
pub(crate) fn activation_gradient<B: Backend, M: CpuMemory<B>>(
    gradient: FloatTensor<Autodiff<B>>,
    output: FloatTensor<B>,
    activation: Activation,
) -> FloatTensor<Autodiff<B>> {
    let nodes = [gradient.node.clone()];
    let result = infer::<B, M>(gradient.primitive, output.clone(), activation);
    let step = SlopeStep::<B, M>(PhantomData);
    tracked(step.prepare(nodes), result, (output, activation))
}

/// The same without a backward pass.
///
/// # Panics
/// If both have not the same shape.
pub(crate) fn infer<B: Backend, M: CpuMemory<B>>(
    gradient: FloatTensor<B>,
    output: FloatTensor<B>,
    activation: Activation,
) -> FloatTensor<B> {
    let shape = output.shape().dims::<3>();
    assert_eq!(shape, gradient.shape().dims::<3>(), "a slope for each value");
    let [gradient, output] = [gradient, output].map(M::contiguous);
    let [channels, pixels, batch] = shape;
    // The sums of the rows come along, and are nothing here.
    let mut sums = vec![0.0; channels];
    M::create(&shape, |out| {
        let [gradient, output] = [&gradient, &output].map(M::read);
        rows::activation_gradient(gradient, output, pixels * batch, activation, out, &mut sums)
    })
}

#[derive(Debug)]
struct SlopeStep<B, M>(PhantomData<fn(B, M)>);

impl<B: Backend, M: CpuMemory<B>> Backward<B, 1> for SlopeStep<B, M> {
    type State = (FloatTensor<B>, Activation);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (output, activation) = ops.state;
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            gradients.register::<B>(parent.id, infer::<B, M>(gradient, output, activation));
        }
    }
}
