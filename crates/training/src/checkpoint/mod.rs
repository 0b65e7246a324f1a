//! What a run resumes from, and is sampled from.

mod fallback;
mod folders;
mod reader;
mod resume;
mod retention;
mod sealed_folder;
mod state;
mod writer;

pub(crate) use folders::last_good;
pub use reader::Checkpoint;
pub use resume::{ResumePoint, begin_or_resume, resume_point};
pub(crate) use sealed_folder::remove_folder;
pub use state::{CheckpointState, ImagesState, RandomState};
pub(crate) use writer::{CheckpointWriter, Snapshot};
