//! Files that a person asks for, outside of run directories: refused before the work where they cannot be written.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, bail};
use ganvas_data::{DataError, PendingFile};

use crate::{ended::UsageError, interrupt};

/// Files that are not whole yet: nobody drops them where the process is ended at once.
static PENDING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Where output goes.
pub enum Destination {
    /// A file that gets its name when it is whole.
    File {
        /// Beside its place.
        file: Box<PendingFile>,
        /// What stands in [`PENDING`].
        temporary: PathBuf,
    },
    /// A device, a pipe or a terminal's reader, which takes what comes.
    Stream(File),
    /// Standard output.
    Stdout,
}

/// Whether a path is `-`, which means standard output.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether something is there that is written to and not replaced: a device or a pipe.
pub fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

impl Destination {
    /// Opens a place to write to, before the work whose result it takes. A file that is there is refused unless `force`.
    pub fn open(path: &Path, force: bool) -> anyhow::Result<Self> {
        if is_stdout(path) {
            if io::stdout().is_terminal() {
                bail!(UsageError(
                    "-: expected a pipe or a file as standard output, found a terminal".into()
                ));
            }
            return Ok(Self::Stdout);
        }
        let shown = path.display();
        if is_stream(path) {
            let file = OpenOptions::new().write(true).open(path);
            return Ok(Self::Stream(file.with_context(|| format!("cannot write {shown}"))?));
        }
        check_free(path, force)?;
        // A link stays a link: what it points to is written.
        let target = match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => link_target(path)?,
            _ => path.to_owned(),
        };
        interrupt::watch()?;
        // In one breath: whoever ends the process removes what is listed, and begins nothing new meanwhile.
        let mut pending = pending();
        let file = PendingFile::create(&target)?;
        let temporary = file.temporary().to_owned();
        pending.push(temporary.clone());
        drop(pending);
        Ok(Self::File {
            file: Box::new(file),
            temporary,
        })
    }

    /// As [`finish`](Self::finish), for one of many files: without waiting for the disk.
    pub fn finish_one_of_many(self) -> anyhow::Result<()> {
        match self {
            Self::File { file, temporary } => {
                give_name(&temporary, || file.commit_without_sync())?;
                Ok(())
            }
            other => other.finish(),
        }
    }

    /// Brings everything to its place.
    pub fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::File { file, temporary } => {
                give_name(&temporary, || file.commit())?;
            }
            Self::Stream(mut file) => file.flush()?,
            Self::Stdout => io::stdout().flush()?,
        }
        Ok(())
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File { file, .. } => file.write(bytes),
            Self::Stream(file) => file.write(bytes),
            Self::Stdout => io::stdout().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { file, .. } => file.flush(),
            Self::Stream(file) => file.flush(),
            Self::Stdout => io::stdout().flush(),
        }
    }
}

/// Refuses a place that cannot be a new file: something is there, or no folder is.
pub fn check_free(path: &Path, force: bool) -> Result<(), UsageError> {
    let shown = path.display();
    let refuse = |reason: String| Err(UsageError(format!("{shown}: {reason}")));
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return refuse("expected a file's name, found a folder".into()),
        Ok(_) if !force => return refuse("exists; `--force` replaces it".into()),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => refuse(format!("there is no folder {}; create it first", folder.display())),
        _ if path.file_name().is_none() => refuse("expected a file's name".into()),
        _ => Ok(()),
    }
}

/// Where a link leads in the end; the target need not be there.
fn link_target(link: &Path) -> anyhow::Result<PathBuf> {
    if let Ok(target) = fs::canonicalize(link) {
        return Ok(target);
    }
    let target = fs::read_link(link).with_context(|| format!("cannot read {}", link.display()))?;
    Ok(link.parent().unwrap_or(Path::new("")).join(target))
}

/// Refuses one place for two outputs, however it is spelt.
pub fn check_distinct(outputs: &[(&str, &Path)]) -> Result<(), UsageError> {
    for (number, (one, first)) in outputs.iter().enumerate() {
        for (two, second) in outputs.iter().skip(number + 1) {
            if place(first) == place(second) {
                return Err(UsageError(format!("{one} and {two} both name {}", first.display())));
            }
        }
    }
    Ok(())
}

/// A path by which two names of one file are equal.
fn place(path: &Path) -> PathBuf {
    if is_stdout(path) {
        return path.to_owned();
    }
    fs::canonicalize(path).unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).unwrap_or_default();
        folder.join(path.file_name().unwrap_or_default())
    })
}

fn pending() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings a file to its place; whoever ends the process meanwhile waits, and does not remove it under way.
fn give_name(temporary: &Path, commit: impl FnOnce() -> Result<(), DataError>) -> Result<(), DataError> {
    let mut pending = pending();
    commit()?;
    pending.retain(|known| known != temporary);
    Ok(())
}

/// Removes what is not whole, where the process is about to end without dropping anything; nothing can be begun from then on.
pub fn remove_pending() {
    let pending = pending();
    for path in pending.iter() {
        let _ = fs::remove_file(path);
    }
    std::mem::forget(pending);
}
