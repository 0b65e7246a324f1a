//! What the networks minimize: objectives see the networks and the batch.

mod adversarial;
mod batch;
mod report;
mod sum;
mod traits;

pub use adversarial::{AdversarialLoss, ObjectiveConfig};
pub use batch::Batch;
pub use report::{Number, Report, shortest_decimal};
pub use sum::WeightedSum;
pub use traits::{DiscriminatorLoss, Objective, ObjectiveSettings};
