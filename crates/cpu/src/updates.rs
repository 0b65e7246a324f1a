//! Adam and averages, in one pass over the weights.

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use ganvas_model::{AdamConstants, FusedUpdates};
use rayon::prelude::*;

use crate::{
    CpuLayers,
    memory::{CpuMemory, create},
    parallel::{for_rows, vectorized},
    product::write,
};

/// A thread's share of weights, gradients, first and second moments, as nested zips have them.
type Shares<'a> = (((&'a mut [f32], &'a [f32]), &'a mut [f32]), &'a mut [f32]);

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
    ) -> [FloatTensor<B>; 3] {
        let shape = weight.shape().to_vec();
        let [mut weight, gradient] = [owned::<B, M>(weight), M::contiguous(gradient)];
        let [mut first, mut second] = match moments {
            Some(moments) => moments.map(owned::<B, M>),
            None => [(); 2].map(|()| {
                create::<B, M>(&shape, |out| {
                    for out in out {
                        out.write(0.0);
                    }
                })
            }),
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
        let task = |(((weight, gradient), first), second): Shares<'_>| {
            vectorized(|| {
                for (((weight, gradient), first), second) in weight.iter_mut().zip(gradient).zip(first).zip(second) {
                    *first = *first * decay1 + gradient * share1;
                    *second = *second * decay2 + gradient * gradient * share2;
                    *weight -= *first / (second.sqrt() + epsilon) * rate;
                }
            });
        };
        if let (Some(weight), Some(first), Some(second)) =
            (M::modify(&mut weight), M::modify(&mut first), M::modify(&mut second))
        {
            weight
                .par_chunks_mut(SHARE)
                .zip(M::read(&gradient).par_chunks(SHARE))
                .zip(first.par_chunks_mut(SHARE))
                .zip(second.par_chunks_mut(SHARE))
                .for_each(task);
        }
        [weight, first, second]
    }

    fn move_average(&self, average: FloatTensor<B>, value: FloatTensor<B>, share: f32) -> FloatTensor<B> {
        let mut average = owned::<B, M>(average);
        let value = M::contiguous(value);
        let value = M::read(&value);
        if let Some(average) = M::modify(&mut average) {
            for_rows(average, SHARE, |number, average| {
                let start = number * SHARE;
                for (average, value) in average.iter_mut().zip(&value[start..]) {
                    *average += (value - *average) * share;
                }
            });
        }
        average
    }
}

/// The tensor where nobody else holds it, else a copy.
pub(crate) fn owned<B: Backend, M: CpuMemory<B>>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    let mut tensor = M::contiguous(tensor);
    if M::modify(&mut tensor).is_some() {
        return tensor;
    }
    let shape = tensor.shape().to_vec();
    create::<B, M>(&shape, |out| write(out, M::read(&tensor)))
}
