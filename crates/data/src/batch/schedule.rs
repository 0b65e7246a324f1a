//! The order in which training visits the images, as a pure function of seed and batch number.
//!
//! Nothing here keeps a position: a run that stops after batch 1,234 and resumes asks for batch 1,234
//! and gets the one that it would have got without the stop.

use rand::Rng;

use crate::{DataError, Purpose, keyed_rng};

/// The order of epoch `epoch`: a permutation of `0..len`, drawn by the Fisher–Yates shuffle from
/// [`keyed_rng`]`(seed, Purpose::Order, epoch)`.
///
/// Indices are 32 bits wide; of a longer set only the first 2³² − 1 images would be visited, which
/// [`Schedule::new`] refuses beforehand.
#[must_use]
pub fn epoch_order(seed: u64, epoch: u64, len: usize) -> Vec<u32> {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let mut rng = keyed_rng(seed, Purpose::Order, epoch);
    let mut order: Vec<u32> = (0..len).collect();
    for last in (1..len).rev() {
        // Drawing 32-bit numbers keeps the order the same where `usize` has another width.
        let chosen = rng.random_range(0..=last);
        order.swap(last as usize, chosen as usize);
    }
    order
}

/// How the images of an epoch are cut into batches.
///
/// Batches are numbered from 0 through the whole run.
///
/// ```
/// use ganvas_data::Schedule;
///
/// # fn main() -> Result<(), ganvas_data::DataError> {
/// let schedule = Schedule::new(10, 4, false)?;
/// assert_eq!(schedule.batches_per_epoch(), 3);
/// assert_eq!(schedule.position(5), (1, 2));
/// assert_eq!(schedule.indices(7, 5).len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    len: u32,
    batch_size: u32,
    drop_last: bool,
}

impl Schedule {
    /// Plans batches of `batch_size` over `len` images.
    ///
    /// An epoch's last batch holds what is left and so may be short; `drop_last` leaves a short one
    /// out instead, and then the images in it (others in each epoch) are not seen in that epoch.
    ///
    /// # Errors
    ///
    /// [`DataError::Schedule`] if there are no images or more than 2³² − 1, if the batch size is
    /// zero, or if `drop_last` would leave no batch at all.
    pub fn new(len: usize, batch_size: usize, drop_last: bool) -> Result<Self, DataError> {
        let refuse = |reason| DataError::Schedule {
            len,
            batch_size,
            reason,
        };
        let Ok(images) = u32::try_from(len) else {
            return Err(refuse("at most 4294967295 images can be scheduled"));
        };
        if images == 0 {
            return Err(refuse("there is nothing to train on"));
        }
        if batch_size == 0 {
            return Err(refuse("a batch holds at least one image"));
        }
        if drop_last && batch_size > len {
            return Err(refuse(
                "with the short last batch dropped no batch is left; use a smaller batch size or more images",
            ));
        }
        Ok(Self {
            len: images,
            // A larger batch than 2³² − 1 takes in the whole set just the same.
            batch_size: u32::try_from(batch_size).unwrap_or(u32::MAX),
            drop_last,
        })
    }

    /// How many images an epoch draws from.
    #[must_use]
    pub fn images(&self) -> usize {
        self.len as usize
    }

    /// The size of every batch but perhaps an epoch's last.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch_size as usize
    }

    /// Whether an epoch's short last batch is left out.
    #[must_use]
    pub fn drop_last(&self) -> bool {
        self.drop_last
    }

    /// How many batches an epoch has; at least one.
    #[must_use]
    pub fn batches_per_epoch(&self) -> u64 {
        let batches = if self.drop_last {
            self.len / self.batch_size
        } else {
            self.len.div_ceil(self.batch_size)
        };
        u64::from(batches)
    }

    /// The epoch that batch `number` belongs to, counted from 0.
    #[must_use]
    pub fn epoch_of(&self, number: u64) -> u64 {
        number / self.batches_per_epoch()
    }

    /// Where batch `number` lies: its epoch, and the batch within that epoch, both counted from 0.
    #[must_use]
    pub fn position(&self, number: u64) -> (u64, u64) {
        (self.epoch_of(number), number % self.batches_per_epoch())
    }

    /// The part of an epoch's `order` that batch `batch_in_epoch` holds; empty past the epoch's
    /// end.
    ///
    /// `order` is [`epoch_order`]'s answer for the same number of images.
    #[must_use]
    pub fn batch_indices<'a>(&self, order: &'a [u32], batch_in_epoch: u64) -> &'a [u32] {
        if batch_in_epoch >= self.batches_per_epoch() {
            return &[];
        }
        let Ok(batch) = usize::try_from(batch_in_epoch) else {
            return &[];
        };
        order.chunks(self.batch_size()).nth(batch).unwrap_or_default()
    }

    /// The image indices of batch `number`, with the epoch's order drawn anew.
    ///
    /// This is the plain way for a single batch. A loop over batches should keep the order of the
    /// epoch it is in, as [`Prefetcher`](crate::Prefetcher) does.
    #[must_use]
    pub fn indices(&self, seed: u64, number: u64) -> Vec<u32> {
        let (epoch, batch) = self.position(number);
        let order = epoch_order(seed, epoch, self.images());
        self.batch_indices(&order, batch).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_order_is_a_permutation(seed: u64, epoch: u64, len in 0_usize..2_000) {
            let mut order = epoch_order(seed, epoch, len);
            order.sort_unstable();
            prop_assert!(order.into_iter().eq(0..len as u32));
        }

        #[test]
        fn an_epoch_visits_every_image_once(
            seed: u64, epoch in 0_u64..1_000, len in 1_usize..500, batch_size in 1_usize..600,
        ) {
            let schedule = Schedule::new(len, batch_size, false).unwrap();
            let batches = schedule.batches_per_epoch();
            let mut seen: Vec<u32> = (epoch * batches..(epoch + 1) * batches)
                .flat_map(|number| schedule.indices(seed, number))
                .collect();
            seen.sort_unstable();
            prop_assert!(seen.into_iter().eq(0..len as u32));
        }

        #[test]
        fn without_the_short_batch_all_batches_are_full(
            seed: u64, len in 1_usize..500, batch_size in 1_usize..100, number in 0_u64..10_000,
        ) {
            match Schedule::new(len, batch_size, true) {
                Ok(schedule) => {
                    prop_assert_eq!(schedule.indices(seed, number).len(), batch_size);
                    prop_assert_eq!(schedule.batches_per_epoch(), (len / batch_size) as u64);
                }
                Err(_) => prop_assert!(batch_size > len),
            }
        }
    }

    #[test]
    fn orders_stay_what_they_are() {
        // Old runs can be repeated only as long as this order never changes.
        assert_eq!(epoch_order(1, 0, 10), [3, 9, 1, 5, 6, 8, 7, 2, 4, 0]);
    }

    #[test]
    fn epochs_differ_and_repeat() {
        assert_ne!(epoch_order(1, 0, 100), epoch_order(1, 1, 100));
        assert_ne!(epoch_order(1, 0, 100), epoch_order(2, 0, 100));
        assert_eq!(epoch_order(1, 1, 100), epoch_order(1, 1, 100));
    }

    #[test]
    fn impossible_schedules_say_why() {
        for (len, batch_size, drop_last) in [(0, 4, false), (4, 0, false), (3, 4, true), (0, 0, true)] {
            let error = Schedule::new(len, batch_size, drop_last).unwrap_err().to_string();
            assert!(error.starts_with("cannot cut"), "{error}");
        }
        assert_eq!(Schedule::new(3, 4, false).unwrap().batches_per_epoch(), 1);
        assert_eq!(Schedule::new(3, usize::MAX, false).unwrap().indices(0, 9).len(), 3);
    }

    #[test]
    fn batches_past_the_epoch_are_empty() {
        let schedule = Schedule::new(10, 4, true).unwrap();
        let order = epoch_order(0, 0, 10);
        assert_eq!(schedule.batch_indices(&order, 1).len(), 4);
        assert!(schedule.batch_indices(&order, 2).is_empty());
        assert!(schedule.batch_indices(&order, u64::MAX).is_empty());
    }
}
