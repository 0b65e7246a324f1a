//! A scale and a shift for each channel of each image, with the activation that follows, and their gradients.

use std::marker::PhantomData;

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff,
    checkpoint::base::Checkpointer,
    grads::Gradients,
    ops::{Backward, Ops},
};
use ganvas_model::Activation;

use crate::{
    activation::{Function, WithFunction, with_function},
    memory::CpuMemory,
    parallel::{write_rows, write_rows_with, write_runs},
    tracked::{register_scaled, tracked},
    uninit::{Uninit, map, same_length, write},
};

/// Pixels that are added up before the sum goes on with theirs: a long sum of small numbers loses less so.
const BLOCK: usize = 256;

/// What the backward pass needs.
#[derive(Debug, Clone)]
pub(crate) struct State<B: Backend> {
    input: FloatTensor<B>,
    /// What the activation gave, where there is one.
    output: Option<FloatTensor<B>>,
    scale: FloatTensor<B>,
    activation: Activation,
}

/// [`FusedLayers::image_affine`](ganvas_model::FusedLayers::image_affine)
pub(crate) fn image_affine<B: Backend, M: CpuMemory<B>>(
    input: FloatTensor<Autodiff<B>>,
    scale: FloatTensor<Autodiff<B>>,
    shift: FloatTensor<Autodiff<B>>,
    activation: Activation,
) -> FloatTensor<Autodiff<B>> {
    let nodes = [input.node.clone(), scale.node.clone(), shift.node.clone()];
    let (output, state) = apply::<B, M>(input.primitive, scale.primitive, shift.primitive, activation);
    tracked(AffineStep::<B, M>(PhantomData).prepare(nodes), output, state)
}

/// The forward pass: the output, and what the backward pass needs.
///
/// # Panics
/// If there is not a scale and a shift for each channel of each image.
pub(crate) fn apply<B: Backend, M: CpuMemory<B>>(
    input: FloatTensor<B>,
    scale: FloatTensor<B>,
    shift: FloatTensor<B>,
    activation: Activation,
) -> (FloatTensor<B>, State<B>) {
    let [input, scale, shift] = [input, scale, shift].map(M::contiguous);
    let shape = input.shape().dims::<3>();
    let of_images = [shape[0], 1, shape[2]];
    assert_eq!(
        [&scale, &shift].map(|values| values.shape().dims::<3>()),
        [of_images; 2]
    );
    let output = M::create(&shape, |out| {
        let task = Forward {
            input: M::read(&input),
            scales: M::read(&scale),
            shifts: M::read(&shift),
            shape,
            out,
        };
        with_function(activation, task)
    });
    let state = State {
        output: (activation != Activation::Identity).then(|| output.clone()),
        input,
        scale,
        activation,
    };
    (output, state)
}

struct Forward<'i, 'a> {
    input: &'i [f32],
    scales: &'i [f32],
    shifts: &'i [f32],
    shape: [usize; 3],
    out: Uninit<'a>,
}

impl<'a> WithFunction for Forward<'_, 'a> {
    type Output = &'a mut [f32];

    fn run<F: Function>(self, function: F) -> &'a mut [f32] {
        let [_, pixels, batch] = self.shape;
        let row = pixels * batch;
        write_rows(self.out, row, |channel, out| {
            let [scales, shifts] = [self.scales, self.shifts].map(|values| &values[channel * batch..][..batch]);
            write_runs(out, batch, |pixel, out| {
                let values = &self.input[channel * row + pixel * batch..][..batch];
                map(out, [values, scales, shifts], |[value, scale, shift]| {
                    function.apply(value * scale + shift)
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
    shape: [usize; 3],
    out: Uninit<'a>,
}

/// Of one channel: the gradients of each image's scale and shift.
#[derive(Clone)]
struct OfChannel {
    scales: Vec<f32>,
    shifts: Vec<f32>,
}

impl OfChannel {
    fn zeros(batch: usize) -> Self {
        Self {
            scales: vec![0.0; batch],
            shifts: vec![0.0; batch],
        }
    }

    /// Adds what each image's `gradient` makes of them at a pixel where the input had these values.
    #[inline(always)]
    fn add(&mut self, gradient: impl Fn(usize) -> f32, input: &[f32]) {
        let batch = input.len();
        let shifts = &mut self.shifts[..batch];
        for (image, scale) in self.scales[..batch].iter_mut().enumerate() {
            let gradient = gradient(image);
            *scale += gradient * input[image];
            shifts[image] += gradient;
        }
    }

    fn append(&mut self, other: &Self) {
        for (totals, sums) in [(&mut self.scales, &other.scales), (&mut self.shifts, &other.shifts)] {
            totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
    }
}

impl<'a> WithFunction for BackwardTask<'_, 'a> {
    type Output = (&'a mut [f32], Vec<OfChannel>);

    fn run<F: Function>(self, function: F) -> Self::Output {
        let [channels, pixels, batch] = self.shape;
        let row = pixels * batch;
        let mut of_channels = vec![OfChannel::zeros(batch); channels];
        let out = write_rows_with(self.out, row, &mut of_channels, |channel, out, of_channel| {
            let scales = &self.scales[channel * batch..][..batch];
            let at_pixel = |pixel: usize| {
                let start = channel * row + pixel * batch;
                [self.gradient, self.output, self.input].map(|values| &values[start..][..batch])
            };
            for first in (0..pixels).step_by(BLOCK) {
                let mut of_block = OfChannel::zeros(batch);
                for pixel in first..(first + BLOCK).min(pixels) {
                    let [gradient, output, input] = at_pixel(pixel).map(|values| same_length(values, batch));
                    of_block.add(|image| gradient[image] * function.derivative(output[image]), input);
                }
                of_channel.append(&of_block);
            }
            write_runs(out, batch, |pixel, out| {
                let [gradient, output, _] = at_pixel(pixel);
                map(out, [gradient, output, scales], |[gradient, output, scale]| {
                    gradient * function.derivative(output) * scale
                })
            })
        });
        (out, of_channels)
    }
}

/// The backward pass of a scale and a shift.
struct AffineStep<B, M>(PhantomData<fn(B, M)>);

impl<B, M> std::fmt::Debug for AffineStep<B, M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AffineStep")
    }
}

impl<B: Backend, M: CpuMemory<B>> Backward<B, 3> for AffineStep<B, M> {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = M::contiguous(gradients.consume::<B>(&ops.node));
        let parents = ops.parents.map(|parent| Some(parent?.id));
        let state = ops.state;
        let shape = state.input.shape().dims::<3>();
        let values = M::read(&state.input);
        let mut of_channels = Vec::new();
        let of_input = M::create(&shape, |out| {
            let task = BackwardTask {
                gradient: M::read(&gradient),
                input: values,
                // Not looked at by the identity.
                output: state.output.as_ref().map_or(values, M::read),
                scales: M::read(&state.scale),
                shape,
                out,
            };
            let written;
            (written, of_channels) = with_function(state.activation, task);
            written
        });
        let of_images = |of: fn(&OfChannel) -> &[f32]| {
            M::create(&[shape[0], 1, shape[2]], |out| {
                write_runs(out, shape[2], |channel, out| write(out, of(&of_channels[channel])))
            })
        };
        register_scaled::<B>(
            gradients,
            parents,
            of_input,
            || of_images(|of| &of.scales),
            || of_images(|of| &of.shifts),
        );
    }
}
