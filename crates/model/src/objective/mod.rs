//! What the networks minimize: objectives see the networks and the batch.

mod adversarial;
mod batch;
mod check;
mod config;
mod penalty;
mod report;
mod sum;
mod traits;

pub use adversarial::AdversarialLoss;
pub use batch::Batch;
pub use check::check_input_gradient;
pub use config::ObjectiveConfig;
pub use penalty::GradientPenalty;
pub use report::{Number, Report, shortest_decimal};
pub use sum::WeightedSum;
pub use traits::{DiscriminatorLoss, Objective, ObjectiveSettings};
