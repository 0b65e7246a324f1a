//! Losses that wait on the device until somebody reads them.

use burn::tensor::{Tensor, backend::AutodiffBackend};

use crate::{Losses, TrainingError, TrainingState, parameters::trainable};

/// How many steps may wait unread. It bounds how late a NaN is noticed; reading costs a synchronization of the device.
const MOST_WAITING: usize = 50;

/// The losses of the latest steps, not yet read.
///
/// Reading a number makes the host wait for the device, so the losses of all steps are kept there and read together.
/// None is skipped: the first loss or gradient that is not finite stops the run with its own step number.
pub(crate) struct LossHistory<B: AutodiffBackend> {
    waiting: Vec<(u64, Losses<B>)>,
    /// Of the discriminator's parameters and of the generator's.
    names: [Vec<String>; 2],
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
    /// For a training of these networks.
    pub(crate) fn new(state: &TrainingState<B>) -> Self {
        let names = |parameters: Vec<(String, _)>| parameters.into_iter().map(|(name, _)| name).collect();
        Self {
            waiting: Vec::new(),
            names: [
                names(trainable::<B, _>(&state.discriminator)),
                names(trainable::<B, _>(&state.generator)),
            ],
        }
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
    /// [`TrainingError::Diverged`] for the first step with a loss or a gradient that is not finite.
    pub(crate) fn read(&mut self, advice: impl Fn() -> String) -> Result<Option<StepNumbers>, TrainingError> {
        let mut newest = None;
        for (step, losses) in self.waiting.drain(..) {
            let diverged = |what: String, value: f32| TrainingError::Diverged {
                what,
                value,
                step,
                advice: advice(),
            };
            let has_variance = losses.fake_pixel_variance.is_some();
            let has_gradients = losses.gradient_squares.is_some();
            let mut parts = vec![
                losses.discriminator,
                losses.generator,
                losses.real_logit,
                losses.fake_logit,
            ];
            parts.extend(losses.fake_pixel_variance);
            parts.extend(losses.gradient_squares.into_iter().flatten());
            // One read: each makes the host wait.
            let values: Vec<f32> = Tensor::cat(parts, 0).into_data().convert::<f32>().iter().collect();
            let mut values = values.into_iter();
            let mut next = |what: &str| match values.next().unwrap_or(f32::NAN) {
                value if value.is_finite() => Ok(value),
                value => Err(diverged(what.to_owned(), value)),
            };
            let mut numbers = StepNumbers {
                discriminator_loss: next("discriminator loss")?,
                generator_loss: next("generator loss")?,
                real_logit: next("mean logit of real images")?,
                fake_logit: next("mean logit of generated images")?,
                fake_pixel_variance: None,
                gradient_norms: None,
            };
            if has_variance {
                numbers.fake_pixel_variance = Some(next("variance of the generated pixels")?);
            }
            if has_gradients {
                let mut norms = [0.0; 2];
                for ((network, names), norm) in ["discriminator", "generator"].iter().zip(&self.names).zip(&mut norms) {
                    let squares: Vec<f32> = values.by_ref().take(names.len()).collect();
                    // The way back goes from the last layer to the first, so the trouble began at the last of them.
                    let broken = names.iter().zip(&squares).rfind(|(_, square)| !square.is_finite());
                    if let Some((name, &square)) = broken {
                        return Err(diverged(
                            format!("norm of the gradient of the {network}'s `{name}`"),
                            square,
                        ));
                    }
                    *norm = squares.iter().sum::<f32>().sqrt();
                }
                numbers.gradient_norms = Some(norms);
            }
            newest = Some(numbers);
        }
        Ok(newest)
    }
}
