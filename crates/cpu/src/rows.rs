//! What is done to each channel after a product: bias and activation, and their gradients.

use ganvas_model::Activation;
use rayon::prelude::*;

use crate::{
    activation::{Function, WithFunction, with_function},
    parallel::{for_rows, sum, vectorized, write_rows_with},
    uninit::{Uninit, map},
};

/// `values = activation(values + bias)`, a bias for each row.
///
/// # Panics
/// If there are fewer biases than rows.
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
///
/// # Panics
/// If the lengths do not fit.
pub(crate) fn activation_gradient<'a>(
    gradient: &[f32],
    output: &[f32],
    row: usize,
    activation: Activation,
    out: Uninit<'a>,
    sums: &mut [f32],
) -> &'a mut [f32] {
    struct Task<'i, 'a>(&'i [f32], &'i [f32], usize, Uninit<'a>, &'i mut [f32]);
    impl<'a> WithFunction for Task<'_, 'a> {
        type Output = &'a mut [f32];
        fn run<F: Function>(self, function: F) -> &'a mut [f32] {
            let Self(gradient, output, row, out, sums) = self;
            write_rows_with(out, row, sums, |number, out, total| {
                let start = number * row;
                let inputs = [gradient, output].map(|input| &input[start..][..row]);
                let out = map(out, inputs, |[gradient, output]| gradient * function.derivative(output));
                *total = sum(row, |index| out[index]) as f32;
                out
            })
        }
    }
    with_function(activation, Task(gradient, output, row, out, sums))
}

/// The sum of each row.
///
/// # Panics
/// If there are fewer values.
pub(crate) fn row_sums(values: &[f32], rows: usize, row: usize) -> Vec<f32> {
    let mut sums = vec![0.0; rows];
    sums.par_iter_mut().enumerate().for_each(|(number, total)| {
        let values = &values[number * row..][..row];
        *total = vectorized(|| sum(row, |index| values[index])) as f32;
    });
    sums
}
