//! Batches that a prefetching thread prepared, moved to the device.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, backend::Backend};
use ganvas_data::{DataError, HostBatch, ImageSource, Prefetcher};
use ganvas_model::{Batch, Labels, Strength};

use super::plan::Plan;
use crate::{StepBatches, TrainingError};

/// The batches of one step after the other.
pub(crate) struct BatchLoader {
    prefetcher: Option<Prefetcher>,
    batches_per_step: u64,
}

impl BatchLoader {
    /// Starts the prefetching thread at the first batch of the step after `step`.
    ///
    /// # Errors
    /// Where the images cannot be cut into batches.
    pub(crate) fn start(
        images: Arc<dyn ImageSource>,
        plan: &Plan,
        seed: u64,
        latent_size: usize,
        step: u64,
    ) -> Result<Self, TrainingError> {
        let schedule = plan.schedule(images.len())?;
        let batches = step * plan.batches_per_step..plan.total_steps * plan.batches_per_step;
        Ok(Self {
            prefetcher: Some(Prefetcher::start(images, schedule, seed, latent_size, batches)),
            batches_per_step: plan.batches_per_step,
        })
    }

    /// The next step's batches; `None` after the last step.
    ///
    /// # Errors
    /// What stopped the prefetching thread.
    pub(crate) fn next<B: Backend>(&mut self, device: &B::Device) -> Result<Option<StepBatches<B>>, DataError> {
        let mut batches = Vec::new();
        for _ in 0..self.batches_per_step {
            let Some(prepared) = self.prefetcher.as_mut().and_then(Prefetcher::next) else {
                // Either the steps are over or the thread failed; only `finish` knows which.
                return match self.prefetcher.take() {
                    Some(prefetcher) => prefetcher.finish().map(|()| None),
                    None => Ok(None),
                };
            };
            batches.push(on_device(prepared.batch, device));
        }
        Ok(batches.pop().map(|last| StepBatches { earlier: batches, last }))
    }
}

/// Copies a batch to a device.
fn on_device<B: Backend>(batch: HostBatch, device: &B::Device) -> Batch<B> {
    Batch {
        images: Tensor::from_data(TensorData::new(batch.images, batch.shape), device),
        labels: batch.labels.map(|labels| labels_on_device(&labels, device)),
        fake_labels: batch.fake_labels.map(|labels| labels_on_device(&labels, device)),
        z: Tensor::from_data(TensorData::new(batch.z, batch.z_shape), device),
        strength: Strength::default(),
        number: batch.number,
        seed: batch.seed,
    }
}

/// Copies labels to a device, `[batch]`.
pub(crate) fn labels_on_device<B: Backend>(labels: &[u32], device: &B::Device) -> Labels<B> {
    let labels: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
    let count = labels.len();
    Tensor::from_data(TensorData::new(labels, [count]), device)
}
