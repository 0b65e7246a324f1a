//! Operations in burn-autodiff's graph.

use burn::tensor::{backend::Backend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff, NodeId,
    checkpoint::strategy::NoCheckpointing,
    grads::Gradients,
    ops::{Backward, OpsKind, OpsPrep},
};

/// An operation of ours before its output is put into the graph.
type Prepared<B, S, const N: usize> = OpsPrep<S, B, <S as Backward<B, N>>::State, NoCheckpointing, N>;

/// Puts what an operation gave into the graph, with what its backward pass needs where somebody asks for gradients.
pub(crate) fn tracked<B: Backend, S: Backward<B, N>, const N: usize>(
    operation: Prepared<B, S, N>,
    output: FloatTensor<B>,
    state: S::State,
) -> FloatTensor<Autodiff<B>> {
    match operation.compute_bound().stateful() {
        OpsKind::Tracked(operation) => operation.finish(state, output),
        OpsKind::UnTracked(operation) => operation.finish(output),
    }
}

/// Hands on the gradients of an input that was scaled and shifted, each to what asks for it: `parents` are the input, its scale and its shift.
pub(crate) fn register_scaled<B: Backend>(
    gradients: &mut Gradients,
    parents: [Option<NodeId>; 3],
    of_input: FloatTensor<B>,
    of_scale: impl FnOnce() -> FloatTensor<B>,
    of_shift: impl FnOnce() -> FloatTensor<B>,
) {
    let [input, scale, shift] = parents;
    if let Some(scale) = scale {
        gradients.register::<B>(scale, of_scale());
    }
    if let Some(shift) = shift {
        gradients.register::<B>(shift, of_shift());
    }
    if let Some(input) = input {
        gradients.register::<B>(input, of_input);
    }
}
