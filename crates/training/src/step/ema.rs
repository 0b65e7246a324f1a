//! The exponential moving average of the generator, which makes better images than the generator itself.

use burn::{
    module::AutodiffModule,
    tensor::{backend::AutodiffBackend, ops::FloatTensorOps},
};
use ganvas_model::fused_updates;

use super::parameters::{parameters, zip_parameters};
use crate::EmaRate;

/// The averaged generator (Karras et al., 2018, section 4.1).
#[derive(Debug, Clone)]
pub struct Ema<G> {
    /// The average: weights and buffers, on the backend without gradients.
    pub generator: G,
    rate: EmaRate,
}

impl<G> Ema<G> {
    /// Starts at the generator's weights.
    pub fn new<B: AutodiffBackend>(generator: &impl AutodiffModule<B, InnerModule = G>, rate: EmaRate) -> Self {
        Self {
            generator: generator.valid(),
            rate,
        }
    }

    /// Takes up an average that was saved.
    pub fn resume(generator: G, rate: EmaRate) -> Self {
        Self { generator, rate }
    }

    /// Moves the average: ema = d·ema + (1 − d)·weights with the d of [`EmaRate::kept`]. Buffers are averaged too. `step` counts the
    /// generator updates done, from 1.
    pub fn update<B, T>(self, generator: &T, step: u64) -> Self
    where
        B: AutodiffBackend,
        T: AutodiffModule<B, InnerModule = G>,
        G: burn::module::Module<B::InnerBackend>,
    {
        let share = 1.0 - self.rate.kept(step);
        let weights = parameters(&generator.valid());
        let average = zip_parameters(self.generator, weights, |average, weight| {
            match fused_updates::<B::InnerBackend>(&B::InnerBackend::float_device(&weight)) {
                Some(fused) => fused.move_average(average, weight, share as f32),
                None => {
                    let difference = B::InnerBackend::float_sub(weight, average.clone());
                    B::InnerBackend::float_add(average, B::InnerBackend::float_mul_scalar(difference, share.into()))
                }
            }
        });
        Self {
            generator: average,
            ..self
        }
    }
}
