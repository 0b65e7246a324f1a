//! The images of a generator, and judging them while it is trained.

use burn::tensor::backend::Backend;
use ganvas_data::{Classes, ImageSet, denormalize};
use ganvas_model::Generator;
use ganvas_training::{Basis, Evaluator, Sampler, TrainingError};

use crate::{EvaluatorError, Judge, Metric, Reference};

/// Images that a generator made.
#[derive(Debug)]
pub struct Generated {
    /// As bytes, as files have them.
    pub images: ImageSet,
    /// The classes that they were asked to be of, of a conditional generator.
    pub classes: Option<Vec<u32>>,
}

/// The images that a generator makes of noise.
///
/// # Errors
/// [`EvaluatorError::Data`] where a generator makes images of another shape than it says.
pub fn generated_images<B: Backend>(
    generator: &impl Generator<B>,
    noise: impl IntoIterator<Item = Sampler>,
    device: &B::Device,
) -> Result<Generated, EvaluatorError> {
    let (mut pixels, mut classes) = (Vec::new(), Vec::new());
    for part in noise {
        classes.extend_from_slice(part.labels().unwrap_or_default());
        pixels.extend(part.images(generator, device).into_iter().map(denormalize));
    }
    let shape = generator.image_shape().dims();
    Ok(Generated {
        images: ImageSet::new("generated images", pixels, None, shape)?,
        classes: (generator.classes() > 0).then_some(classes),
    })
}

/// Judges the generator that is being trained: its numbers go into the log by their names, and
/// `[checkpoint.best]` can go by them.
#[derive(Debug)]
pub struct TrainingJudge<B: Backend> {
    /// Looks at the images.
    pub judge: Judge<B>,
    /// What they are compared with.
    pub reference: Reference,
    /// The numbers.
    pub metrics: Vec<Metric>,
    /// Decides the images and the subsets.
    pub seed: u64,
    /// How many images are made.
    pub count: usize,
    /// What a conditional generator is asked for, in these shares.
    pub classes: Option<Classes>,
    /// Who judges beside whom, and the floor.
    pub basis: Basis,
}

impl<B: Backend, G: Generator<B>> Evaluator<B, G> for TrainingJudge<B> {
    fn reports(&self) -> Vec<String> {
        let names = self.metrics.iter().flat_map(|metric| metric.reports());
        names.map(|&name| name.to_owned()).collect()
    }

    fn basis(&self) -> Basis {
        self.basis.clone()
    }

    fn evaluate(&mut self, generator: &G, _step: u64, device: &B::Device) -> Result<Vec<(String, f64)>, TrainingError> {
        let failed = |error: EvaluatorError| TrainingError::Evaluator(Box::new(error));
        let noise = Sampler::for_evaluation(self.seed, self.count, generator.latent_size());
        let noise = noise.of_classes(self.classes.as_ref());
        let generated = generated_images(generator, [noise], device).map_err(failed)?;
        let seen = self.judge.observe_all(&generated.images, &mut |_| ()).map_err(failed)?;
        let seen = seen.asked_for(generated.classes);
        let numbers = self
            .reference
            .measure(&seen, &self.metrics, self.seed)
            .map_err(failed)?;
        Ok(numbers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect())
    }
}
