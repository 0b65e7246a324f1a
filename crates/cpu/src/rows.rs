//! What is done to each channel after a product: bias and activation, and the way back.

use ganvas_model::Activation;

use crate::{
    activation::{Function, WithFunction, with_function},
    memory::Fresh,
    parallel::{for_rows, for_rows_with, sum},
};

/// `values = activation(values + bias)`, a bias for each row.
pub(crate) fn add_bias_and_activate(values: &mut [f32], row: usize, bias: Option<&[f32]>, activation: Activation) {
    struct Task<'a>(&'a mut [f32], usize, Option<&'a [f32]>);
    impl WithFunction for Task<'_> {
        type Output = ();
        fn run<F: Function>(self, function: F) {
            let Self(values, row, bias) = self;
            for_rows(values, row, |number, values| {
                let bias = bias.map_or(0.0, |bias| bias[number]);
                for value in values {
                    *value = function.apply(*value + bias);
                }
            });
        }
    }
    if bias.is_some() || activation != Activation::Identity {
        with_function(activation, Task(values, row, bias));
    }
}

/// The gradient before the activation, from the one after it, and its sum over each row.
///
/// `output` is what the activation gave; it is not looked at where the activation is the identity.
pub(crate) fn activation_gradient(
    gradient: &[f32],
    output: &[f32],
    row: usize,
    activation: Activation,
    out: Fresh<'_>,
    sums: &mut [f32],
) {
    struct Task<'a>(&'a [f32], &'a [f32], usize, Fresh<'a>, &'a mut [f32]);
    impl WithFunction for Task<'_> {
        type Output = ();
        fn run<F: Function>(self, function: F) {
            let Self(gradient, output, row, out, sums) = self;
            for_rows_with(out, row, sums, |number, out, total| {
                let start = number * row;
                let (gradient, output) = (&gradient[start..][..row], &output[start..][..row]);
                for ((out, gradient), output) in out.iter_mut().zip(gradient).zip(output) {
                    out.write(gradient * function.derivative(*output));
                }
                let out = crate::memory::written(out);
                *total = sum(row, |index| out[index]) as f32;
            });
        }
    }
    with_function(activation, Task(gradient, output, row, out, sums));
}

/// The sum of each row.
pub(crate) fn row_sums(values: &[f32], row: usize) -> Vec<f32> {
    let mut sums = vec![0.0; values.len() / row.max(1)];
    use rayon::prelude::*;
    sums.par_iter_mut().enumerate().for_each(|(number, total)| {
        let values = &values[number * row..][..row];
        *total = crate::parallel::vectorized(|| sum(row, |index| values[index])) as f32;
    });
    sums
}
