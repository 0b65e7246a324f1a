//! Losses that wait on the device until somebody reads them.

use burn::tensor::{Tensor, backend::AutodiffBackend};

use crate::{Losses, TrainingError};

/// How many steps may wait unread. It bounds how late a NaN is noticed; reading costs a synchronization of the device.
const MOST_WAITING: usize = 50;

/// The losses of the latest steps, not yet read.
///
/// Reading a number makes the host wait for the device, so the losses of all steps are kept there and read together.
/// None is skipped: the first that is not finite stops the run with its own step number.
pub(crate) struct LossHistory<B: AutodiffBackend> {
    waiting: Vec<(u64, Losses<B>)>,
}

/// The numbers of one step, on the host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepNumbers {
    pub discriminator_loss: f32,
    pub generator_loss: f32,
    pub real_logit: f32,
    pub fake_logit: f32,
    /// Of the discriminator and of the generator.
    pub gradient_norms: Option<[f32; 2]>,
    pub fake_pixel_variance: Option<f32>,
}

impl<B: AutodiffBackend> LossHistory<B> {
    pub(crate) fn new() -> Self {
        Self { waiting: Vec::new() }
    }

    /// Takes the losses of a step, counted from 1.
    pub(crate) fn push(&mut self, step: u64, losses: Losses<B>) {
        self.waiting.push((step, losses));
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    /// Reads everything that waits and returns the newest step's numbers.
    ///
    /// # Errors
    /// [`TrainingError::Diverged`] for the first step with a loss that is not finite.
    pub(crate) fn read(&mut self, advice: impl Fn() -> String) -> Result<Option<StepNumbers>, TrainingError> {
        let mut newest = None;
        for (step, losses) in self.waiting.drain(..) {
            let mut scalars = vec![
                losses.discriminator,
                losses.generator,
                losses.real_logit,
                losses.fake_logit,
            ];
            scalars.extend(losses.gradient_norms.into_iter().flatten());
            scalars.extend(losses.fake_pixel_variance);
            let values: Vec<f32> = Tensor::cat(scalars, 0)
                .into_data()
                .convert::<f32>()
                .iter::<f32>()
                .collect();
            let [
                discriminator_loss,
                generator_loss,
                real_logit,
                fake_logit,
                ref measured @ ..,
            ] = values[..]
            else {
                continue;
            };
            let named = [
                ("discriminator loss", Some(&discriminator_loss)),
                ("generator loss", Some(&generator_loss)),
                ("mean logit of real images", Some(&real_logit)),
                ("mean logit of generated images", Some(&fake_logit)),
                ("variance of the generated pixels", measured.get(2)),
                ("discriminator's gradient norm", measured.first()),
                ("generator's gradient norm", measured.get(1)),
            ];
            for (what, value) in named {
                if let Some(&value) = value.filter(|value| !value.is_finite()) {
                    return Err(TrainingError::Diverged {
                        what: what.to_owned(),
                        value,
                        step,
                        advice: advice(),
                    });
                }
            }
            newest = Some(StepNumbers {
                discriminator_loss,
                generator_loss,
                real_logit,
                fake_logit,
                gradient_norms: measured.first_chunk().copied(),
                fake_pixel_variance: measured.get(2).copied(),
            });
        }
        Ok(newest)
    }
}
