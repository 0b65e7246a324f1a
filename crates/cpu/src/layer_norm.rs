//! Layer normalization with its activation, and its gradients.

use std::marker::PhantomData;

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff,
    checkpoint::base::Checkpointer,
    grads::Gradients,
    ops::{Backward, Ops},
};
use ganvas_model::Activation;
use rayon::prelude::*;

use crate::{
    activation::{Function, WithFunction, with_function},
    memory::{CpuMemory, create_vector},
    parallel::{sum, vectorized, write_rows, write_runs},
    tracked::{register_scaled, tracked},
    uninit::{Uninit, map},
};

/// What the backward pass needs.
#[derive(Debug, Clone)]
pub(crate) struct State<B: Backend> {
    input: FloatTensor<B>,
    /// What the activation gave, where there is one.
    output: Option<FloatTensor<B>>,
    scale: FloatTensor<B>,
    /// Of each image.
    means: Vec<f32>,
    /// 1 / √(variance + ε), of each image.
    inverse_deviations: Vec<f32>,
    activation: Activation,
}

/// [`FusedLayers::layer_norm`](ganvas_model::FusedLayers::layer_norm)
pub(crate) fn layer_norm<B: Backend, M: CpuMemory<B>>(
    input: FloatTensor<Autodiff<B>>,
    scale: FloatTensor<Autodiff<B>>,
    shift: FloatTensor<Autodiff<B>>,
    epsilon: f32,
    activation: Activation,
) -> FloatTensor<Autodiff<B>> {
    let nodes = [input.node.clone(), scale.node.clone(), shift.node.clone()];
    let (output, state) = normalize::<B, M>(input.primitive, scale.primitive, shift.primitive, epsilon, activation);
    tracked(NormStep::<B, M>(PhantomData).prepare(nodes), output, state)
}

/// The sums over the rows of `batch` values, one for each image, of N terms. They are added up channel by channel and then over the channels, so the
/// order depends on the shape alone.
fn sums_of_images<const N: usize>(
    [channels, pixels, batch]: [usize; 3],
    term: impl Fn(usize, usize) -> [f32; N] + Sync,
) -> [Vec<f64>; N] {
    let of_channels: Vec<Vec<[f32; N]>> = (0..channels)
        .into_par_iter()
        .with_min_len(channels.div_ceil(8).max(1))
        .map(|channel| {
            vectorized(|| {
                let mut sums = vec![[0.0; N]; batch];
                for pixel in 0..pixels {
                    let start = (channel * pixels + pixel) * batch;
                    for (image, sums) in sums.iter_mut().enumerate() {
                        let terms = term(start + image, image);
                        for (sum, term) in sums.iter_mut().zip(terms) {
                            *sum += term;
                        }
                    }
                }
                sums
            })
        })
        .collect();
    let mut totals = [(); N].map(|()| vec![0.0; batch]);
    for of_channel in of_channels {
        for (image, sums) in of_channel.into_iter().enumerate() {
            for (totals, sum) in totals.iter_mut().zip(sums) {
                totals[image] += f64::from(sum);
            }
        }
    }
    totals
}

/// The forward pass: the output, and what the backward pass needs.
///
/// # Panics
/// If there is not a scale and a shift for each channel.
pub(crate) fn normalize<B: Backend, M: CpuMemory<B>>(
    input: FloatTensor<B>,
    scale: FloatTensor<B>,
    shift: FloatTensor<B>,
    epsilon: f32,
    activation: Activation,
) -> (FloatTensor<B>, State<B>) {
    let [input, scale, shift] = [input, scale, shift].map(M::contiguous);
    let shape = input.shape().dims::<3>();
    let [scales, shifts] = [&scale, &shift].map(M::read);
    for vector in [scales, shifts] {
        assert_eq!(vector.len(), shape[0], "a value for each channel");
    }
    let values = M::read(&input);
    let count = (shape[0] * shape[1]) as f64;
    let [sums] = sums_of_images(shape, |index, _| [values[index]]);
    let means: Vec<f32> = sums.iter().map(|sum| (sum / count) as f32).collect();
    let [squares] = sums_of_images(shape, |index, image| {
        let centred = values[index] - means[image];
        [centred * centred]
    });
    let deviation = |square: &f64| 1.0 / ((square / count) as f32 + epsilon).sqrt();
    let inverse_deviations: Vec<f32> = squares.iter().map(deviation).collect();
    let output = M::create(&shape, |out| {
        let task = Forward {
            input: values,
            scales,
            shifts,
            means: &means,
            inverse_deviations: &inverse_deviations,
            shape,
            out,
        };
        with_function(activation, task)
    });
    let state = State {
        output: (activation != Activation::Identity).then(|| output.clone()),
        input,
        scale,
        means,
        inverse_deviations,
        activation,
    };
    (output, state)
}

struct Forward<'i, 'a> {
    input: &'i [f32],
    scales: &'i [f32],
    shifts: &'i [f32],
    means: &'i [f32],
    inverse_deviations: &'i [f32],
    shape: [usize; 3],
    out: Uninit<'a>,
}

impl<'a> WithFunction for Forward<'_, 'a> {
    type Output = &'a mut [f32];

    fn run<F: Function>(self, function: F) -> &'a mut [f32] {
        let [_, pixels, batch] = self.shape;
        let (means, inverse_deviations) = (self.means, self.inverse_deviations);
        let row = pixels * batch;
        write_rows(self.out, row, |channel, out| {
            let (scale, shift) = (self.scales[channel], self.shifts[channel]);
            write_runs(out, batch, |pixel, out| {
                let values = &self.input[channel * row + pixel * batch..][..batch];
                map(out, [values, means, inverse_deviations], |[value, mean, inverse]| {
                    function.apply((value - mean) * inverse * scale + shift)
                })
            })
        })
    }
}

/// The gradients of input, scale and shift.
struct BackwardTask<'i, 'a> {
    gradient: &'i [f32],
    input: &'i [f32],
    output: &'i [f32],
    scales: &'i [f32],
    means: &'i [f32],
    inverse_deviations: &'i [f32],
    shape: [usize; 3],
    out: Uninit<'a>,
}

impl<'a> WithFunction for BackwardTask<'_, 'a> {
    /// The gradients of the scales and the shifts beside what was written.
    type Output = (&'a mut [f32], Vec<[f32; 2]>);

    fn run<F: Function>(self, function: F) -> Self::Output {
        let Self {
            gradient,
            input,
            output,
            scales,
            means,
            inverse_deviations,
            shape,
            out,
        } = self;
        let [channels, pixels, batch] = shape;
        let row = pixels * batch;
        let before = |index: usize| gradient[index] * function.derivative(output[index]);
        let normalized = |index: usize, image: usize| (input[index] - means[image]) * inverse_deviations[image];
        let of_vectors: Vec<[f32; 2]> = (0..channels)
            .into_par_iter()
            .map(|channel| {
                vectorized(|| {
                    let start = channel * row;
                    let of_scale = sum(row, |at| before(start + at) * normalized(start + at, at % batch));
                    [of_scale as f32, sum(row, |at| before(start + at)) as f32]
                })
            })
            .collect();
        // Of each image: the mean of the gradient of the normalized features, and of that times the features.
        let count = (channels * pixels) as f64;
        let sums = sums_of_images(shape, |index, image| {
            let gradient = before(index) * scales[index / row];
            [gradient, gradient * normalized(index, image)]
        });
        let [mean, along] = sums.map(|sums| sums.iter().map(|sum| (sum / count) as f32).collect::<Vec<f32>>());
        let out = write_rows(out, row, |channel, out| {
            let scale = scales[channel];
            write_runs(out, batch, |pixel, out| {
                let start = channel * row + pixel * batch;
                let [gradient, output, input] = [gradient, output, input].map(|values| &values[start..][..batch]);
                let inputs = [gradient, output, input, means, inverse_deviations, &mean, &along];
                map(
                    out,
                    inputs,
                    |[gradient, output, input, center, inverse, mean, along]| {
                        let gradient = gradient * function.derivative(output) * scale;
                        (gradient - mean - (input - center) * inverse * along) * inverse
                    },
                )
            })
        });
        (out, of_vectors)
    }
}

/// The backward pass of a layer normalization.
struct NormStep<B, M>(PhantomData<fn(B, M)>);

impl<B, M> std::fmt::Debug for NormStep<B, M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NormStep")
    }
}

impl<B: Backend, M: CpuMemory<B>> Backward<B, 3> for NormStep<B, M> {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = M::contiguous(gradients.consume::<B>(&ops.node));
        let parents = ops.parents.map(|parent| Some(parent?.id));
        let state = ops.state;
        let shape = state.input.shape().dims::<3>();
        let values = M::read(&state.input);
        let mut of_vectors = Vec::new();
        let of_input = M::create(&shape, |out| {
            let task = BackwardTask {
                gradient: M::read(&gradient),
                input: values,
                // Not looked at by the identity.
                output: state.output.as_ref().map_or(values, M::read),
                scales: M::read(&state.scale),
                means: &state.means,
                inverse_deviations: &state.inverse_deviations,
                shape,
                out,
            };
            let written;
            (written, of_vectors) = with_function(state.activation, task);
            written
        });
        let vector = |number: usize| {
            let numbers: Vec<f32> = of_vectors.iter().map(|of| of[number]).collect();
            create_vector::<B, M>(&numbers)
        };
        register_scaled::<B>(gradients, parents, of_input, || vector(0), || vector(1));
    }
}
