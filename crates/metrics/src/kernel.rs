//! The kernel distance between two sets of features.

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
    let found: Vec<f64> = pairs
        .into_par_iter()
        .map(|(reals, fakes)| discrepancy(&real.select(reals), &fake.select(fakes)))
        .collect();
    let mean = found.iter().sum::<f64>() / subsets as f64;
    let variance = found.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / subsets as f64;
    Ok(KernelDistance {
        mean,
        deviation: variance.sqrt(),
    })
}

/// The unbiased squared maximum mean discrepancy of two sets of the same size.
fn discrepancy(real: &Features, fake: &Features) -> f64 {
    let size = real.count() as f64;
    let pairs = size * (size - 1.0);
    let (of_real, of_fake) = (kernel_sum(real, real, true), kernel_sum(fake, fake, true));
    (of_real + of_fake) / pairs - 2.0 * kernel_sum(real, fake, false) / (size * size)
}

/// The sum of the kernel over all pairs, or over those of different indices.
fn kernel_sum(left: &Features, right: &Features, only_different: bool) -> f64 {
    let width = left.width() as f64;
    let products = left.columns(0, left.count()).transpose() * right.columns(0, right.count());
    let kernel = |product: f64| (product / width + 1.0).powi(3);
    // Column by column, so that the errors of a long sum do not add up.
    let of_column = |(index, column): (usize, nalgebra::DVectorView<'_, f64>)| {
        let whole: f64 = column.iter().map(|&product| kernel(product)).sum();
        if only_different {
            whole - kernel(column[index])
        } else {
            whole
        }
    };
    products.column_iter().enumerate().map(of_column).sum()
}
