//! Adam and averages, each one pass over the weights.

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use ganvas_model::{AdamConstants, FusedUpdates};
use rayon::prelude::*;

use crate::{
    CpuLayers,
    memory::{CpuMemory, Fresh, create},
    parallel::{for_rows, sum, vectorized},
};

/// Values that one thread takes at a time.
const SHARE: usize = 1 << 13;

impl<B: Backend, M: CpuMemory<B>> FusedUpdates<B> for CpuLayers<B, M> {
    fn supports(&self, device: &B::Device) -> bool {
        M::reaches(device)
    }

    fn adam(
        &self,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
        moments: Option<[FloatTensor<B>; 2]>,
        constants: AdamConstants,
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
        let AdamConstants {
            beta1,
            beta2,
            rate,
            epsilon,
        } = constants;
        let (decay1, decay2) = (beta1 as f32, beta2 as f32);
        // From 64 bits: 1 − 0.999 would be off by 1e-5 of itself.
        let (share1, share2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
        let (rate, epsilon) = (rate as f32, epsilon as f32);
        let inputs = [M::read(&weight), M::read(&gradient), first, second];
        let update = |[weight, gradient, first, second]: [f32; 4]| {
            let first = first * decay1 + gradient * share1;
            let second = second * decay2 + gradient * gradient * share2;
            [weight - first / (second.sqrt() + epsilon) * rate, first, second]
        };
        let (mut new_first, mut new_second, mut square_sum) = (None, None, 0.0);
        let new_weight = create::<B, M>(&shape, |weight| {
            new_first = Some(create::<B, M>(&shape, |first| {
                new_second = Some(create::<B, M>(&shape, |second| {
                    square_sum = write_moved([weight, first, second], inputs, update);
                }));
            }));
        });
        match (new_first, new_second) {
            (Some(first), Some(second)) => ([new_weight, first, second], square_sum),
            _ => unreachable!("a tensor is made with its values"),
        }
    }

    fn move_average(&self, average: FloatTensor<B>, value: FloatTensor<B>, share: f32) -> FloatTensor<B> {
        let shape = average.shape();
        let [average, value] = [average, value].map(M::contiguous);
        let (average, value) = (M::read(&average), M::read(&value));
        create::<B, M>(&shape, |out| {
            for_rows(out, SHARE, |number, out| {
                let [average, value] = [average, value].map(|input| &input[number * SHARE..][..out.len()]);
                for ((out, average), value) in out.iter_mut().zip(average).zip(value) {
                    out.write(average + (value - average) * share);
                }
            });
        })
    }
}

/// Writes what `update` makes of the weight, the gradient and the moments in the same place, on all threads; returns the sum of
/// the gradient's squares, which is added up share by share, in an order that depends on their number alone.
fn write_moved(outputs: [Fresh<'_>; 3], inputs: [&[f32]; 4], update: impl Fn([f32; 4]) -> [f32; 3] + Sync) -> f32 {
    let [weight, first, second] = outputs.map(|output| output.par_chunks_mut(SHARE));
    let square_sums: Vec<f64> = weight
        .zip(first)
        .zip(second)
        .enumerate()
        .with_min_len(2)
        .map(|(number, ((weight, first), second))| {
            vectorized(|| {
                // Of one length, so that the loop needs no checks and can be vectorized.
                let inputs = inputs.map(|input| &input[number * SHARE..][..weight.len()]);
                let (first, second) = (&mut first[..weight.len()], &mut second[..weight.len()]);
                for index in 0..weight.len() {
                    let [new_weight, new_first, new_second] = update(inputs.map(|input| input[index]));
                    weight[index].write(new_weight);
                    first[index].write(new_first);
                    second[index].write(new_second);
                }
                let gradient = inputs[1];
                sum(gradient.len(), |index| gradient[index] * gradient[index])
            })
        })
        .collect();
    square_sums.into_iter().sum::<f64>() as f32
}
