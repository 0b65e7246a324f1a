//! One adversarial step, and everything that it changes.

mod ema;
mod gradients;
mod moving;
mod optimizer;
mod parameters;
mod state;
mod training_step;

pub use ema::Ema;
pub use gradients::{DiscriminatorGradients, GeneratorGradients, discriminator_gradients, generator_gradients};
pub use optimizer::Optimizer;
pub use parameters::count_parameters;
pub use state::TrainingState;
pub(crate) use training_step::PIXEL_VARIANCE;
pub use training_step::{GRADIENT_NORMS, LOSSES, REPORTS, StepBatches, StepMetrics, training_step};
