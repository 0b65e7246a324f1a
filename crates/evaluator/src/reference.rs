//! Real images that generated ones are compared with.

use std::cell::OnceCell;

use ganvas_data::{Purpose, keyed_rng};
use ganvas_metrics::{
    Features, Gaussian, Manifold, Modes, Neighbour, entropy, histogram_distance, kernel_distance, memorized, nearest,
};

use crate::{EvaluatorError, Metric, Observed};

/// Subsets of the kernel distance, as torch-fidelity has them.
const SUBSETS: usize = 100;

/// Samples in each of them.
const SUBSET_SIZE: usize = 1000;

/// Real images as an evaluator sees them, and the training images, which generated ones may have been copied from.
///
/// What the real images alone decide is computed once, when it is first asked for.
#[derive(Debug)]
pub struct Reference {
    real: Observed,
    gaussian: OnceCell<Gaussian>,
    manifold: OnceCell<Manifold>,
    training: Option<Features>,
    /// The nearest training image of each real one.
    nearest_training: OnceCell<Vec<Neighbour>>,
}

impl Reference {
    /// Compares with these.
    pub fn new(real: Observed) -> Self {
        Self {
            real,
            gaussian: OnceCell::new(),
            manifold: OnceCell::new(),
            training: None,
            nearest_training: OnceCell::new(),
        }
    }

    /// Knows the training images as well, so that [`Metric::Memorized`] can be computed.
    pub fn with_training(self, training: Features) -> Self {
        Self {
            training: Some(training),
            nearest_training: OnceCell::new(),
            ..self
        }
    }

    /// The real images.
    pub fn real(&self) -> &Observed {
        &self.real
    }

    /// The nearest training image of each generated one; nothing where the training images are not known.
    ///
    /// # Errors
    /// [`EvaluatorError::Metrics`] where another evaluator looked at them.
    pub fn nearest_training(&self, generated: &Observed) -> Result<Option<Vec<Neighbour>>, EvaluatorError> {
        let found = self
            .training
            .as_ref()
            .map(|training| nearest(&generated.features, training));
        Ok(found.transpose()?)
    }

    /// Compares generated images: numbers by their names, in the order of `metrics`; none for [`Metric::Memorized`] where the
    /// training images are not known, and for [`Metric::Modes`] of what is no stacked digits. `seed` decides the subsets of the kernel distance.
    ///
    /// # Errors
    /// [`EvaluatorError::Metrics`] for too few images.
    pub fn measure(
        &self,
        generated: &Observed,
        metrics: &[Metric],
        seed: u64,
    ) -> Result<Vec<(&'static str, f64)>, EvaluatorError> {
        let (real, fake) = (&self.real, generated);
        let overlap = match metrics.iter().any(|metric| metric.is_of_neighbours()) {
            true => Some(self.manifold()?.overlap(&Manifold::new(fake.features.clone())?)?),
            false => None,
        };
        let mut numbers = Vec::new();
        for &metric in metrics {
            let value = match metric {
                Metric::Fid => Some(self.gaussian()?.squared_distance(&Gaussian::of(&fake.features)?)?),
                Metric::Kid => {
                    let mut rng = keyed_rng(seed, Purpose::EvaluationSubsets, 0);
                    let found = kernel_distance(&real.features, &fake.features, SUBSETS, SUBSET_SIZE, &mut rng)?;
                    numbers.extend([("kid", found.mean), ("kid_sd", found.deviation)]);
                    continue;
                }
                Metric::Precision => overlap.map(|overlap| overlap.precision),
                Metric::Recall => overlap.map(|overlap| overlap.recall),
                Metric::Density => overlap.map(|overlap| overlap.density),
                Metric::Coverage => overlap.map(|overlap| overlap.coverage),
                Metric::Score => Some(fake.predictions.score()),
                Metric::ClassEntropy => Some(entropy(&fake.predictions.histogram())),
                Metric::ClassDistance => {
                    let of_real = real.predictions.histogram();
                    Some(histogram_distance(&of_real, &fake.predictions.histogram()))
                }
                Metric::Memorized => match &self.training {
                    Some(training) => {
                        let of_real = once(&self.nearest_training, || Ok(nearest(&real.features, training)?))?;
                        Some(memorized(&nearest(&fake.features, training)?, of_real))
                    }
                    None => None,
                },
                Metric::Modes => {
                    let modes = fake.stacked_classes().map(|classes| Modes::of(&classes));
                    numbers.extend(modes.map(|modes| ("modes", modes.count as f64)));
                    numbers.extend(modes.map(|modes| ("modes_kl", modes.divergence)));
                    continue;
                }
            };
            numbers.extend(value.map(|value| (metric.name(), value)));
        }
        Ok(numbers)
    }

    fn gaussian(&self) -> Result<&Gaussian, EvaluatorError> {
        once(&self.gaussian, || Ok(Gaussian::of(&self.real.features)?))
    }

    fn manifold(&self) -> Result<&Manifold, EvaluatorError> {
        once(&self.manifold, || Ok(Manifold::new(self.real.features.clone())?))
    }
}

/// The value of a cell, made where it is not there yet.
fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T, EvaluatorError>) -> Result<&T, EvaluatorError> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}
