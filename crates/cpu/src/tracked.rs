//! Operations in burn-autodiff's graph.

use burn::tensor::{backend::Backend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff,
    checkpoint::strategy::NoCheckpointing,
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
