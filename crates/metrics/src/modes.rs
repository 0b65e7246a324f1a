//! How many of 1000 modes a generator of stacked digits has: three channels, ten classes each.

use std::collections::HashMap;

/// Classes of one channel.
const CLASSES: usize = 10;

/// The modes of three channels.
const MODES: usize = CLASSES * CLASSES * CLASSES;

/// The classes that a classifier sees in the three channels of each sample, each below ten.
pub type StackedClasses = [usize; 3];

/// What a set of stacked digits has of the 1000 modes (Metz et al. 2016, arXiv 1611.02163; by the protocol of PacGAN, Lin et al.
/// 2017, arXiv 1712.04086: 26,000 samples, natural logarithm).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Modes {
    /// How many of the 1000 occur.
    pub count: usize,
    /// The Kullback-Leibler divergence of the samples' distribution over the modes from the uniform one, in nats.
    pub divergence: f64,
}

impl Modes {
    /// Counts the modes of samples; nothing of none.
    ///
    /// # Panics
    /// If a class is not below ten.
    pub fn of(samples: &[StackedClasses]) -> Self {
        let mut counts: HashMap<StackedClasses, usize> = HashMap::new();
        for sample in samples {
            assert!(sample.iter().all(|&class| class < CLASSES), "a class of {sample:?}");
            *counts.entry(*sample).or_default() += 1;
        }
        // In an order of their own, so that the sum is always the same.
        let mut found: Vec<usize> = counts.values().copied().collect();
        found.sort_unstable();
        let of_mode = |count: usize| {
            let share = count as f64 / samples.len() as f64;
            share * (share * MODES as f64).ln()
        };
        Self {
            count: found.len(),
            divergence: found.into_iter().map(of_mode).sum(),
        }
    }
}

/// What a perfect sampler is expected to have, given the shares of the ten classes in the data and the number of samples: the mean
/// number of modes, and the mean divergence. It is not zero: a sample is finite, and the classes are not equally frequent.
pub fn expected_modes(shares: [f64; CLASSES], samples: u64) -> (f64, f64) {
    // Few triples have a product of their own.
    let mut products: Vec<f64> = Vec::with_capacity(MODES);
    for one in shares {
        for two in shares {
            products.extend(shares.map(|three| one * two * three));
        }
    }
    products.sort_by(f64::total_cmp);
    let mut expected = (0.0, 0.0);
    for equal in products.chunk_by(|one, other| (one - other).abs() <= 1e-12 * other) {
        let (occurs, divergence) = expected_of_mode(equal[0], samples);
        expected.0 += equal.len() as f64 * occurs;
        expected.1 += equal.len() as f64 * divergence;
    }
    expected
}

/// The probability that a mode occurs, and its expected part of the divergence: its count has a binomial distribution.
fn expected_of_mode(probability: f64, samples: u64) -> (f64, f64) {
    if probability <= 0.0 {
        return (0.0, 0.0);
    }
    if probability >= 1.0 {
        return (1.0, (MODES as f64).ln());
    }
    let total = samples as f64;
    let odds = (probability / (1.0 - probability)).ln();
    // The logarithm of the probability of a count, from none on.
    let mut logarithm = total * (-probability).ln_1p();
    let never = logarithm.exp();
    let mut divergence = 0.0;
    for count in 1..=samples {
        let count = count as f64;
        logarithm += ((total - count + 1.0) / count).ln() + odds;
        let share = count / total;
        divergence += logarithm.exp() * share * (share * MODES as f64).ln();
    }
    (1.0 - never, divergence)
}
