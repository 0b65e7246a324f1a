//! What classes a classifier sees in a set of images.

use crate::MetricsError;

/// The probabilities of classes, `[N, classes]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// One sample after the other; each one's sum is 1.
    probabilities: Vec<f64>,
    classes: usize,
}

impl Predictions {
    /// From logits, one sample after the other.
    ///
    /// # Errors
    /// [`MetricsError::NotAMatrix`], [`MetricsError::NotFinite`].
    pub fn from_logits(logits: &[f32], classes: usize) -> Result<Self, MetricsError> {
        // The same checks.
        let logits = crate::Features::from_f32(logits, classes)?;
        let probabilities = logits.samples().flat_map(softmax).collect();
        Ok(Self { probabilities, classes })
    }

    /// How many samples there are.
    pub fn count(&self) -> usize {
        self.probabilities.len() / self.classes
    }

    fn samples(&self) -> impl Iterator<Item = &[f64]> {
        self.probabilities.chunks_exact(self.classes)
    }

    /// The most probable class of each sample; the first of several.
    pub fn classes(&self) -> Vec<usize> {
        let largest = |sample: &[f64]| {
            let after = |best: usize, (class, value): (usize, &f64)| if *value > sample[best] { class } else { best };
            sample.iter().enumerate().fold(0, after)
        };
        self.samples().map(largest).collect()
    }

    /// The share of samples of each class, by the most probable one.
    pub fn histogram(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.classes];
        let classes = self.classes();
        for class in &classes {
            shares[*class] += 1.0 / classes.len() as f64;
        }
        shares
    }

    /// The classifier score: exp of the mutual information of image and class, from 1 (every image is the same to the classifier)
    /// to the number of classes (each is sure, and all classes are as frequent). Inception's by another classifier (Salimans et
    /// al. 2016, arXiv 1606.03498), over all samples at once.
    pub fn score(&self) -> f64 {
        let mut marginal = vec![0.0; self.classes];
        for sample in self.samples() {
            for (mean, value) in marginal.iter_mut().zip(sample) {
                *mean += value / self.count() as f64;
            }
        }
        let of_samples = self.samples().map(entropy).sum::<f64>() / self.count() as f64;
        (entropy(&marginal) - of_samples).max(0.0).exp()
    }
}

/// The entropy of shares, in nats.
pub fn entropy(shares: &[f64]) -> f64 {
    let of_one = |&share: &f64| if share > 0.0 { -share * share.ln() } else { 0.0 };
    shares.iter().map(of_one).sum()
}

/// The share of samples that would have to change their class for one histogram to be the other: the total variation distance.
pub fn histogram_distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter()
        .zip(other)
        .map(|(one, other)| (one - other).abs())
        .sum::<f64>()
        / 2.0
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
