//! The lock of a run directory: one process trains there.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tracing::warn;

use crate::TrainingError;

/// The process that has it, as far as it is known; none where nobody does.
pub(super) fn holder(run: &Path) -> Option<String> {
    let path = run.join(".lock");
    match File::open(&path).ok()?.try_lock_shared() {
        Err(TryLockError::WouldBlock) => fs::read_to_string(path).ok(),
        _ => None,
    }
}

/// How long a lock that somebody has is waited for. Some have it for a moment only: whoever asks for the [holder], and on Unix a
/// program that this process just starts on another thread, which has this process's files until it is itself.
const PATIENCE: Duration = Duration::from_secs(1);

fn lock_in_a_moment(file: &File) -> Result<(), TryLockError> {
    let begun = Instant::now();
    loop {
        // Asked before the try, so that one comes after the last pause, however long that was.
        let is_over = begun.elapsed() >= PATIENCE;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if !is_over => thread::sleep(PATIENCE / 100),
            result => return result,
        }
    }
}

/// Locks a run directory for this process, in the system's way: a process that died holds nothing.
///
/// `None` on file systems that know no locks; a warning says so.
pub(super) fn lock(run: &Path) -> Result<Option<Arc<File>>, TrainingError> {
    let path = run.join(".lock");
    if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
        return Err(TrainingError::Link { path });
    }
    let open = |path: &Path| {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
    };
    let mut file = open(&path).map_err(TrainingError::io("open", &path))?;
    match lock_in_a_moment(&file) {
        Ok(()) => {
            // For the message of whoever comes second; nothing is lost where it cannot be written.
            let _ = file
                .set_len(0)
                .and_then(|()| write!(file, "process {}", std::process::id()));
            Ok(Some(Arc::new(file)))
        }
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            Err(TrainingError::RunLocked {
                path: run.to_owned(),
                holder: if holder.is_empty() {
                    "of unknown number".into()
                } else {
                    holder
                },
            })
        }
        Err(TryLockError::Error(error)) => {
            warn!("{}: cannot be locked against a second process: {error}", run.display());
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_for_a_moment_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let asked = File::create(&path).unwrap();
        asked.try_lock_shared().unwrap();
        let begun = Instant::now();
        let refused = lock_in_a_moment(&File::open(&path).unwrap());
        assert!(matches!(refused, Err(TryLockError::WouldBlock)));
        assert!(begun.elapsed() >= PATIENCE);
        thread::scope(|scope| {
            scope.spawn(move || {
                thread::sleep(PATIENCE / 5);
                drop(asked);
            });
            lock_in_a_moment(&File::open(&path).unwrap()).unwrap();
        });
    }
}
