//! A layer's backward pass.

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use ganvas_model::Lowering;

use super::{State, gathered, overlapping};
use crate::{
    im2col::{gather, scatter, swap_runs},
    memory::{CpuMemory, create_vector},
    product::{Matrix, multiply},
    rows::{activation_gradient, row_sums},
};

/// Which gradients somebody asks for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) input: bool,
    pub(super) weight: bool,
    pub(super) bias: bool,
}

/// The gradients that were wanted.
pub(super) struct LayerGradients<B: Backend> {
    pub(super) input: Option<FloatTensor<B>>,
    pub(super) weight: Option<FloatTensor<B>>,
    pub(super) bias: Option<FloatTensor<B>>,
}

/// The gradients, from that of the output.
pub(super) fn backward<B: Backend, M: CpuMemory<B>>(
    mut state: State<B>,
    gradient: FloatTensor<B>,
    wanted: Wanted,
) -> LayerGradients<B> {
    let (gradient, bias) = through_activation::<B, M>(&mut state, M::contiguous(gradient), wanted.bias);
    let (input, weight) = through_product::<B, M>(&state, gradient, wanted);
    LayerGradients { input, weight, bias }
}

/// The gradient before activation and bias, in the product's order, and that of the bias.
fn through_activation<B: Backend, M: CpuMemory<B>>(
    state: &mut State<B>,
    mut gradient: FloatTensor<B>,
    wants_bias: bool,
) -> (FloatTensor<B>, Option<FloatTensor<B>>) {
    let [outputs, pixels, batch] = state.output_shape;
    let (outputs, row) = match state.lowering {
        Lowering::Features { .. } => {
            gradient = M::create(&[pixels * outputs, batch], |out| {
                swap_runs(M::read(&gradient), [outputs, pixels], batch, out)
            });
            (pixels * outputs, batch)
        }
        _ => (outputs, pixels * batch),
    };
    // Taken, so that its memory is free again before the products.
    let sums = match state.output.take() {
        Some(output) => {
            let output = M::read(&output);
            let mut sums = vec![0.0; outputs];
            gradient = M::create(&state.output_shape, |out| {
                let values = M::read(&gradient);
                activation_gradient(values, output, row, state.activation, out, &mut sums)
            });
            Some(sums)
        }
        None => wants_bias.then(|| row_sums(M::read(&gradient), outputs, row)),
    };
    let bias = sums.filter(|_| wants_bias);
    (gradient, bias.map(|sums| create_vector::<B, M>(&sums)))
}

/// The gradients of the input and of the weights.
fn through_product<B: Backend, M: CpuMemory<B>>(
    state: &State<B>,
    mut gradient: FloatTensor<B>,
    wanted: Wanted,
) -> (Option<FloatTensor<B>>, Option<FloatTensor<B>>) {
    let [inputs, pixels, batch] = state.input_shape;
    let [_, output_pixels, _] = state.output_shape;
    let shape = state.weight.shape().dims::<2>();
    let [weight_rows, weight_columns] = shape;
    let weights = Matrix::new(M::read(&state.weight), weight_rows, weight_columns);
    let columns = M::read(&state.columns);
    match state.lowering {
        Lowering::Pixels | Lowering::Features { .. } | Lowering::Gather(_) => {
            let positions = match state.lowering {
                Lowering::Features { .. } => batch,
                _ => output_pixels * batch,
            };
            let gradient = Matrix::new(M::read(&gradient), weight_rows, positions);
            let columns = Matrix::new(columns, weight_columns, positions);
            let weight = wanted
                .weight
                .then(|| M::create(&shape, |out| multiply(gradient, columns.transposed(), out)));
            let input = wanted.input.then(|| match gathered(state.lowering) {
                Some(window) => {
                    let columns = M::create(&[weight_columns, output_pixels, batch], |out| {
                        multiply(weights.transposed(), gradient, out)
                    });
                    M::create(&state.input_shape, |out| {
                        scatter(&window, batch, M::read(&columns), out)
                    })
                }
                None => M::create(&state.input_shape, |out| multiply(weights.transposed(), gradient, out)),
            });
            (input, weight)
        }
        Lowering::Scatter(_) | Lowering::Split { .. } => {
            if let Some(window) = overlapping(state.lowering) {
                gradient = M::create(&[weight_columns, pixels, batch], |out| {
                    gather(&window, batch, M::read(&gradient), out)
                });
            }
            let gradient = Matrix::new(M::read(&gradient), weight_columns, pixels * batch);
            let columns = Matrix::new(columns, inputs, pixels * batch);
            let weight = wanted
                .weight
                .then(|| M::create(&shape, |out| multiply(columns, gradient.transposed(), out)));
            let input = wanted
                .input
                .then(|| M::create(&state.input_shape, |out| multiply(weights, gradient, out)));
            (input, weight)
        }
    }
}
