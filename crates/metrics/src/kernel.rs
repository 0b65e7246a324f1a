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
    let pairs: Vec<_> = (0..subsets).map(|_| (draw(real), draw(fake))).collect();
    let found: Vec<f64> = if subsets_overlap_much(real.count(), fake.count(), subsets, size) {
        let of_real = subset_sums(real, real, pairs.iter().map(|(reals, _)| (reals, reals)), true);
        let of_fake = subset_sums(fake, fake, pairs.iter().map(|(_, fakes)| (fakes, fakes)), true);
        let across = subset_sums(real, fake, pairs.iter().map(|(reals, fakes)| (reals, fakes)), false);
        let sums = of_real.into_iter().zip(of_fake).zip(across);
        sums.map(|((of_real, of_fake), across)| discrepancy(size, of_real + of_fake, across))
            .collect()
    } else {
        pairs
            .into_par_iter()
            .map(|(reals, fakes)| {
                let (real, fake) = (real.select(reals), fake.select(fakes));
                let within = kernel_sum(&kernels(&real, &real), true) + kernel_sum(&kernels(&fake, &fake), true);
                discrepancy(size, within, kernel_sum(&kernels(&real, &fake), false))
            })
            .collect()
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
    products.apply(|product| *product = (*product / width + 1.0).powi(3));
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

/// The sum of the kernels over each pair of subsets, or of those of different samples where both are the same subset.
fn subset_sums<'a>(
    left: &Features,
    right: &Features,
    subsets: impl Iterator<Item = (&'a Vec<usize>, &'a Vec<usize>)>,
    only_different: bool,
) -> Vec<f64> {
    let kernels = kernels(left, right);
    let of_column = |lefts: &[usize], index: usize| {
        let column = kernels.column(index);
        let whole: f64 = lefts.iter().map(|&left| column[left]).sum();
        if only_different { whole - column[index] } else { whole }
    };
    let of_subset = |(lefts, rights): (&Vec<usize>, &Vec<usize>)| {
        let sums = rights.iter().map(|&right| of_column(lefts, right));
        sums.sum()
    };
    subsets.collect::<Vec<_>>().into_par_iter().map(of_subset).collect()
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
        /// Sums over a table of all kernels are those over the kernels of each subset alone.
        #[test]
        fn sums_of_subsets_do_not_depend_on_where_the_kernels_are_kept(
            seed in any::<u64>(), count in 2_usize..40, others in 2_usize..40, width in 1_usize..9,
        ) {
            let (real, fake) = (features(seed, count, width), features(!seed, others, width));
            let size = count.min(others);
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (reals, fakes) = (sample(&mut rng, count, size).into_vec(), sample(&mut rng, others, size).into_vec());
            let across = subset_sums(&real, &fake, [(&reals, &fakes)].into_iter(), false)[0];
            let within = subset_sums(&real, &real, [(&reals, &reals)].into_iter(), true)[0];
            let (some, of_fake) = (real.select(reals), fake.select(fakes));
            for (found, alone) in [
                (across, kernel_sum(&kernels(&some, &of_fake), false)),
                (within, kernel_sum(&kernels(&some, &some), true)),
            ] {
                prop_assert!((found - alone).abs() <= 1e-12 * (1.0 + alone.abs()) * (size * size) as f64, "{found} {alone}");
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
