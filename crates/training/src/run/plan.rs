//! How many steps a run has, and what belongs to each.

use ganvas_data::{DataError, Schedule};

use super::directory::RunDirectory;
use crate::{
    TrainingError, counted,
    experiment::{DataSection, Mistake, TrainingSection},
};

/// The steps of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Generator updates in the whole run.
    pub total_steps: u64,
    /// Batches in an epoch.
    pub batches_per_epoch: u64,
    /// Discriminator updates, and so batches, in a step.
    pub batches_per_step: u64,
    /// Images in a batch; an epoch's last one may be shorter.
    pub batch_size: usize,
    /// Whether an epoch's short last batch is left out.
    pub drop_last: bool,
}

impl Plan {
    /// Counts the steps over so many images.
    ///
    /// # Errors
    /// Where an epoch has no batch, or all epochs together not enough for one step, as `(dotted key, message)`.
    pub(crate) fn new(data: &DataSection, training: &TrainingSection, images: usize) -> Result<Self, Mistake> {
        let batches_per_epoch = Schedule::new(images, data.batch_size, data.drop_last)
            .map_err(|error| ("data.batch_size".to_owned(), error.to_string()))?
            .batches_per_epoch();
        let batches_per_step = training.discriminator_steps as u64;
        let batches = batches_per_epoch.saturating_mul(training.epochs);
        let total_steps = training.max_steps.unwrap_or(batches / batches_per_step);
        if total_steps == 0 {
            let message = format!(
                "a step takes {}, and {} of {} have {batches}; expected fewer, or more epochs",
                counted(batches_per_step, "batch"),
                counted(training.epochs, "epoch"),
                counted(images, "image"),
            );
            return Err(("training.discriminator_steps".to_owned(), message));
        }
        Ok(Self {
            total_steps,
            batches_per_epoch,
            batches_per_step,
            batch_size: data.batch_size,
            drop_last: data.drop_last,
        })
    }

    /// How the images are cut into batches.
    pub(crate) fn schedule(&self, images: usize) -> Result<Schedule, DataError> {
        Schedule::new(images, self.batch_size, self.drop_last)
    }

    /// Checks that a run which goes on does not end before where it is.
    ///
    /// # Errors
    /// [`TrainingError::NotARun`] with what to raise.
    pub(crate) fn check_steps_done(&self, done: u64, run: &RunDirectory) -> Result<(), TrainingError> {
        if done <= self.total_steps {
            return Ok(());
        }
        Err(TrainingError::NotARun {
            path: run.path().to_owned(),
            reason: format!(
                "cannot end after {}, {done} are already trained; raise training.epochs or training.max_steps",
                counted(self.total_steps, "step")
            ),
        })
    }

    /// Whether something that comes every so many steps comes after this one; 0 is never.
    pub(crate) fn is_due(every: u64, step: u64) -> bool {
        every > 0 && step.is_multiple_of(every)
    }

    /// The epoch, from 1, of the last batch of a step, counted from 1.
    pub fn epoch(&self, step: u64) -> u64 {
        (step * self.batches_per_step).saturating_sub(1) / self.batches_per_epoch + 1
    }

    /// The epochs that the run reaches.
    pub fn epochs(&self) -> u64 {
        self.epoch(self.total_steps)
    }
}
