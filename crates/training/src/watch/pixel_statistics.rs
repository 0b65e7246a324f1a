//! Pixel statistics of generated images against real ones.

use burn::tensor::backend::Backend;
use ganvas_data::{Classes, DataError, ImageSource, epoch_order};
use ganvas_model::Generator;

use super::{
    evaluator::{Basis, Evaluator},
    moments::Moments,
};
use crate::{Sampler, TrainingError, counted};

/// How far the mean and the standard deviation of each pixel are from those of the real images: root mean squares over all
/// pixels, in units of the range from -1 to 1.
///
/// Cheap and coarse: a generator whose images are all alike, too dark or too faint is seen at once, one whose digits cannot be
/// read is not. Two sets of real images are near 0, the nearer the more images.
#[derive(Debug, Clone)]
pub struct PixelStatistics {
    real: Moments,
    classes: Option<Classes>,
    seed: u64,
    count: usize,
}

impl PixelStatistics {
    /// The names of its numbers.
    pub const REPORTS: [&str; 2] = ["pixels/mean_error", "pixels/deviation_error"];

    /// Compares `count` generated images with as many real ones, or all that there are, chosen by `seed`.
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub fn new(images: &dyn ImageSource, seed: u64, count: usize) -> Result<Self, DataError> {
        let chosen = epoch_order(seed, 0, images.len()).into_iter().take(count);
        Ok(Self {
            real: Moments::of_images(images, chosen.map(|index| index as usize))?,
            classes: Classes::of(images),
            seed,
            count,
        })
    }

    /// Compares images, one after the other, with the real ones: the errors of mean and deviation.
    pub fn compare(&self, images: &[f32]) -> [f64; 2] {
        let found = Moments::of(images.iter().copied(), self.real.means.len());
        let distance = |found: &[f64], real: &[f64]| {
            let squares = found.iter().zip(real).map(|(found, real)| (found - real).powi(2));
            (squares.sum::<f64>() / real.len() as f64).sqrt()
        };
        [
            distance(&found.means, &self.real.means),
            distance(&found.deviations, &self.real.deviations),
        ]
    }
}

impl<B: Backend, G: Generator<B>> Evaluator<B, G> for PixelStatistics {
    fn reports(&self) -> Vec<String> {
        Self::REPORTS.map(str::to_owned).to_vec()
    }

    fn basis(&self) -> Basis {
        let images = counted(self.count, "image");
        Basis {
            by: format!("the pixels of {images}, against as many training images"),
            ..Basis::default()
        }
    }

    fn evaluate(&mut self, generator: &G, _step: u64, device: &B::Device) -> Result<Vec<(String, f64)>, TrainingError> {
        let sampler =
            Sampler::for_evaluation(self.seed, self.count, generator.latent_size()).of_classes(self.classes.as_ref());
        let found = self.compare(&sampler.images(generator, device));
        Ok(Self::REPORTS.map(str::to_owned).into_iter().zip(found).collect())
    }
}

#[cfg(test)]
mod tests {
    use ganvas_data::{Split, normalize, synthetic_digits};

    use super::*;

    #[test]
    fn real_images_are_near_and_broken_ones_are_far_by_what_was_done_to_them() {
        let real = synthetic_digits(1, Split::Train, 400);
        let statistics = PixelStatistics::new(&real, 0, 400).unwrap();
        let pixels: Vec<f32> = real.pixels().iter().map(|&byte| normalize(byte)).collect();
        let [mean, deviation] = statistics.compare(&pixels);
        assert!(mean < 1e-9 && deviation < 1e-6, "{mean} {deviation}");
        // Others of the same kind: a deviation of 0.5 over √400, twice.
        let others: Vec<f32> = synthetic_digits(2, Split::Train, 400)
            .pixels()
            .iter()
            .map(|&byte| normalize(byte))
            .collect();
        assert!(statistics.compare(&others).iter().all(|&error| error < 0.05));

        let lighter: Vec<f32> = pixels.iter().map(|pixel| pixel + 0.25).collect();
        let [mean, deviation] = statistics.compare(&lighter);
        assert!((mean - 0.25).abs() < 1e-6 && deviation < 1e-6, "{mean} {deviation}");
        // The same image again and again: no deviation is left, so the error is the whole of it.
        let alike = pixels[..784].repeat(400);
        let whole = statistics
            .real
            .deviations
            .iter()
            .map(|deviation| deviation.powi(2))
            .sum::<f64>()
            / 784.0;
        assert!((statistics.compare(&alike)[1] - whole.sqrt()).abs() < 1e-6);
    }
}
