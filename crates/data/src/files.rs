//! Files that are either whole or not there.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::DataError;
use crate::disk::{self, Output};

/// Writes a file so that whoever looks at `path`, even after a power cut, finds the old content or
/// all of the new.
///
/// The content goes to a temporary file beside `path`, which is flushed, synchronized with the disk
/// and then renamed over `path`; last the folder is synchronized, where the system can do that.
/// Missing parent folders are made. If anything fails the temporary file is removed and what stood
/// at `path` stays.
///
/// # Errors
///
/// [`DataError::Io`] naming the path and the system's reason; an error from `write` is reported the
/// same way.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<Output>) -> io::Result<()>,
) -> Result<(), DataError> {
    let folder = parent(path);
    disk::create_folders(folder).map_err(|source| DataError::io("create the folder", folder, source))?;
    let mut file = PendingFile::create(path)?;
    write(&mut file.writer).map_err(|source| DataError::io("write", path, source))?;
    file.commit()
}

/// A file that is being written beside its place, for as long as it takes, and gets its name when it is whole. Dropped before
/// that it leaves nothing behind.
#[derive(Debug)]
pub struct PendingFile {
    writer: BufWriter<Output>,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl PendingFile {
    /// Begins a file in a folder that is there.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] where nothing can be written beside `path`.
    pub fn create(path: &Path) -> Result<Self, DataError> {
        let temporary = temporary_beside(path)?;
        match Output::create(&temporary) {
            Ok(file) => Ok(Self {
                writer: BufWriter::new(file),
                temporary,
                path: path.to_owned(),
                committed: false,
            }),
            Err(source) => {
                // A full disk may give a name and no content.
                let _ = fs::remove_file(&temporary);
                Err(DataError::io("write", path, source))
            }
        }
    }

    /// Where the content is until it is whole.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Gives the content its name without waiting for the disk: for one of many files, after a power cut of which all are made again.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn commit_without_sync(mut self) -> Result<(), DataError> {
        let written = self
            .writer
            .flush()
            .and_then(|()| disk::rename(&self.temporary, &self.path));
        written.map_err(|source| DataError::io("write", &self.path, source))?;
        self.committed = true;
        Ok(())
    }

    /// Brings the content to the disk and gives it its name.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`]; then what stood at the path still does.
    pub fn commit(mut self) -> Result<(), DataError> {
        let written = self
            .writer
            .flush()
            .and_then(|()| self.writer.get_ref().sync())
            .and_then(|()| disk::rename(&self.temporary, &self.path));
        written.map_err(|source| DataError::io("write", &self.path, source))?;
        self.committed = true;
        let folder = parent(&self.path);
        disk::sync_folder(folder).map_err(|source| DataError::io("synchronize the folder", folder, source))
    }
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if !self.committed {
            // The error at hand says what went wrong; a second one about the leftover would hide it.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The folder that holds `path`; the current one where `path` is a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name beside `path` that no other writer uses: it holds the process's number and a count within
/// the process.
fn temporary_beside(path: &Path) -> Result<PathBuf, DataError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(file_name) = path.file_name() else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name");
        return Err(DataError::io("write", path, source));
    };
    let mut name = OsString::from(".");
    name.push(file_name);
    name.push(format!(
        ".{}-{}.tmp",
        process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    ));
    Ok(parent(path).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect()
    }

    #[test]
    fn parents_are_made_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file.txt");
        write_atomically(&path, |out| out.write_all(b"one")).unwrap();
        write_atomically(&path, |out| out.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names_in(&folder.path().join("a/b")), ["file.txt"]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.txt");
        write_atomically(&path, |out| out.write_all(b"old")).unwrap();
        let error = write_atomically(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("the disk is on strike"))
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("file.txt") && error.contains("on strike"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), ["file.txt"]);
    }

    #[test]
    fn impossible_places_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = write_atomically(&file.join("below"), |_| Ok(()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("file"), "{error}");
        assert!(write_atomically(Path::new("/"), |_| Ok(())).is_err());
    }
}
