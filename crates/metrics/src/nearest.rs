//! The nearest training image of each sample: are samples copies?

use crate::{Features, MetricsError, distances::per_sample};

/// A nearest sample of another set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Which one; the first of several at the same distance.
    pub index: usize,
    /// How far it is.
    pub distance: f64,
}

/// The nearest of `others` for each of `samples`.
///
/// # Errors
/// [`MetricsError::OtherWidth`].
pub fn nearest(samples: &Features, others: &Features) -> Result<Vec<Neighbour>, MetricsError> {
    nearest_of(samples, others, |_| true)
}

/// The nearest of `others` that differs from it for each of `samples`; at an infinite distance where none does. Of a set to itself: the
/// nearest other sample.
///
/// # Errors
/// [`MetricsError::OtherWidth`].
pub fn nearest_other(samples: &Features, others: &Features) -> Result<Vec<Neighbour>, MetricsError> {
    nearest_of(samples, others, |squared| squared > 0.0)
}

fn nearest_of(
    samples: &Features,
    others: &Features,
    counts: impl Fn(f64) -> bool + Sync,
) -> Result<Vec<Neighbour>, MetricsError> {
    others.check_width(samples)?;
    let found = per_sample(
        samples,
        others,
        |_| (0, f64::INFINITY),
        |nearest, first, squared| {
            for (index, &squared) in squared.iter().enumerate() {
                if squared < nearest.1 && counts(squared) {
                    *nearest = (first + index, squared);
                }
            }
        },
    );
    let neighbours = found.into_iter().map(|(index, squared)| Neighbour {
        index,
        distance: squared.sqrt(),
    });
    Ok(neighbours.collect())
}

/// The share of samples that are nearer to the training set than 99 of 100 test images are, from the distances of both to their
/// nearest training images. Samples of the same distribution give 0.01; copies of training images give 1.
///
/// The comparison with test images is that of Meehan et al. 2020 (arXiv 2004.05675); the share is ours, because theirs, a rank
/// over all samples, does not show a few copies.
pub fn memorized(of_samples: &[Neighbour], of_test: &[Neighbour]) -> f64 {
    let mut test: Vec<f64> = of_test.iter().map(|neighbour| neighbour.distance).collect();
    test.sort_by(f64::total_cmp);
    let Some(&threshold) = test.get(test.len() / 100) else {
        return 0.0;
    };
    let nearer = of_samples.iter().filter(|neighbour| neighbour.distance < threshold);
    nearer.count() as f64 / of_samples.len().max(1) as f64
}
