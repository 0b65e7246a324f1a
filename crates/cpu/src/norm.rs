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
    checkpoint::strategy::NoCheckpointing,
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use ganvas_model::Activation;

use crate::{
    activation::{Function, WithFunction, with_function},
    memory::{CpuMemory, Fresh, create, written},
    parallel::{for_rows_with, sum},
    product::write,
};

/// What the way back needs.
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
    let prepared = NormStep::<B, M>(PhantomData)
        .prepare::<NoCheckpointing>(nodes)
        .compute_bound()
        .stateful();
    let output = match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(state, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    let [mean, variance] = [mean, variance].map(<Autodiff<B> as AutodiffBackend>::from_inner);
    [output, mean, variance]
}

/// The way there: output, mean and variance, and what the way back needs.
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
    let output = create::<B, M>(&shape, |out| {
        let task = Forward {
            input: M::read(&input),
            scale: M::read(&scale),
            shift: M::read(&shift),
            row: pixels * batch,
            epsilon,
            out,
            statistics: &mut statistics,
        };
        with_function(activation, task);
    });
    let vector = |number: fn(&Statistics) -> f32| {
        let numbers: Vec<f32> = statistics.iter().map(number).collect();
        create::<B, M>(&[channels], |out| write(out, &numbers))
    };
    let told = [output.clone(), vector(|of| of.mean), vector(|of| of.variance)];
    let state = State {
        input,
        output: (activation != Activation::Identity).then_some(output),
        scale,
        statistics,
        activation,
    };
    (told, state)
}

struct Forward<'a> {
    input: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    row: usize,
    epsilon: f32,
    out: Fresh<'a>,
    statistics: &'a mut [Statistics],
}

impl WithFunction for Forward<'_> {
    type Output = ();

    fn run<F: Function>(self, function: F) {
        let Self {
            input,
            scale,
            shift,
            row,
            epsilon,
            out,
            statistics,
        } = self;
        for_rows_with(out, row, statistics, |channel, out, statistics| {
            // A channel fits the second cache, so that the three rounds go over memory once.
            let values = &input[channel * row..][..row];
            let mean = (sum(row, |index| values[index]) / row as f64) as f32;
            let square = |index: usize| {
                let centred = values[index] - mean;
                centred * centred
            };
            let variance = (sum(row, square) / row as f64) as f32;
            let inverse_deviation = 1.0 / (variance + epsilon).sqrt();
            let (scale, shift) = (scale[channel] * inverse_deviation, shift[channel]);
            for (out, value) in out.iter_mut().zip(values) {
                out.write(function.apply((value - mean) * scale + shift));
            }
            *statistics = Statistics {
                mean,
                variance,
                inverse_deviation,
            };
        });
    }
}

/// Sums over a channel: the gradients of shift and scale.
#[derive(Clone, Copy, Default)]
struct Sums {
    shift: f32,
    scale: f32,
}

/// Through the activation and the normalization (Ioffe and Szegedy, 2015, section 3).
struct Back<'a> {
    gradient: &'a [f32],
    input: &'a [f32],
    output: &'a [f32],
    scale: &'a [f32],
    statistics: &'a [Statistics],
    out: Fresh<'a>,
    sums: &'a mut [Sums],
}

impl WithFunction for Back<'_> {
    type Output = ();

    fn run<F: Function>(self, function: F) {
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
        for_rows_with(out, row, sums, |channel, out, sums| {
            let Statistics {
                mean,
                inverse_deviation,
                ..
            } = statistics[channel];
            let [gradient, input, output] = [gradient, input, output].map(|values| &values[channel * row..][..row]);
            for ((out, gradient), output) in out.iter_mut().zip(gradient).zip(output) {
                out.write(gradient * function.derivative(*output));
            }
            let out = written(out);
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
        });
    }
}

/// The step back through a batch normalization.
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
        let [input, scale, shift] = ops.parents;
        let state = ops.state;
        let channels = state.statistics.len();
        let mut sums = vec![Sums::default(); channels];
        let values = M::read(&state.input);
        let of_input = create::<B, M>(&state.input.shape(), |out| {
            let task = Back {
                gradient: M::read(&gradient),
                input: values,
                // Not looked at by the identity.
                output: state.output.as_ref().map_or(values, M::read),
                scale: M::read(&state.scale),
                statistics: &state.statistics,
                out,
                sums: &mut sums,
            };
            with_function(state.activation, task);
        });
        let vector = |number: fn(&Sums) -> f32| {
            let numbers: Vec<f32> = sums.iter().map(number).collect();
            create::<B, M>(&[channels], |out| write(out, &numbers))
        };
        if let Some(scale) = scale {
            gradients.register::<B>(scale.id, vector(|sums| sums.scale));
        }
        if let Some(shift) = shift {
            gradients.register::<B>(shift.id, vector(|sums| sums.shift));
        }
        if let Some(input) = input {
            gradients.register::<B>(input.id, of_input);
        }
    }
}
