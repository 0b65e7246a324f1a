//! One graph at a time in a process.

use parking_lot::{ReentrantMutex, ReentrantMutexGuard};

static ONE_AT_A_TIME: ReentrantMutex<()> = ReentrantMutex::new(());

/// Holds every other thread of the process back from building graphs, until it is dropped.
#[must_use = "others are held back as long as it lives"]
#[derive(Debug)]
pub struct AutodiffLock(#[allow(dead_code)] ReentrantMutexGuard<'static, ()>);

/// Waits until no other thread builds a graph or goes back through one.
///
/// At the end of each `backward`, burn-autodiff 0.21 cleans up the graphs of all threads, and takes what it believes unused out of one that
/// another thread is in the middle of building: that thread's gradients are then silently wrong
/// (<https://github.com/tracel-ai/burn/issues/5573>). So whoever trains where others may train too holds this from the first
/// operation on weights that are trained to the end of `backward`, as ganvas' training steps and evaluators do. The same thread may take it again.
///
/// Such trainings belong on threads of their own and not into rayon's tasks: a thread of rayon's that waits in a kernel may begin another task,
/// and the same thread gets the lock again.
///
/// It costs a training that is alone in its process nothing. Trainings side by side take turns; each of their operations is computed by all
/// threads of the processor as it is.
pub fn autodiff_lock() -> AutodiffLock {
    AutodiffLock(ONE_AT_A_TIME.lock())
}
