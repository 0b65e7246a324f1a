//! Random numbers that depend on what they are for and on nothing else.
//!
//! A generator that is handed from one part of a program to the next makes every later draw depend
//! on every earlier one: a run that resumes, prepares batches on another thread, or draws one more
//! preview would take a different course. Here each draw names a seed, a purpose and a counter; the
//! three are laid side by side into the 32-byte key of a ChaCha stream cipher, so the same three
//! give the same numbers on every machine and with every backend, and any other three give numbers
//! that have nothing to do with them.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// What a stream of random numbers is drawn for.
///
/// The tags are part of what makes old runs repeatable: a tag, once released, is never changed or
/// given to another purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The generator's first weights (tag 1).
    GeneratorWeights,
    /// The discriminator's first weights (tag 2).
    DiscriminatorWeights,
    /// The latent vectors of one batch (tag 3).
    Noise,
    /// The fixed latent vectors behind preview and sample images (tag 4).
    SampleNoise,
    /// The order in which one epoch visits the images (tag 5).
    Order,
    /// The shapes and the class order of synthetic digits (tag 6).
    SyntheticDigits,
    /// The fixed latent vectors of the images that evaluators look at (tag 7).
    EvaluationNoise,
    /// How training images are moved about (tag 8).
    Augmentation,
    /// Which samples go into the subsets of an evaluation (tag 9).
    EvaluationSubsets,
    /// Which digits are stacked (tag 10).
    StackedDigits,
    /// What an objective draws for one batch (tag 11).
    Objective,
    /// The classes that sample images are made of (tag 12).
    SampleLabels,
    /// The classes of the images that evaluators look at (tag 13).
    EvaluationLabels,
}

impl Purpose {
    /// The number that stands for this purpose in the key.
    #[must_use]
    pub const fn tag(self) -> u64 {
        match self {
            Self::GeneratorWeights => 1,
            Self::DiscriminatorWeights => 2,
            Self::Noise => 3,
            Self::SampleNoise => 4,
            Self::Order => 5,
            Self::SyntheticDigits => 6,
            Self::EvaluationNoise => 7,
            Self::Augmentation => 8,
            Self::EvaluationSubsets => 9,
            Self::StackedDigits => 10,
            Self::Objective => 11,
            Self::SampleLabels => 12,
            Self::EvaluationLabels => 13,
        }
    }
}

/// The last eight bytes of every key: they keep these streams apart from any other use of ChaCha
/// with the same seed, and the final byte is the version of the layout.
const KEY_TAIL: [u8; 8] = *b"ganvas\0\x01";

/// Opens the stream of random numbers for one seed, purpose and counter.
///
/// The key holds, little-endian and in this order, `seed` (bytes 0 to 7), the purpose's
/// [tag](Purpose::tag) (8 to 15), `counter` (16 to 23) and a constant (24 to 31). Distinct arguments
/// give distinct keys, and the streams of distinct ChaCha keys are independent for every purpose
/// here.
///
/// ```
/// use ganvas_data::{Purpose, keyed_rng, normal_vec};
///
/// let first = normal_vec(&mut keyed_rng(7, Purpose::Noise, 0), 64);
/// let again = normal_vec(&mut keyed_rng(7, Purpose::Noise, 0), 64);
/// let later = normal_vec(&mut keyed_rng(7, Purpose::Noise, 1), 64);
/// assert_eq!(first, again);
/// assert_ne!(first, later);
/// ```
#[must_use]
pub fn keyed_rng(seed: u64, purpose: Purpose, counter: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[0..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&purpose.tag().to_le_bytes());
    key[16..24].copy_from_slice(&counter.to_le_bytes());
    key[24..32].copy_from_slice(&KEY_TAIL);
    ChaCha8Rng::from_seed(key)
}

/// Draws `len` numbers from the normal distribution with mean 0 and standard deviation 1.
#[must_use]
pub fn normal_vec(rng: &mut impl Rng, len: usize) -> Vec<f32> {
    (0..len).map(|_| rng.sample(StandardNormal)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn each_part_of_the_key_changes_the_stream() {
        let base = keyed_rng(1, Purpose::Noise, 1).next_u64();
        assert_ne!(base, keyed_rng(2, Purpose::Noise, 1).next_u64());
        assert_ne!(base, keyed_rng(1, Purpose::SampleNoise, 1).next_u64());
        assert_ne!(base, keyed_rng(1, Purpose::Noise, 2).next_u64());
        assert_eq!(base, keyed_rng(1, Purpose::Noise, 1).next_u64());
    }

    #[test]
    fn streams_stay_what_they_are() {
        // Old runs can be repeated only as long as these numbers never change.
        let mut rng = keyed_rng(7, Purpose::Order, 3);
        let numbers = [rng.next_u64(), rng.next_u64()];
        assert_eq!(numbers, [9_792_470_113_671_043_526, 793_759_061_878_481_068]);
    }

    #[test]
    fn tags_are_distinct() {
        let mut tags = [
            Purpose::GeneratorWeights,
            Purpose::DiscriminatorWeights,
            Purpose::Noise,
            Purpose::SampleNoise,
            Purpose::Order,
            Purpose::SyntheticDigits,
            Purpose::EvaluationNoise,
            Purpose::Augmentation,
            Purpose::EvaluationSubsets,
            Purpose::StackedDigits,
            Purpose::Objective,
        ]
        .map(Purpose::tag);
        tags.sort_unstable();
        assert_eq!(tags, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let numbers = normal_vec(&mut keyed_rng(3, Purpose::Noise, 0), 100_000);
        let count = numbers.len() as f64;
        let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        // The standard error of the mean is 0.0032 and that of the variance 0.0045.
        assert!(mean.abs() < 0.013, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.018, "variance {variance}");
    }
}
