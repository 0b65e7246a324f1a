//! What each step is fed: real images from the prefetching thread, noise from the seed.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, backend::Backend};
use ganvas_data::{DataError, ImageSet, Prefetcher, Purpose, Schedule, keyed_rng, normal_vec};

use crate::{Batch, Plan};

/// Batches and noise from a step on.
pub(crate) struct Feed {
    prefetcher: Option<Prefetcher>,
    seed: u64,
    latent: usize,
    plan: Plan,
}

/// A step's batches: those of the earlier discriminator updates, and the last one.
pub(crate) struct StepBatches<B: Backend> {
    pub earlier: Vec<Batch<B>>,
    pub last: Batch<B>,
    /// Real images in all of them.
    pub images: usize,
}

impl Feed {
    /// Starts the prefetching thread at the first batch of `step`, counted from 0.
    pub(crate) fn start(
        images: Arc<ImageSet>,
        seed: u64,
        latent: usize,
        (plan, schedule): (Plan, Schedule),
        step: u64,
    ) -> Self {
        let (first, end) = (step * plan.batches_per_step, plan.total_steps * plan.batches_per_step);
        Self {
            prefetcher: Some(Prefetcher::start(images, seed, schedule, first, end)),
            seed,
            latent,
            plan,
        }
    }

    /// The next step's batches; `None` after the last step.
    ///
    /// # Errors
    /// What stopped the prefetching thread.
    pub(crate) fn next<B: Backend>(&mut self, device: &B::Device) -> Result<Option<StepBatches<B>>, DataError> {
        let mut batches = Vec::with_capacity(self.plan.batches_per_step as usize);
        let mut images = 0;
        for _ in 0..self.plan.batches_per_step {
            let Some(prepared) = self.prefetcher.as_mut().and_then(Prefetcher::next) else {
                // Either all is told or the thread failed; only `finish` knows which.
                return match self.prefetcher.take() {
                    Some(prefetcher) => prefetcher.finish().map(|()| None),
                    None => Ok(None),
                };
            };
            images += prepared.batch.shape[0];
            let z = self.noise::<B>(prepared.step, device);
            batches.push((prepared.batch.into_tensor(device), z));
        }
        Ok(batches.pop().map(|last| StepBatches {
            earlier: batches,
            last,
            images,
        }))
    }

    /// z of one batch, always a whole batch of rows, also beside an epoch's short last batch.
    fn noise<B: Backend>(&self, batch: u64, device: &B::Device) -> Tensor<B, 2> {
        let mut rng = keyed_rng(self.seed, Purpose::Noise, batch);
        let values = normal_vec(&mut rng, self.plan.batch_size * self.latent);
        Tensor::from_data(TensorData::new(values, [self.plan.batch_size, self.latent]), device)
    }
}
