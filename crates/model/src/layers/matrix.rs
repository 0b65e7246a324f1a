//! Products with matrices of weights, and their transposes.

use burn::tensor::{Tensor, backend::Backend};

/// A matrix transposed: `[rows, columns]` to `[columns, rows]`.
///
/// What has one row or one column is reshaped instead, which keeps its values in their order. burn-std 0.21 gives a transposed
/// `[rows, 1]` the wrong strides when it is reshaped to more dimensions, as a backward pass does with gradients (`split_strides`,
/// tracel-ai/burn#5071), and burn-cubecl then reads zeros.
pub(crate) fn transposed<B: Backend>(matrix: Tensor<B, 2>) -> Tensor<B, 2> {
    let [rows, columns] = matrix.dims();
    if rows == 1 || columns == 1 {
        matrix.reshape([columns, rows])
    } else {
        matrix.transpose()
    }
}

/// Weights `[out, in]` times every pixel of every image: `[in, pixels, batch]` to `[out, pixels, batch]`, in one product.
pub(crate) fn multiply<B: Backend>(weight: Tensor<B, 2>, input: Tensor<B, 3>) -> Tensor<B, 3> {
    let [inputs, pixels, batch] = input.dims();
    let outputs = weight.dims()[0];
    weight
        .matmul(input.reshape([inputs, pixels * batch]))
        .reshape([outputs, pixels, batch])
}
