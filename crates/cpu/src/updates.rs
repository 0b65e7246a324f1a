//! Adam and averages, a pass over the weights for each tensor that they make.

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use ganvas_model::{AdamConstants, FusedUpdates};

use crate::{
    CpuLayers,
    memory::{CpuMemory, create},
    parallel::for_rows,
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
    ) -> [FloatTensor<B>; 3] {
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
        let gradient = M::read(&gradient);
        let first = zip::<B, M, 2>(&shape, [first, gradient], |[first, gradient]| {
            first * decay1 + gradient * share1
        });
        let second = zip::<B, M, 2>(&shape, [second, gradient], |[second, gradient]| {
            second * decay2 + gradient * gradient * share2
        });
        let inputs = [&weight, &first, &second].map(M::read);
        let weight = zip::<B, M, 3>(&shape, inputs, |[weight, first, second]| {
            weight - first / (second.sqrt() + epsilon) * rate
        });
        [weight, first, second]
    }

    fn move_average(&self, average: FloatTensor<B>, value: FloatTensor<B>, share: f32) -> FloatTensor<B> {
        let shape = average.shape();
        let [average, value] = [average, value].map(M::contiguous);
        zip::<B, M, 2>(&shape, [&average, &value].map(M::read), |[average, value]| {
            average + (value - average) * share
        })
    }
}

/// What `function` makes of the values in the same place of all inputs.
fn zip<B: Backend, M: CpuMemory<B>, const N: usize>(
    shape: &[usize],
    inputs: [&[f32]; N],
    function: impl Fn([f32; N]) -> f32 + Sync,
) -> FloatTensor<B> {
    create::<B, M>(shape, |out| {
        for_rows(out, SHARE, |number, out| {
            // Of one length, so that the loop needs no checks and can be vectorized.
            let inputs = inputs.map(|input| &input[number * SHARE..][..out.len()]);
            for (index, out) in out.iter_mut().enumerate() {
                out.write(function(inputs.map(|input| input[index])));
            }
        });
    })
}
