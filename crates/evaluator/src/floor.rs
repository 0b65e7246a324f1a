//! What real images score in the place of generated ones.

use ganvas_data::epoch_order;

use crate::{EvaluatorError, Metric, Observed, Reference};

/// What real images score in the place of generated ones: as near as a perfect generator is expected to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// Images in the place of the generated ones.
    pub count: usize,
    /// Numbers by their names; none of [`Metric::Memorized`], because training images are at no distance from themselves.
    pub numbers: Vec<(&'static str, f64)>,
}

impl Floor {
    /// What `images`, which are real ones, score beside those of a reference.
    ///
    /// # Errors
    /// As [`Reference::measure`].
    pub fn of(reference: &Reference, images: &Observed, metrics: &[Metric], seed: u64) -> Result<Self, EvaluatorError> {
        Ok(Self {
            count: images.count(),
            numbers: reference.measure(images, &without_memorized(metrics), seed)?,
        })
    }

    /// Which of `total` training images stand in the place of `count` generated ones.
    pub fn order(seed: u64, total: usize, count: usize) -> Vec<u32> {
        let mut order = epoch_order(seed, 0, total);
        order.truncate(count);
        order
    }
}

/// All but [`Metric::Memorized`].
pub fn without_memorized(metrics: &[Metric]) -> Vec<Metric> {
    let others = metrics.iter().copied();
    others.filter(|&metric| metric != Metric::Memorized).collect()
}
