//! The exponential moving average of the generator, which makes better images than the generator itself.

use burn::{
    module::AutodiffModule,
    tensor::{backend::AutodiffBackend, ops::FloatTensorOps},
};
use ganvas_model::{Generator, fused_updates};

use crate::parameters::{parameters, zip_parameters};

/// The averaged generator (Karras et al., 2018, section 4.1; the ramp is TensorFlow's `ExponentialMovingAverage`).
#[derive(Debug, Clone)]
pub struct Ema<B: AutodiffBackend> {
    /// The average: weights and running statistics, on the backend without gradients.
    pub generator: Generator<B::InnerBackend>,
    decay: f64,
}

impl<B: AutodiffBackend> Ema<B> {
    /// Starts at the generator's weights.
    pub fn new(generator: &Generator<B>, decay: f64) -> Self {
        Self {
            generator: generator.valid(),
            decay,
        }
    }

    /// Takes up an average that was saved.
    pub fn resume(generator: Generator<B::InnerBackend>, decay: f64) -> Self {
        Self { generator, decay }
    }

    /// Moves the average: ema = d·ema + (1 − d)·weights with d = min(decay, (1 + step) / (10 + step)), so that the
    /// first, random weights are soon forgotten. `step` counts the generator updates done, from 1.
    pub fn update(mut self, generator: &Generator<B>, step: u64) -> Self {
        let decay = self.decay.min((1.0 + step as f64) / (10.0 + step as f64));
        let share = 1.0 - decay;
        let weights = parameters(&generator.valid());
        self.generator = zip_parameters(self.generator, weights, |average, weight| {
            match fused_updates::<B::InnerBackend>(&B::InnerBackend::float_device(&weight)) {
                Some(fused) => fused.move_average(average, weight, share as f32),
                None => {
                    let difference = B::InnerBackend::float_sub(weight, average.clone());
                    B::InnerBackend::float_add(average, B::InnerBackend::float_mul_scalar(difference, share.into()))
                }
            }
        });
        self
    }
}
