//! What a run resumes from, and is sampled from.

mod choose;
mod fallback;
mod folders;
mod reader;
mod resume;
mod retention;
mod sealed_folder;
mod state;
mod summary;
mod writer;

pub(crate) use folders::{is_checkpoint, last_good, step_folders, step_of};
pub use reader::{Checkpoint, Weights};
pub use resume::{ResumePoint, begin_or_resume, resume_point, resume_point_at};
pub(crate) use sealed_folder::remove_folder;
pub use state::{CheckpointState, ImagesState, RandomState};
pub use summary::CheckpointSummary;
pub(crate) use writer::{CheckpointWriter, Snapshot};
