//! Who looks at a run: losses that are not finite, signs that it goes wrong, and the quality of its images.

mod divergence;
mod evaluator;
mod health;
mod hint;
mod moments;
mod patience;
mod pending_metrics;
mod pixel_statistics;
mod quality;
mod recent_losses;

pub(crate) use divergence::{first_non_finite, non_finite_weights};
pub use evaluator::{Basis, Evaluator};
pub use health::{Health, WatchedTraining};
pub use hint::Hint;
pub(crate) use patience::Patience;
pub(crate) use pending_metrics::PendingMetrics;
pub use pixel_statistics::PixelStatistics;
