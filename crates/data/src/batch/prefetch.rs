//! Batches that are ready before the device asks for them.

use std::any::Any;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::{DataError, HostBatch, ImageSource, Schedule, epoch_order};

/// How many finished batches wait at most; one more is being made meanwhile.
const AHEAD: usize = 2;

/// A batch together with its place in the run.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedBatch {
    /// The batch's number, counted from 0.
    pub number: u64,
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// Images, labels and noise.
    pub batch: HostBatch,
}

/// A thread that prepares the next batches while the device works on the current one.
///
/// It is an iterator over its batches in order. They depend on seed, schedule and number alone, so preparing them ahead changes nothing but the time it takes. Dropping the
/// prefetcher stops the thread and waits for it.
///
/// ```
/// use std::sync::Arc;
/// use ganvas_data::{ImageSource, Prefetcher, Schedule, Split, synthetic_digits};
///
/// # fn main() -> Result<(), ganvas_data::DataError> {
/// let images = Arc::new(synthetic_digits(0, Split::Train, 20));
/// let schedule = Schedule::new(images.len(), 8, false)?;
/// let mut batches = Prefetcher::start(images, schedule, 0, 64, 0..6);
/// for prepared in &mut batches {
///     assert_eq!(prepared.epoch, prepared.number / 3);
///     assert_eq!(prepared.batch.z_shape, [8, 64]);
/// }
/// batches.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Prefetcher {
    /// The number of the batch that is handed out next.
    next: u64,
    /// Taken away in order to tell the worker to stop.
    batches: Option<Receiver<NumberedBatch>>,
    /// Taken away in order to wait for the worker; an error if there never was one.
    worker: Option<io::Result<JoinHandle<Result<(), DataError>>>>,
}

impl Prefetcher {
    /// Starts to prepare the batches of these numbers, each with z of `latent_size` for a whole batch.
    #[must_use]
    pub fn start(
        images: Arc<dyn ImageSource>,
        schedule: Schedule,
        seed: u64,
        latent_size: usize,
        batches: Range<u64>,
    ) -> Self {
        let mut order_of = None;
        Self::spawn(batches, move |number| {
            let (epoch, batch) = schedule.position(number);
            let order = match order_of.take() {
                Some((known, order)) if known == epoch => order,
                _ => epoch_order(seed, epoch, schedule.images()),
            };
            let batch = HostBatch::assemble(&*images, schedule.batch_indices(&order, batch))?;
            order_of = Some((epoch, order));
            Ok(NumberedBatch {
                number,
                epoch,
                batch: batch.with_noise(seed, number, schedule.batch_size(), latent_size),
            })
        })
    }

    /// Starts a worker that calls `prepare` for one number after the other.
    fn spawn(
        numbers: Range<u64>,
        mut prepare: impl FnMut(u64) -> Result<NumberedBatch, DataError> + Send + 'static,
    ) -> Self {
        let (sender, batches) = sync_channel(AHEAD);
        let first = numbers.start;
        let work = move || {
            for number in numbers {
                if sender.send(prepare(number)?).is_err() {
                    // Nobody listens any more: the prefetcher is being dropped.
                    break;
                }
            }
            Ok(())
        };
        let worker = Builder::new().name("ganvas-prefetch".to_owned()).spawn(work);
        Self {
            next: first,
            batches: Some(batches),
            worker: Some(worker),
        }
    }

    /// Stops the thread, and says whether it failed.
    ///
    /// A loop over the batches ends early when the thread fails; this tells such an end from the
    /// right one.
    ///
    /// # Errors
    ///
    /// What kept the thread from preparing a batch, [`DataError::IndexOutOfRange`] if the schedule
    /// was made for more images than there are, and [`DataError::Prefetch`] if the thread panicked
    /// or could not be started.
    pub fn finish(mut self) -> Result<(), DataError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), DataError> {
        // A worker that waits for room in the channel wakes up when the receiver goes.
        self.batches = None;
        let failed = |reason| DataError::Prefetch {
            number: self.next,
            reason,
        };
        match self.worker.take() {
            None => Ok(()),
            Some(Err(error)) => Err(failed(format!("it could not be started: {error}"))),
            Some(Ok(worker)) => worker.join().unwrap_or_else(|panic| Err(failed(message(&*panic)))),
        }
    }
}

impl Iterator for Prefetcher {
    type Item = NumberedBatch;

    /// The next batch, waiting for it if need be; `None` after the last, or if the thread has
    /// failed.
    fn next(&mut self) -> Option<NumberedBatch> {
        let prepared = self.batches.as_ref()?.recv().ok()?;
        self.next = prepared.number.saturating_add(1);
        Some(prepared)
    }
}

impl Drop for Prefetcher {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "preparing batches ended with an error");
        }
    }
}

/// What a panicking thread said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::{Purpose, Split, keyed_rng, normal_vec, synthetic_digits};

    fn images() -> Arc<dyn ImageSource> {
        Arc::new(synthetic_digits(3, Split::Train, 10))
    }

    #[test]
    fn batches_are_those_of_the_schedule() {
        let schedule = Schedule::new(10, 4, false).unwrap();
        let mut batches = Prefetcher::start(images(), schedule, 9, 5, 2..8);
        for number in 2..8 {
            let prepared = batches.next().unwrap();
            let expected = HostBatch::assemble(&*images(), &schedule.indices(9, number)).unwrap();
            assert_eq!((prepared.number, prepared.epoch), (number, number / 3));
            let z = normal_vec(&mut keyed_rng(9, Purpose::Noise, number), 4 * 5);
            assert_eq!((&prepared.batch.z, prepared.batch.z_shape), (&z, [4, 5]));
            assert_eq!(prepared.batch, expected.with_noise(9, number, 4, 5));
        }
        assert!(batches.next().is_none() && batches.next().is_none());
        batches.finish().unwrap();
    }

    #[test]
    fn an_empty_range_gives_nothing() {
        let schedule = Schedule::new(10, 4, false).unwrap();
        assert_eq!(Prefetcher::start(images(), schedule, 9, 5, 5..5).count(), 0);
        assert_eq!(
            Prefetcher::start(images(), schedule, 9, 5, Range { start: 5, end: 4 }).count(),
            0
        );
    }

    #[test]
    fn dropping_stops_a_worker_that_waits() {
        let made = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&made);
        let schedule = Schedule::new(10, 4, false).unwrap();
        let batch = HostBatch::assemble(&*images(), &schedule.indices(0, 0)).unwrap();
        let mut batches = Prefetcher::spawn(0..u64::MAX, move |number| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(NumberedBatch {
                number,
                epoch: 0,
                batch: batch.clone(),
            })
        });
        assert_eq!(batches.next().unwrap().number, 0);
        drop(batches);
        // One batch was taken, two fit the channel and one waits for room.
        assert!(made.load(Ordering::SeqCst) <= 4);
    }

    #[test]
    fn a_panic_of_the_worker_ends_the_batches_and_is_reported() {
        let mut batches = Prefetcher::spawn(7..9, |_| panic!("the ink ran dry"));
        assert!(batches.next().is_none());
        let error = batches.finish().unwrap_err().to_string();
        assert!(
            error.contains("batch 7") && error.contains("the ink ran dry"),
            "{error}"
        );
    }

    #[test]
    fn a_schedule_for_more_images_is_reported() {
        let schedule = Schedule::new(11, 11, false).unwrap();
        let mut batches = Prefetcher::start(images(), schedule, 0, 5, 0..1);
        assert!(batches.next().is_none());
        assert!(matches!(batches.finish(), Err(DataError::IndexOutOfRange { .. })));
    }
}
