//! What a run directory holds, and the batches of the loop.

mod batch_loader;
mod directory;
mod location;
mod lock;
mod metrics_log;
mod open;
mod plan;
mod recorder;
mod sampler;
mod samples;
mod sessions;
mod timings;

pub(crate) use batch_loader::BatchLoader;
pub use directory::RunDirectory;
pub(crate) use location::is_run;
pub use location::{CheckpointChoice, RunLocation};
pub use metrics_log::{MetricsLine, MetricsLog};
pub use plan::Plan;
pub(crate) use recorder::{Recorder, SPEED};
pub use sampler::Sampler;
pub use sessions::{Change, Judged, Session};
pub use timings::Timings;
