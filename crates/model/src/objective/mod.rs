//! What the networks minimize: objectives see the networks and the batch.

mod adversarial;
mod approximate;
mod augment;
mod batch;
mod check;
mod compute;
mod config;
mod penalty;
mod report;
mod sum;
mod traits;

pub use adversarial::AdversarialLoss;
pub use approximate::PenaltyMethod;
pub use augment::AugmentConfig;
pub use batch::{Batch, Strength};
pub use check::{check_class_logits, check_input_gradient};
pub use config::{ADVERSARIAL_LOSS, ObjectiveConfig};
pub use penalty::GradientPenalty;
pub use report::{Number, Report, shortest_decimal};
pub use sum::WeightedSum;
pub use traits::{DiscriminatorLoss, Objective, ObjectiveSettings};
