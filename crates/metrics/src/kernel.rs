//! The kernel distance between two sets of features.

use nalgebra::DMatrix;
use rand::{Rng, seq::index::sample};
use rayon::prelude::*;

use crate::{Features, MetricsError, error::at_least};

/// The kernel distance over subsets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KernelDistance {
    /// The mean over the subsets.
    pub mean: f64,
    /// The standard deviation over the subsets (over their number, as torch-fidelity's).
    pub deviation: f64,
}

/// The kernel distance of two sets (KID; Bińkowski et al. 2018, arXiv 1801.01401): the unbiased squared maximum mean discrepancy
/// under the kernel (x·y / D + 1)³, over `subsets` pairs of random subsets of `size` samples, without repetition within one. The
/// customary ones are 100 of 1000. A set that is smaller than `size` gives smaller subsets.
///
/// It is an estimate without bias: near zero for equal distributions, and then as often below zero as above.
///
/// # Errors
/// [`MetricsError::TooFew`] for fewer than two samples or no subsets, [`MetricsError::OtherWidth`].
pub fn kernel_distance(
    real: &Features,
    fake: &Features,
    subsets: usize,
    size: usize,
    rng: &mut impl Rng,
) -> Result<KernelDistance, MetricsError> {
    real.check_width(fake)?;
    let size = size.min(real.count()).min(fake.count());
    at_least("the kernel distance", 2, size)?;
    at_least("the kernel distance, in subsets,", 1, subsets)?;
    let mut draw = |set: &Features| sample(rng, set.count(), size).into_vec();
    let pairs: Vec<Subsets> = (0..subsets).map(|_| (draw(real), draw(fake))).collect();
    let found = match subsets_overlap_much(real.count(), fake.count(), subsets, size) {
        true => by_table(real, fake, &pairs),
        false => by_subset(real, fake, &pairs),
    };
    let mean = found.iter().sum::<f64>() / subsets as f64;
    let variance = found.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / subsets as f64;
    Ok(KernelDistance {
        mean,
        deviation: variance.sqrt(),
    })
}

/// Values of the largest table of kernels that is kept, 128 MiB.
const MOST_KERNELS: usize = 1 << 24;

/// Whether the kernels of all pairs are fewer than those of the subsets together, and few enough to be kept.
fn subsets_overlap_much(real: usize, fake: usize, subsets: usize, size: usize) -> bool {
    let most = real.max(fake);
    most * most <= (subsets * size * size).min(MOST_KERNELS)
}

/// Indices of real samples, and as many of generated ones.
type Subsets = (Vec<usize>, Vec<usize>);

/// The discrepancy of each pair of subsets, from the kernels of these alone.
fn by_subset(real: &Features, fake: &Features, pairs: &[Subsets]) -> Vec<f64> {
    let of_pair = |(reals, fakes): &Subsets| {
        let (real, fake) = (real.select(reals.iter().copied()), fake.select(fakes.iter().copied()));
        let within = kernel_sum(&kernels(&real, &real), true) + kernel_sum(&kernels(&fake, &fake), true);
        discrepancy(real.count(), within, kernel_sum(&kernels(&real, &fake), false))
    };
    pairs.par_iter().map(of_pair).collect()
}

/// The same, from the kernels of all samples, which are computed once.
fn by_table(real: &Features, fake: &Features, pairs: &[Subsets]) -> Vec<f64> {
    let sums = |table: DMatrix<f64>, indices: fn(&Subsets) -> (&[usize], &[usize]), only_different: bool| {
        let of_pair = |pair: &Subsets| {
            let (lefts, rights) = indices(pair);
            let of_column = |index: usize| {
                let column = table.column(index);
                let whole: f64 = lefts.iter().map(|&left| column[left]).sum();
                if only_different { whole - column[index] } else { whole }
            };
            rights.iter().map(|&right| of_column(right)).sum()
        };
        pairs.par_iter().map(of_pair).collect::<Vec<f64>>()
    };
    let of_real = sums(kernels(real, real), |(reals, _)| (reals, reals), true);
    let of_fake = sums(kernels(fake, fake), |(_, fakes)| (fakes, fakes), true);
    let across = sums(kernels(real, fake), |(reals, fakes)| (reals, fakes), false);
    let of_pair = |index: usize| discrepancy(pairs[index].0.len(), of_real[index] + of_fake[index], across[index]);
    (0..pairs.len()).map(of_pair).collect()
}

/// The unbiased squared maximum mean discrepancy of two sets of `size` samples, from the sum of the kernels of different samples within each set,
/// and of those across.
fn discrepancy(size: usize, within: f64, across: f64) -> f64 {
    let size = size as f64;
    within / (size * (size - 1.0)) - 2.0 * across / (size * size)
}

/// The kernel of every pair, `[left, right]`.
fn kernels(left: &Features, right: &Features) -> DMatrix<f64> {
    let width = left.width() as f64;
    let mut products = left.columns(0, left.count()).transpose() * right.columns(0, right.count());
    let values = products.as_mut_slice().par_iter_mut();
    values.for_each(|product| *product = (*product / width + 1.0).powi(3));
    products
}

/// The sum of the kernels, or of those of different indices. Column by column, so that the errors of a long sum do not add up.
fn kernel_sum(kernels: &DMatrix<f64>, only_different: bool) -> f64 {
    let of_column = |(index, column): (usize, nalgebra::DVectorView<'_, f64>)| match only_different {
        true => column.sum() - column[index],
        false => column.sum(),
    };
    kernels.column_iter().enumerate().map(of_column).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn features(seed: u64, count: usize, width: usize) -> Features {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values = (0..count * width).map(|_| rng.random_range(-3.0..3.0)).collect();
        Features::new(values, width).unwrap()
    }

    proptest! {
        /// Wherever the kernels are kept, the discrepancies are the same.
        #[test]
        fn both_ways_come_to_the_same_discrepancies(
            seed in any::<u64>(), count in 4_usize..40, others in 4_usize..40, width in 1_usize..9,
        ) {
            let (real, fake) = (features(seed, count, width), features(!seed, others, width));
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let size = count.min(others) - rng.random_range(0..3);
            let pairs: Vec<Subsets> = (0..5)
                .map(|_| (sample(&mut rng, count, size).into_vec(), sample(&mut rng, others, size).into_vec()))
                .collect();
            let largest = kernels(&real, &real).amax().max(kernels(&fake, &fake).amax());
            for (one, other) in by_table(&real, &fake, &pairs).into_iter().zip(by_subset(&real, &fake, &pairs)) {
                prop_assert!((one - other).abs() <= 1e-12 * largest, "{one} {other}");
            }
        }
    }

    /// What decides lies where the cost does: 100 subsets of 1000 of 4,000 images or of 10,000.
    #[test]
    fn a_table_is_kept_for_a_few_thousand_images() {
        assert!(subsets_overlap_much(4000, 1500, 100, 1000));
        assert!(!subsets_overlap_much(10_000, 10_000, 100, 1000));
        assert!(!subsets_overlap_much(1000, 1000, 1, 500));
    }
}
