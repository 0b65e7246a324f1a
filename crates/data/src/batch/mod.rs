//! In what order images are seen, and in what batches.

mod burn_loader;
mod host_batch;
mod prefetch;
mod schedule;

pub use burn_loader::{ImageBatch, ImageBatcher, ImageItem};
pub use host_batch::{HostBatch, denormalize, normalize};
pub use prefetch::{NumberedBatch, Prefetcher};
pub use schedule::{Schedule, epoch_order};
