//! A layer's forward pass.

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use ganvas_model::{Activation, LayerCall, Lowering};

use super::{State, gathered, overlapping};
use crate::{
    im2col::{gather, scatter, swap_runs},
    memory::CpuMemory,
    product::{Matrix, multiply},
    rows::add_bias_and_activate,
    uninit::Uninit,
};

/// The layer's output, and what its backward pass needs.
///
/// # Panics
/// If the shapes are not those of [`FusedLayers::layer`](ganvas_model::FusedLayers::layer).
pub(super) fn forward<B: Backend, M: CpuMemory<B>>(call: LayerCall<B>) -> (FloatTensor<B>, State<B>) {
    let LayerCall {
        lowering, activation, ..
    } = call;
    let [input, weight] = [call.input, call.weight].map(M::contiguous);
    let bias = call.bias.map(M::contiguous);
    let input_shape = input.shape().dims::<3>();
    let [inputs, pixels, batch] = input_shape;
    let [weight_rows, weight_columns] = weight.shape().dims::<2>();
    let output_shape = match lowering {
        Lowering::Pixels => [weight_rows, pixels, batch],
        Lowering::Features { pixels } => [weight_rows / pixels, pixels, batch],
        Lowering::Gather(window) => [weight_rows, window.position_count(), batch],
        Lowering::Scatter(window) => [weight_columns / window.taps(), window.pixels(), batch],
        Lowering::Split { taps } => [weight_columns / taps, taps * pixels, batch],
    };
    let bias = bias.as_ref().map(|bias| {
        let biases = match lowering {
            Lowering::Features { .. } => weight_rows,
            _ => output_shape[0],
        };
        let values = M::read(bias);
        assert_eq!(values.len(), biases, "the values of a layer's bias");
        values
    });

    let columns = match gathered(lowering) {
        Some(window) => {
            assert_eq!(pixels, window.pixels(), "the pixels of a convolution's input");
            let shape = [inputs * window.taps(), window.position_count(), batch];
            M::create(&shape, |out| gather(&window, batch, M::read(&input), out))
        }
        None => input,
    };
    let product = Product {
        weight: Matrix::new(M::read(&weight), weight_rows, weight_columns),
        columns: M::read(&columns),
        lowering,
        positions: match lowering {
            Lowering::Features { .. } => batch,
            Lowering::Gather(window) => window.position_count() * batch,
            Lowering::Pixels | Lowering::Scatter(_) | Lowering::Split { .. } => pixels * batch,
        },
    };
    let row = output_shape[1] * batch;
    let output = M::create(&output_shape, |out| match (lowering, overlapping(lowering)) {
        (Lowering::Features { pixels }, _) => {
            assert_eq!(activation, Activation::Identity, "no activation follows features");
            let columns = M::create(&[weight_rows, batch], |out| {
                let out = product.write(out);
                add_bias_and_activate(out, batch, bias, Activation::Identity);
                out
            });
            swap_runs(M::read(&columns), [pixels, weight_rows / pixels], batch, out)
        }
        (_, Some(window)) => {
            assert_eq!(
                pixels,
                window.position_count(),
                "the pixels of a transposed convolution's input"
            );
            let taps = M::create(&[weight_columns, pixels, batch], |out| product.write(out));
            let out = scatter(&window, batch, M::read(&taps), out);
            add_bias_and_activate(out, row, bias, activation);
            out
        }
        (_, None) => {
            let out = product.write(out);
            add_bias_and_activate(out, row, bias, activation);
            out
        }
    });
    let state = State {
        columns,
        weight,
        output: (activation != Activation::Identity).then(|| output.clone()),
        input_shape,
        output_shape,
        lowering,
        activation,
    };
    (output, state)
}

/// The layer's product: its weights, or their transpose, times the columns.
struct Product<'a> {
    weight: Matrix<'a>,
    columns: &'a [f32],
    lowering: Lowering,
    /// Columns of the product.
    positions: usize,
}

impl Product<'_> {
    fn write<'a>(&self, out: Uninit<'a>) -> &'a mut [f32] {
        let weight = match self.lowering {
            Lowering::Pixels | Lowering::Features { .. } | Lowering::Gather(_) => self.weight,
            Lowering::Scatter(_) | Lowering::Split { .. } => self.weight.transposed(),
        };
        multiply(weight, Matrix::new(self.columns, weight.columns(), self.positions), out)
    }
}
