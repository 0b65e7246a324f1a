//! Optimizers and averages, each one pass over the weights.

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use ganvas_model::{FusedUpdates, Update};
use rayon::prelude::*;

use crate::{
    CpuLayers,
    memory::{CpuMemory, create_three},
    parallel::{sum, vectorized, write_rows},
    uninit::{Uninit, assume_written, map, map_three, same_length},
};

/// Values that one thread takes at a time.
const SHARE: usize = 1 << 13;

impl<B: Backend, M: CpuMemory<B>> FusedUpdates<B> for CpuLayers<B, M> {
    fn supports(&self, device: &B::Device) -> bool {
        M::reaches(device)
    }

    fn update(
        &self,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
        moments: Option<[FloatTensor<B>; 2]>,
        rule: Update,
    ) -> ([FloatTensor<B>; 3], f32) {
        let shape = weight.shape();
        let [weight, gradient] = [weight, gradient].map(M::contiguous);
        let moments = moments.map(|moments| moments.map(M::contiguous));
        let zeros;
        let [first, second] = match &moments {
            Some([first, second]) => [M::read(first), M::read(second)],
            None => {
                zeros = vec![0.0; shape.num_elements()];
                [&zeros[..]; 2]
            }
        };
        let inputs = [M::read(&weight), M::read(&gradient), first, second];
        let mut square_sum = 0.0;
        let moved = create_three::<B, M>(&shape, |weight, first, second| {
            let outputs;
            (outputs, square_sum) = write_by_rule((weight, first, second), inputs, rule);
            outputs
        });
        (moved, square_sum)
    }

    fn move_average(&self, average: FloatTensor<B>, value: FloatTensor<B>, share: f32) -> FloatTensor<B> {
        let shape = average.shape();
        let [average, value] = [average, value].map(M::contiguous);
        let (average, value) = (M::read(&average), M::read(&value));
        let inputs = [average, value].map(|input| same_length(input, shape.num_elements()));
        M::create(&shape, |out| {
            write_rows(out, SHARE, |number, out| {
                let inputs = inputs.map(|input| &input[number * SHARE..][..out.len()]);
                map(out, inputs, |[average, value]| average + (value - average) * share)
            })
        })
    }
}

/// What a rule makes of weight, gradient and moments, one value after the other.
#[allow(clippy::type_complexity)]
fn write_by_rule<'a, 'b, 'c>(
    (weight, first, second): (Uninit<'a>, Uninit<'b>, Uninit<'c>),
    inputs: [&[f32]; 4],
    rule: Update,
) -> ((&'a mut [f32], &'b mut [f32], &'c mut [f32]), f32) {
    // From 64 bits: 1 − 0.999 would be off by 1e-5 of itself.
    let decay = |beta: f64| (beta as f32, (1.0 - beta) as f32);
    match rule {
        Update::Adam {
            beta1,
            beta2,
            rate,
            epsilon,
            kept,
        } => {
            let ((decay1, share1), (decay2, share2)) = (decay(beta1), decay(beta2));
            let [rate, epsilon, kept] = [rate, epsilon, kept].map(|value| value as f32);
            write_moved(weight, first, second, inputs, |[weight, gradient, first, second]| {
                let first = first * decay1 + gradient * share1;
                let second = second * decay2 + gradient * gradient * share2;
                [weight * kept - first / (second.sqrt() + epsilon) * rate, first, second]
            })
        }
        Update::Rmsprop {
            beta2,
            momentum,
            rate,
            epsilon,
        } => {
            let (decay2, share2) = decay(beta2);
            let [rate, epsilon, momentum] = [rate, epsilon, momentum].map(|value| value as f32);
            write_moved(weight, first, second, inputs, |[weight, gradient, first, second]| {
                let second = second * decay2 + gradient * gradient * share2;
                let first = first * momentum + gradient / (second.sqrt() + epsilon);
                [weight - first * rate, first, second]
            })
        }
        Update::Sgd { momentum, rate } => {
            let [rate, momentum] = [rate, momentum].map(|value| value as f32);
            write_moved(weight, first, second, inputs, |[weight, gradient, first, second]| {
                let first = first * momentum + gradient;
                [weight - first * rate, first, second]
            })
        }
    }
}

/// Writes what `update` makes of the weight, the gradient and the moments in the same place, on all threads; returns what it
/// wrote, and the sum of the gradient's squares, which is added up share by share, in an order that depends on their number alone.
#[allow(clippy::type_complexity)]
fn write_moved<'a, 'b, 'c>(
    weight: Uninit<'a>,
    first: Uninit<'b>,
    second: Uninit<'c>,
    inputs: [&[f32]; 4],
    update: impl Fn([f32; 4]) -> [f32; 3] + Sync,
) -> ((&'a mut [f32], &'b mut [f32], &'c mut [f32]), f32) {
    let inputs = inputs.map(|input| same_length(input, weight.len()));
    // Otherwise shares would be left out.
    assert_eq!([first.len(), second.len()], [weight.len(); 2], "outputs of one length");
    let square_sums: Vec<f64> = weight
        .par_chunks_mut(SHARE)
        .zip(first.par_chunks_mut(SHARE))
        .zip(second.par_chunks_mut(SHARE))
        .enumerate()
        .with_min_len(2)
        .map(|(number, ((weight, first), second))| {
            vectorized(|| {
                let inputs = inputs.map(|input| &input[number * SHARE..][..weight.len()]);
                map_three([weight, first, second], inputs, &update);
                let gradient = inputs[1];
                sum(gradient.len(), |index| gradient[index] * gradient[index])
            })
        })
        .collect();
    // SAFETY: the shares are all of the three outputs, and each was written whole by `map_three`.
    #[allow(unsafe_code)]
    let outputs = unsafe { (assume_written(weight), assume_written(first), assume_written(second)) };
    (outputs, square_sums.into_iter().sum::<f64>() as f32)
}
