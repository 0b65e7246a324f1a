//! Training a classifier.

use burn::{
    module::AutodiffModule,
    optim::GradientsParams,
    tensor::{Tensor, TensorData, activation::log_softmax, backend::AutodiffBackend},
};
use ganvas_data::{HostBatch, ImageSource, Purpose, Schedule, epoch_order, keyed_rng};
use ganvas_model::{Init, Pass, autodiff_lock};
use ganvas_training::{Optimizer, OptimizerConfig};
use serde::{Deserialize, Serialize};

use crate::{
    EvaluatorError,
    classifier::{Classifier, ClassifierConfig},
    observe::Observed,
    shift::shift_randomly,
};

/// How a classifier is trained; the same recipe and images give the same one on the same backend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Decides first weights, the order of the images and how they are moved.
    pub seed: u64,
    /// How often every image is seen.
    pub epochs: u64,
    /// Images in an update.
    pub batch_size: usize,
    /// Adam's highest learning rate: it rises from 0 in the first tenth of the updates and then falls to 0, both linearly.
    pub learning_rate: f64,
    /// Pixels by which images are moved at most, along each axis.
    pub shift: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 8,
            batch_size: 128,
            learning_rate: 4e-3,
            shift: 2,
        }
    }
}

/// Share of the updates in which the learning rate rises.
const WARM_UP: f64 = 0.1;

impl Recipe {
    /// The learning rate of an update, counted from 0.
    fn rate(&self, update: u64, updates: u64) -> f64 {
        let done = (update as f64 + 0.5) / updates as f64;
        self.learning_rate * (done / WARM_UP).min((1.0 - done) / (1.0 - WARM_UP))
    }
}

/// Trains a classifier of labelled images. `progress` is given the updates done and their number.
///
/// # Errors
/// [`EvaluatorError::NoLabels`] for fewer than two classes, [`EvaluatorError::Data`] where images cannot be read,
/// [`EvaluatorError::NotFinite`] where training came to nothing.
pub fn train_classifier<B: AutodiffBackend>(
    images: &dyn ImageSource,
    recipe: &Recipe,
    device: &B::Device,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Classifier<B::InnerBackend>, EvaluatorError> {
    let config = config_of(images)?;
    let schedule = Schedule::new(images.len(), recipe.batch_size, false)?;
    let mut rng = keyed_rng(recipe.seed, Purpose::DiscriminatorWeights, 0);
    let mut classifier = Classifier::<B>::new(config, &mut Init::new(&mut rng, device));
    let mut adam = Optimizer::new(OptimizerConfig::default());
    let updates = recipe.epochs * schedule.batches_per_epoch();
    let mut order = Vec::new();
    for update in 0..updates {
        let (epoch, batch) = schedule.position(update);
        if batch == 0 {
            order = epoch_order(recipe.seed, epoch, images.len());
        }
        let mut batch = HostBatch::assemble(images, schedule.batch_indices(&order, batch))?;
        let mut rng = keyed_rng(recipe.seed, Purpose::Augmentation, update);
        shift_randomly(&mut batch.images, images.shape(), recipe.shift, &mut rng);

        let lock = autodiff_lock();
        let mut pass = Pass::training();
        let pixels = Tensor::from_data(TensorData::new(batch.images, batch.shape), device);
        let logits = classifier.forward_pass(pixels, &mut pass).logits;
        let loss = cross_entropy(logits, &batch.labels.unwrap_or_default(), device);
        let gradients = GradientsParams::from_grads(loss.backward(), &classifier);
        adam.set_learning_rate(recipe.rate(update, updates));
        (classifier, _) = adam.step::<B, _>(classifier, gradients, false);
        classifier = pass.into_updates().apply(classifier);
        drop(lock);
        progress(update + 1, updates);
    }
    Ok(classifier.valid())
}

/// What a classifier of these images is built for.
///
/// # Errors
/// [`EvaluatorError::NoLabels`]
pub(crate) fn config_of(images: &dyn ImageSource) -> Result<ClassifierConfig, EvaluatorError> {
    let classes = images.classes();
    match classes {
        0 | 1 => Err(EvaluatorError::NoLabels {
            name: images.name().to_owned(),
            classes,
        }),
        _ => Ok(ClassifierConfig {
            shape: images.shape(),
            classes,
        }),
    }
}

/// The mean cross-entropy of logits `[classes, batch]`, in nats.
fn cross_entropy<B: AutodiffBackend>(logits: Tensor<B, 2>, labels: &[u32], device: &B::Device) -> Tensor<B, 1> {
    let [classes, batch] = logits.dims();
    let mut one_hot = vec![0.0_f32; classes * batch];
    for (image, &label) in labels.iter().enumerate() {
        one_hot[label as usize * batch + image] = 1.0;
    }
    let one_hot = Tensor::from_data(TensorData::new(one_hot, [classes, batch]), device);
    // Dimension by dimension: burn-cubecl adds up a whole tensor in an order that changes from run to run.
    let of_image = (log_softmax(logits, 0) * one_hot).sum_dim(0);
    -of_image.mean_dim(1).reshape([1])
}

/// The share of images whose class is read right.
///
/// # Errors
/// [`EvaluatorError::NoLabels`] for images without labels.
pub fn accuracy(observed: &Observed, images: &dyn ImageSource) -> Result<f64, EvaluatorError> {
    config_of(images)?;
    let classes = observed.predictions.classes();
    let right = |&(index, class): &(usize, &usize)| images.label(index) == Some(*class as u32);
    Ok(classes.iter().enumerate().filter(right).count() as f64 / classes.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls_to_nothing() {
        let recipe = Recipe::default();
        let rates: Vec<f64> = (0..1000).map(|update| recipe.rate(update, 1000)).collect();
        assert!(rates[..100].is_sorted() && rates[100..].is_sorted_by(|one, other| one >= other));
        let most = rates.iter().copied().fold(0.0, f64::max);
        assert!((most / recipe.learning_rate - 1.0).abs() < 0.01, "{most}");
        assert!(rates[0] > 0.0 && rates[999] > 0.0 && rates[999] < 0.001 * most);
        assert_eq!(recipe.rate(0, 1), recipe.learning_rate * (0.5 / 0.9));
    }
}
