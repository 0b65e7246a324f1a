//! The file operations that write, in one place, so that tests can make each of them fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is being written.
#[derive(Debug)]
pub struct Output {
    file: File,
    path: PathBuf,
}

impl Output {
    /// Creates a file, or empties the one that is there.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn create(path: &Path) -> io::Result<Self> {
        permit(path)?;
        Ok(Self {
            file: File::create(path)?,
            path: path.to_owned(),
        })
    }

    /// Opens a file that is there, to write at its end.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn append(path: &Path) -> io::Result<Self> {
        permit(path)?;
        Ok(Self {
            file: OpenOptions::new().append(true).open(path)?,
            path: path.to_owned(),
        })
    }

    /// The same open file once more.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            file: self.file.try_clone()?,
            path: self.path.clone(),
        })
    }

    /// Waits until everything that was written is on the disk.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn sync(&self) -> io::Result<()> {
        permit(&self.path)?;
        self.file.sync_all()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(full) = permit(&self.path) {
            // A disk fills in the middle of a write.
            let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
            self.file.write_all(half)?;
            return Err(full);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Makes a folder and those above it.
///
/// # Errors
///
/// The system's.
pub fn create_folders(path: &Path) -> io::Result<()> {
    permit(path)?;
    fs::create_dir_all(path)
}

/// Gives a file or folder another name.
///
/// # Errors
///
/// The system's.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    permit(to)?;
    fs::rename(from, to)
}

/// Makes renames in a folder last through a power cut.
///
/// # Errors
///
/// The system's, but for file systems that cannot synchronize folders.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    permit(folder)?;
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network and FUSE file systems cannot synchronize folders; the file itself is safe
        // there.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

/// Windows has no way to open a folder for this, and its file systems keep a journal of renames.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

use faults::permit;

/// A disk that is full from some operation on, for tests. It is there in every build: a cargo feature for it would have everything that
/// writes compiled once more for the tests, to save a look at a flag before each operation.
#[doc(hidden)]
pub mod faults {
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, PoisonError};

    /// Whether there has been any.
    static EVER: AtomicBool = AtomicBool::new(false);

    static FULL: Mutex<Vec<Disk>> = Mutex::new(Vec::new());

    struct Disk {
        below: PathBuf,
        left: u64,
        asked: u64,
    }

    fn disks<T>(action: impl FnOnce(&mut Vec<Disk>) -> T) -> T {
        action(&mut FULL.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// As long as it lives, a folder lies on a disk that fills up.
    #[derive(Debug)]
    pub struct FullDisk(PathBuf);

    impl FullDisk {
        /// After so many writing operations below `folder`, every further one fails.
        pub fn after(operations: u64, folder: &Path) -> Self {
            EVER.store(true, Ordering::Relaxed);
            disks(|disks| {
                disks.push(Disk {
                    below: folder.to_owned(),
                    left: operations,
                    asked: 0,
                });
            });
            Self(folder.to_owned())
        }

        /// Operations asked for so far, those that failed included.
        pub fn operations(&self) -> u64 {
            disks(|disks| {
                disks
                    .iter()
                    .find(|disk| disk.below == self.0)
                    .map_or(0, |disk| disk.asked)
            })
        }
    }

    impl Drop for FullDisk {
        fn drop(&mut self) {
            disks(|disks| disks.retain(|disk| disk.below != self.0));
        }
    }

    pub(super) fn permit(path: &Path) -> io::Result<()> {
        if !EVER.load(Ordering::Relaxed) {
            return Ok(());
        }
        disks(|disks| {
            let Some(disk) = disks.iter_mut().find(|disk| path.starts_with(&disk.below)) else {
                return Ok(());
            };
            disk.asked += 1;
            match disk.left.checked_sub(1) {
                Some(left) => {
                    disk.left = left;
                    Ok(())
                }
                None => Err(io::ErrorKind::StorageFull.into()),
            }
        })
    }
}
