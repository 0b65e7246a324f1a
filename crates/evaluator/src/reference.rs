//! Real images that generated ones are compared with.

use std::cell::OnceCell;

use ganvas_data::{Purpose, keyed_rng};
use ganvas_metrics::{
    COVERAGE_NEIGHBOURS, Features, Gaussian, Manifold, Modes, Neighbour, entropy, histogram_distance, kernel_distance,
    memorized, nearest,
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
                Metric::ClassAccuracy => fake.class_accuracy(),
                Metric::ClassRecall => {
                    let recalls = recalls_by_class(real, fake)?;
                    let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
                    let least = recalls.iter().copied().reduce(f64::min);
                    numbers.extend(least.map(|_| ("class_recall", mean)));
                    numbers.extend(least.map(|least| ("class_recall_min", least)));
                    continue;
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

/// The recall within the images in which each class is read; 0 of a class that hardly any generated image shows. None of stacked digits, whose classes
/// have too few images.
fn recalls_by_class(real: &Observed, generated: &Observed) -> Result<Vec<f64>, EvaluatorError> {
    if real.stacked_classes().is_some() {
        return Ok(Vec::new());
    }
    let of_real = real.by_class();
    let of_generated = generated.by_class();
    let mut recalls = Vec::new();
    for (class, real) in of_real {
        // A real image's neighbours are looked for among as many others.
        if real.count() <= COVERAGE_NEIGHBOURS {
            continue;
        }
        let recall = match of_generated
            .get(&class)
            .filter(|generated| generated.count() > COVERAGE_NEIGHBOURS)
        {
            Some(generated) => {
                let generated = Manifold::new(generated.clone())?;
                Manifold::new(real)?.overlap(&generated)?.recall
            }
            None => 0.0,
        };
        recalls.push(recall);
    }
    Ok(recalls)
}

/// The value of a cell, made where it is not there yet.
fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T, EvaluatorError>) -> Result<&T, EvaluatorError> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ganvas_metrics::Predictions;

    use super::*;

    /// Samples of one feature, with the class that is read in each and the one that was asked for.
    fn observed(samples: &[(f64, usize)], asked: Option<Vec<u32>>) -> Observed {
        let logits: Vec<f32> = samples
            .iter()
            .flat_map(|&(_, class)| (0..3).map(move |of| if of == class { 9.0 } else { 0.0 }))
            .collect();
        Observed {
            features: Features::new(samples.iter().map(|&(feature, _)| feature).collect(), 1).unwrap(),
            predictions: Predictions::from_logits(&logits, 3).unwrap(),
            labels: asked,
        }
    }

    /// Ten samples of a class around a place.
    fn class(class: usize, place: f64) -> Vec<(f64, usize)> {
        (0..10).map(|index| (place + f64::from(index), class)).collect()
    }

    fn number(numbers: &[(&str, f64)], name: &str) -> Option<f64> {
        let found = numbers.iter().find(|(known, _)| *known == name);
        found.map(|&(_, value)| value)
    }

    #[test]
    fn recall_is_that_within_each_class_and_a_collapsed_or_missing_class_has_none() {
        let real = Reference::new(observed(
            &[class(0, 0.0), class(1, 100.0), class(2, 200.0)].concat(),
            None,
        ));
        let metrics = [Metric::ClassRecall, Metric::Recall, Metric::ClassAccuracy];
        let of = |generated: &Observed| real.measure(generated, &metrics, 0).unwrap();
        let whole = of(&observed(
            &[class(0, 0.5), class(1, 100.5), class(2, 200.5)].concat(),
            None,
        ));
        assert_eq!(
            (number(&whole, "class_recall"), number(&whole, "class_recall_min")),
            (Some(1.0), Some(1.0))
        );
        // Nobody asked for classes.
        assert_eq!(number(&whole, "class_accuracy"), None);
        // Class 1 is one image, and class 2 lies where class 0 is: recall over all classes alike would see less of that.
        let poor = observed(&[class(0, 0.5), vec![(104.5, 1); 10], class(2, 0.0)].concat(), None);
        let poor = of(&poor);
        assert_eq!(number(&poor, "class_recall_min"), Some(0.0));
        assert!((number(&poor, "class_recall").unwrap() - 1.0 / 3.0).abs() < 1e-12);
        let missing = of(&observed(&[class(0, 0.5), class(1, 100.5)].concat(), None));
        assert_eq!(number(&missing, "class_recall_min"), Some(0.0));
    }

    #[test]
    fn classes_are_read_right_where_they_are_those_that_were_asked_for() {
        let samples = [class(0, 0.0), class(2, 5.0)].concat();
        let asked = [vec![0; 10], vec![2; 5], vec![1; 5]].concat();
        assert_eq!(observed(&samples, Some(asked)).class_accuracy(), Some(0.75));
        assert_eq!(observed(&samples, None).class_accuracy(), None);
        // Three channels of an image make one number.
        let stacked = Observed {
            features: Features::new(vec![0.0; 2], 1).unwrap(),
            ..observed(
                &[(0.0, 1), (0.0, 0), (0.0, 2), (0.0, 0), (0.0, 0), (0.0, 1)],
                Some(vec![102, 100]),
            )
        };
        assert_eq!(stacked.read_classes(), [102, 1]);
        assert_eq!(stacked.class_accuracy(), Some(0.5));
    }
}
