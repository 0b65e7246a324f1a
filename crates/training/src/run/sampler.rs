//! Images from a trained generator.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use ganvas_data::{Classes, Purpose, keyed_rng, normal_vec};
use ganvas_model::{Generator, host_values};

use super::batch_loader::labels_on_device;

/// Images made at once: bounds the memory, whatever the count.
const CHUNK: usize = 256;

/// Noise for `count` images, from the seed alone: the first images are the same for every count; and the classes that a conditional
/// generator is to make them of.
#[derive(Debug, Clone)]
pub struct Sampler {
    z: Vec<f32>,
    latent: usize,
    seed: u64,
    purpose: Purpose,
    /// The number of the first image.
    first: u64,
    labels: Option<Vec<u32>>,
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
            seed,
            purpose,
            first: 0,
            labels: None,
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
                seed,
                purpose: Purpose::SampleNoise,
                first: part * CHUNK as u64,
                labels: None,
            }
        })
    }

    /// Noise that somebody brings, `[count, latent]`; what else is drawn comes from the seed, and the first image is number `first`.
    pub fn of_noise(z: Vec<f32>, latent: usize, seed: u64, first: u64) -> Self {
        Self {
            z,
            latent,
            seed,
            purpose: Purpose::SampleNoise,
            first,
            labels: None,
        }
    }

    /// An image for each seed: the first image of [`new`](Self::new) with it, of the class that it has there.
    pub fn of_seeds(seeds: &[u64], latent: usize, classes: Option<&Classes>) -> Self {
        let z = seeds.iter().flat_map(|&seed| Self::new(seed, 1, latent).z).collect();
        let sampler = Self::of_noise(z, latent, 0, 0);
        match classes {
            Some(classes) => {
                sampler.with_classes(|index| classes.draw(seeds[index as usize], Purpose::SampleLabels, 0))
            }
            None => sampler,
        }
    }

    /// The same, nearer to the middle of all noise: z times ψ.
    pub fn truncated(mut self, psi: f32) -> Self {
        self.z.iter_mut().for_each(|value| *value *= psi);
        self
    }

    /// Of the class that `class` gives for the number of an image.
    pub fn with_classes(mut self, class: impl Fn(u64) -> u32) -> Self {
        let images = self.first..self.first + self.count() as u64;
        self.labels = Some(images.map(class).collect());
        self
    }

    /// Of classes that are drawn, each as often as it is among these images; nothing changes where those have none.
    pub fn of_classes(self, classes: Option<&Classes>) -> Self {
        let Some(classes) = classes else { return self };
        let purpose = match self.purpose {
            Purpose::EvaluationNoise => Purpose::EvaluationLabels,
            _ => Purpose::SampleLabels,
        };
        let seed = self.seed;
        self.with_classes(|index| classes.draw(seed, purpose, index))
    }

    /// The classes, where they are chosen.
    pub fn labels(&self) -> Option<&[u32]> {
        self.labels.as_deref()
    }

    /// The number of the first image.
    pub fn first(&self) -> u64 {
        self.first
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
    ///
    /// # Panics
    /// If the generator is conditional and no classes are chosen.
    pub fn images<B: Backend>(&self, generator: &impl Generator<B>, device: &B::Device) -> Vec<f32> {
        let mut images = Vec::new();
        for (part, z) in self.z.chunks(CHUNK * self.latent).enumerate() {
            let count = z.len() / self.latent;
            let labels = self.labels.as_ref().map(|labels| &labels[part * CHUNK..][..count]);
            let labels = labels.map(|labels| labels_on_device(labels, device));
            let z = Tensor::from_data(TensorData::new(z.to_vec(), [count, self.latent]), device);
            images.extend(host_values(generator.forward(z, labels)));
        }
        images
    }
}
