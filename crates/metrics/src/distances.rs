//! Squared distances between all samples of two sets, in blocks of bounded memory, on all threads.

use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::Features;

/// Samples of the left set that one piece of work has.
const LEFT_BLOCK: usize = 256;

/// Samples of the right set that are compared at once: the block of distances takes 2 MiB.
const RIGHT_BLOCK: usize = 1024;

/// Distances smaller than this share of the samples' own squared norms are computed from their differences: the product that
/// gives all others loses their digits, and gives samples that are equal a distance of rounding errors.
const CANCELLED: f64 = 1e-9;

/// Goes through the squared distances from each sample of `left` to all of `right`, in order, and gives what `visit` makes of
/// them. `visit` takes what it has made of a sample so far, the index of a first sample of `right` and the distances to the
/// samples from it on.
///
/// # Panics
/// If the sets have different features.
pub(crate) fn per_sample<T: Send>(
    left: &Features,
    right: &Features,
    start: impl Fn(usize) -> T + Sync,
    visit: impl Fn(&mut T, usize, &[f64]) + Sync,
) -> Vec<T> {
    assert_eq!(left.width(), right.width(), "the features of two sets");
    let right_norms: Vec<f64> = right.samples().map(squared_norm).collect();
    let blocks: Vec<usize> = (0..left.count()).step_by(LEFT_BLOCK).collect();
    let made: Vec<Vec<T>> = blocks
        .into_par_iter()
        .map(|first| {
            let count = LEFT_BLOCK.min(left.count() - first);
            let lefts = left.columns(first, count);
            let norms: Vec<f64> = (first..first + count)
                .map(|index| squared_norm(left.sample(index)))
                .collect();
            let mut made: Vec<T> = (first..first + count).map(&start).collect();
            for first_right in (0..right.count()).step_by(RIGHT_BLOCK) {
                let count = RIGHT_BLOCK.min(right.count() - first_right);
                // `[count, D] · [D, lefts]`: the products of one sample of the left set lie side by side.
                let mut block: DMatrix<f64> = right.columns(first_right, count).transpose() * lefts;
                let columns = block.as_mut_slice().chunks_exact_mut(count);
                for (offset, (squared, made)) in columns.zip(&mut made).enumerate() {
                    let norm = norms[offset];
                    for (index, value) in squared.iter_mut().enumerate() {
                        let norms = norm + right_norms[first_right + index];
                        let distance = norms - 2.0 * *value;
                        *value = if distance > CANCELLED * norms {
                            distance
                        } else {
                            squared_distance(left.sample(first + offset), right.sample(first_right + index))
                        };
                    }
                    visit(made, first_right, squared);
                }
            }
            made
        })
        .collect();
    made.into_iter().flatten().collect()
}

fn squared_norm(sample: &[f64]) -> f64 {
    sample.iter().map(|value| value * value).sum()
}

fn squared_distance(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (left - right).powi(2)).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(left: &Features, right: &Features) -> Vec<Vec<f64>> {
        per_sample(
            left,
            right,
            |_| Vec::new(),
            |row, first, squared| {
                assert_eq!(row.len(), first);
                row.extend_from_slice(squared);
            },
        )
    }

    /// Numbers from 0 to 1 that look random.
    fn drawn(count: usize, width: usize, salt: u64) -> Features {
        let values = (0..(count * width) as u64).map(|index| {
            let mixed = (index + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) as f64 / u64::MAX as f64
        });
        Features::new(values.collect(), width).unwrap()
    }

    #[test]
    fn blocks_make_no_difference() {
        for (lefts, rights) in [(1, 1), (255, 1023), (257, 1025), (600, 2100)] {
            let (left, right) = (drawn(lefts, 5, 1), drawn(rights, 5, 99));
            let found = all(&left, &right);
            assert_eq!(found.len(), lefts);
            for (index, row) in found.iter().enumerate() {
                assert_eq!(row.len(), rights);
                for (other, &squared) in row.iter().enumerate() {
                    let expected = squared_distance(left.sample(index), right.sample(other));
                    assert!(
                        (squared - expected).abs() <= 1e-9 * expected.max(1e-9),
                        "{squared} {expected}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn far_from_the_origin_equal_samples_are_at_no_distance_and_near_ones_keep_their_digits(
            sample in prop::collection::vec(-1e3..1e3, 1..20), step in 1e-6..1e-3_f64
        ) {
            let width = sample.len();
            let mut near = sample.clone();
            near[0] += step;
            let left = Features::new(sample.clone(), width).unwrap();
            let right = Features::new([sample, near.clone()].concat(), width).unwrap();
            let found = all(&left, &right);
            prop_assert_eq!(found[0][0], 0.0);
            let expected = (near[0] - left.sample(0)[0]).powi(2);
            prop_assert!((found[0][1] - expected).abs() <= 1e-6 * expected);
        }
    }
}
