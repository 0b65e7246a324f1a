//! Images from a trained generator.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use ganvas_data::{Purpose, keyed_rng, normal_vec};
use ganvas_model::{Generator, host_values};

/// Images made at once: bounds the memory, whatever the count.
const CHUNK: usize = 256;

/// Noise for `count` images, from the seed alone: the first images are the same for every count.
#[derive(Debug, Clone)]
pub struct Sampler {
    z: Vec<f32>,
    latent: usize,
}

impl Sampler {
    /// Draws z ~ N(0, 1), `[count, latent]`.
    pub fn new(seed: u64, count: usize, latent: usize) -> Self {
        Self::with_purpose(Purpose::SampleNoise, seed, count, latent)
    }

    /// As [`new`](Self::new), for images that an evaluator looks at: others than the samples.
    pub fn for_evaluation(seed: u64, count: usize, latent: usize) -> Self {
        Self::with_purpose(Purpose::EvaluationNoise, seed, count, latent)
    }

    fn with_purpose(purpose: Purpose, seed: u64, count: usize, latent: usize) -> Self {
        Self {
            z: normal_vec(&mut keyed_rng(seed, purpose, 0), count * latent),
            latent,
        }
    }

    /// The noise of [`new`](Self::new) in parts, as large as are made at once: for any number of images in bounded memory.
    pub fn parts(seed: u64, count: u64, latent: usize) -> impl Iterator<Item = Self> {
        let mut rng = keyed_rng(seed, Purpose::SampleNoise, 0);
        (0..count.div_ceil(CHUNK as u64)).map(move |part| {
            let images = (count - part * CHUNK as u64).min(CHUNK as u64) as usize;
            Self {
                z: normal_vec(&mut rng, images * latent),
                latent,
            }
        })
    }

    /// How many images.
    pub fn count(&self) -> usize {
        self.z.len() / self.latent
    }

    /// z, `[count, latent]`.
    pub fn noise(&self) -> &[f32] {
        &self.z
    }

    /// Makes the images, in the order of z, on a backend without gradients, so that batch normalization uses its running
    /// statistics and an image does not depend on its neighbours.
    ///
    /// # Shapes
    /// - result: `count · channels · height · width` values, usually in [-1, 1]
    pub fn images<B: Backend>(&self, generator: &impl Generator<B>, device: &B::Device) -> Vec<f32> {
        self.z
            .chunks(CHUNK * self.latent)
            .flat_map(|z| {
                let data = TensorData::new(z.to_vec(), [z.len() / self.latent, self.latent]);
                host_values(generator.forward(Tensor::from_data(data, device), None))
            })
            .collect()
    }
}
