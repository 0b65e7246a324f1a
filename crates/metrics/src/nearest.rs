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
    let found = several_nearest(samples, others, 1, |_, _, _| true)?;
    Ok(found.into_iter().flatten().collect())
}

/// The `count` nearest of `others` for each of `samples`, nearest first; fewer where there are fewer. Only those count for which `counts` says so
/// of the number of the sample, that of the other, and their squared distance, which is 0 where they are equal.
///
/// # Errors
/// [`MetricsError::OtherWidth`].
pub fn several_nearest(
    samples: &Features,
    others: &Features,
    count: usize,
    counts: impl Fn(usize, usize, f64) -> bool + Sync,
) -> Result<Vec<Vec<Neighbour>>, MetricsError> {
    others.check_width(samples)?;
    let found = per_sample(
        samples,
        others,
        |sample| (sample, Vec::new()),
        |(sample, nearest): &mut (usize, Vec<Neighbour>), first, squared| {
            for (index, &squared) in squared.iter().enumerate() {
                let farthest = nearest.last().filter(|_| nearest.len() == count);
                if farthest.is_none_or(|farthest| squared < farthest.distance)
                    && counts(*sample, first + index, squared)
                {
                    let place = nearest.partition_point(|known| known.distance <= squared);
                    let neighbour = Neighbour {
                        index: first + index,
                        distance: squared,
                    };
                    nearest.insert(place, neighbour);
                    nearest.truncate(count);
                }
            }
        },
    );
    let rooted = |(_, mut nearest): (usize, Vec<Neighbour>)| {
        nearest
            .iter_mut()
            .for_each(|found| found.distance = found.distance.sqrt());
        nearest
    };
    Ok(found.into_iter().map(rooted).collect())
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
