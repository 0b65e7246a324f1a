//! How many steps a run has, and what belongs to each.

use ganvas_data::{ImageSet, Schedule};

use crate::{ConfigError, Experiment, TrainingError};

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
}

impl Plan {
    /// Counts the steps.
    ///
    /// # Errors
    /// Where an epoch has no batch, or all epochs together not enough for one step.
    pub(crate) fn new(experiment: &Experiment, images: &ImageSet) -> Result<(Self, Schedule), TrainingError> {
        let schedule = Schedule::new(images.len(), experiment.data.batch_size, experiment.data.drop_last)?;
        let batches_per_step = experiment.training.discriminator_steps as u64;
        let batches = schedule.steps_per_epoch().saturating_mul(experiment.training.epochs);
        let steps = batches / batches_per_step;
        if steps == 0 {
            let message = format!(
                "`training.discriminator_steps`: a step takes {batches_per_step} batches, and {} epochs of {} images have \
                 {batches}; expected fewer, or more epochs",
                experiment.training.epochs,
                images.len()
            );
            return Err(ConfigError::new("configuration", None, message).into());
        }
        let plan = Self {
            total_steps: experiment.training.max_steps.unwrap_or(steps).min(steps),
            batches_per_epoch: schedule.steps_per_epoch(),
            batches_per_step,
            batch_size: experiment.data.batch_size,
        };
        Ok((plan, schedule))
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
