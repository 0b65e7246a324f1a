//! Batch normalization with its activation, and its gradients.

use std::marker::PhantomData;

use burn::tensor::{
    TensorMetadata,
    backend::{AutodiffBackend, Backend},
    ops::FloatTensor,
};
use burn_autodiff::{
    Autodiff,
    checkpoint::base::Checkpointer,
    grads::Gradients,
    ops::{Backward, Ops},
};
use ganvas_model::Activation;

use crate::{
    activation::{Function, WithFunction, with_function},
    memory::{CpuMemory, create_vector},
    parallel::{sum, write_rows_with},
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
    statistics: Vec<Statistics>,
    activation: Activation,
}

/// Of one channel.
#[derive(Debug, Clone, Copy, Default)]
struct Statistics {
    mean: f32,
    variance: f32,
    /// 1 / √(variance + ε)
    inverse_deviation: f32,
}

/// [`FusedLayers::batch_norm`](ganvas_model::FusedLayers::batch_norm)
pub(crate) fn batch_norm<B: Backend, M: CpuMemory<B>>(
    input: FloatTensor<Autodiff<B>>,
    scale: FloatTensor<Autodiff<B>>,
    shift: FloatTensor<Autodiff<B>>,
    epsilon: f32,
    activation: Activation,
) -> [FloatTensor<Autodiff<B>>; 3] {
    let nodes = [input.node.clone(), scale.node.clone(), shift.node.clone()];
    let ([output, mean, variance], state) =
        normalize::<B, M>(input.primitive, scale.primitive, shift.primitive, epsilon, activation);
    let output = tracked(NormStep::<B, M>(PhantomData).prepare(nodes), output, state);
    let [mean, variance] = [mean, variance].map(<Autodiff<B> as AutodiffBackend>::from_inner);
    [output, mean, variance]
}

/// The forward pass: output, mean and variance, and what the backward pass needs.
pub(crate) fn normalize<B: Backend, M: CpuMemory<B>>(
    input: FloatTensor<B>,
    scale: FloatTensor<B>,
    shift: FloatTensor<B>,
    epsilon: f32,
    activation: Activation,
) -> ([FloatTensor<B>; 3], State<B>) {
    let [input, scale, shift] = [input, scale, shift].map(M::contiguous);
    let shape = input.shape().dims::<3>();
    let [channels, pixels, batch] = shape;
    let mut statistics = vec![Statistics::default(); channels];
    let [scales, shifts] = [&scale, &shift].map(M::read);
    for vector in [scales, shifts] {
        assert_eq!(vector.len(), channels, "a value for each channel");
    }
    let output = M::create(&shape, |out| {
        let task = Forward {
            input: M::read(&input),
            scale: scales,
            shift: shifts,
            row: pixels * batch,
            epsilon,
            out,
            statistics: &mut statistics,
        };
        with_function(activation, task)
    });
    let vector = |number: fn(&Statistics) -> f32| {
        let numbers: Vec<f32> = statistics.iter().map(number).collect();
        create_vector::<B, M>(&numbers)
    };
    let results = [output.clone(), vector(|of| of.mean), vector(|of| of.variance)];
    let state = State {
        input,
        output: (activation != Activation::Identity).then_some(output),
        scale,
        statistics,
        activation,
    };
    (results, state)
}

struct Forward<'i, 'a> {
    input: &'i [f32],
    scale: &'i [f32],
    shift: &'i [f32],
    row: usize,
    epsilon: f32,
    out: Uninit<'a>,
    statistics: &'i mut [Statistics],
}

impl<'a> WithFunction for Forward<'_, 'a> {
    type Output = &'a mut [f32];

    fn run<F: Function>(self, function: F) -> &'a mut [f32] {
        let Self {
            input,
            scale,
            shift,
            row,
            epsilon,
            out,
            statistics,
        } = self;
        write_rows_with(out, row, statistics, |channel, out, statistics| {
            // A channel fits the L2 cache, so that the three rounds go over memory once.
            let values = &input[channel * row..][..row];
            let mean = (sum(row, |index| values[index]) / row as f64) as f32;
            let square = |index: usize| {
                let centred = values[index] - mean;
                centred * centred
            };
            let variance = (sum(row, square) / row as f64) as f32;
            let inverse_deviation = 1.0 / (variance + epsilon).sqrt();
            let (scale, shift) = (scale[channel] * inverse_deviation, shift[channel]);
            *statistics = Statistics {
                mean,
                variance,
                inverse_deviation,
            };
            map(out, [values], |[value]| function.apply((value - mean) * scale + shift))
        })
    }
}

/// Sums over a channel: the gradients of shift and scale.
#[derive(Clone, Copy, Default)]
struct Sums {
    shift: f32,
    scale: f32,
}

/// Through the activation and the normalization (Ioffe and Szegedy, 2015, section 3).
struct BackwardTask<'i, 'a> {
    gradient: &'i [f32],
    input: &'i [f32],
    output: &'i [f32],
    scale: &'i [f32],
    statistics: &'i [Statistics],
    out: Uninit<'a>,
    sums: &'i mut [Sums],
}

impl<'a> WithFunction for BackwardTask<'_, 'a> {
    type Output = &'a mut [f32];

    fn run<F: Function>(self, function: F) -> &'a mut [f32] {
        let Self {
            gradient,
            input,
            output,
            scale,
            statistics,
            out,
            sums,
        } = self;
        let row = input.len() / statistics.len().max(1);
        write_rows_with(out, row, sums, |channel, out, sums| {
            let Statistics {
                mean,
                inverse_deviation,
                ..
            } = statistics[channel];
            let [gradient, input, output] = [gradient, input, output].map(|values| &values[channel * row..][..row]);
            let out = map(out, [gradient, output], |[gradient, output]| {
                gradient * function.derivative(output)
            });
            let of_shift = sum(row, |index| out[index]);
            let of_scale = sum(row, |index| out[index] * (input[index] - mean)) * f64::from(inverse_deviation);
            let factor = scale[channel] * inverse_deviation;
            let mean_gradient = (of_shift / row as f64) as f32;
            let slope = (of_scale / row as f64) as f32 * inverse_deviation;
            for (out, value) in out.iter_mut().zip(input) {
                *out = factor * (*out - mean_gradient - (value - mean) * slope);
            }
            *sums = Sums {
                shift: of_shift as f32,
                scale: of_scale as f32,
            };
            out
        })
    }
}

/// The backward pass of a batch normalization.
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
        let channels = state.statistics.len();
        let mut sums = vec![Sums::default(); channels];
        let values = M::read(&state.input);
        let of_input = M::create(&state.input.shape(), |out| {
            let task = BackwardTask {
                gradient: M::read(&gradient),
                input: values,
                // Not looked at by the identity.
                output: state.output.as_ref().map_or(values, M::read),
                scale: M::read(&state.scale),
                statistics: &state.statistics,
                out,
                sums: &mut sums,
            };
            with_function(state.activation, task)
        });
        let vector = |number: fn(&Sums) -> f32| {
            let numbers: Vec<f32> = sums.iter().map(number).collect();
            create_vector::<B, M>(&numbers)
        };
        register_scaled::<B>(
            gradients,
            parents,
            of_input,
            || vector(|sums| sums.scale),
            || vector(|sums| sums.shift),
        );
    }
}
