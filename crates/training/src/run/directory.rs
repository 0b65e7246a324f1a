//! The folder that a run writes.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use ganvas_data::{disk, write_atomically};

use super::{
    lock::{holder, lock},
    timings::Timings,
};
use crate::{TrainingError, checkpoint::remove_folder};

/// The folder of one run: `config.toml`, `metrics.jsonl`, `samples/`, `checkpoints/`, `comparison.png`.
///
/// Made by [`create`](Self::create) or [`open`](Self::open) it is locked until the last clone is dropped or the process ends.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
    _lock: Option<Arc<File>>,
}

impl RunDirectory {
    /// The first line of every run's `config.toml`, by which a run is told from other folders that have such a file.
    pub(crate) const CONFIG_HEADER: &str = "# The whole configuration of this run";

    /// Makes the folder of a new run: `out`, or `runs/<date-time>-<name>/` below the current folder. [`train`](crate::train)
    /// writes into it.
    ///
    /// # Errors
    /// [`TrainingError::RunExists`] where it holds something, [`TrainingError::Io`] where it cannot be made.
    pub fn create(out: Option<&Path>, name: &str) -> Result<Self, TrainingError> {
        let path = match out {
            Some(out) => {
                Self::check_free(Some(out))?;
                disk::create_folders(out).map_err(TrainingError::io("create", out))?;
                out.to_owned()
            }
            None => {
                let now = jiff::ZonedDateTime::now().strftime("%Y-%m-%d-%H%M%S").to_string();
                create_by_default(Path::new("runs"), &now, name)?
            }
        };
        let run = Self {
            _lock: lock(&path)?,
            path,
        };
        // Between the look and the lock another start may have begun here.
        Self::check_free(Some(&run.path))?;
        if let Some(parent) = run.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            disk::sync_folder(parent).map_err(TrainingError::io("sync", parent))?;
        }
        Ok(run)
    }

    /// Checks whether [`create`](Self::create) would take this folder: it is empty but for leftovers, or not there.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn check_free(out: Option<&Path>) -> Result<(), TrainingError> {
        let Some(path) = out else { return Ok(()) };
        if path.is_file() {
            return Err(TrainingError::NotARun {
                path: path.to_owned(),
                reason: "is a file, and a run needs a folder of its own".into(),
            });
        }
        // What a start leaves that failed before its first file.
        let is_leftover = |name: &str| name == ".lock" || (name.starts_with('.') && name.ends_with(".tmp"));
        match fs::read_dir(path) {
            Ok(entries) => {
                let mut names = entries.flatten().map(|entry| entry.file_name());
                match names.find(|name| !name.to_str().is_some_and(is_leftover)) {
                    Some(_) => Err(TrainingError::RunExists { path: path.to_owned() }),
                    None => Ok(()),
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(TrainingError::io("read", path)(error)),
        }
    }

    /// Removes a folder that [`create`](Self::create) made and nothing was written into, after a start that was refused.
    pub fn discard_if_unused(self) {
        if Self::check_free(Some(&self.path)).is_ok() {
            // What stays is a leftover that the next start takes, so nothing depends on it.
            let _ = fs::remove_file(self.path.join(".lock")).and_then(|()| fs::remove_dir(&self.path));
        }
    }

    /// Locks a folder that was taken as it is.
    pub(super) fn locked(mut self) -> Result<Self, TrainingError> {
        self._lock = lock(&self.path)?;
        Ok(self)
    }

    /// Removes what a killed process had begun to write: names that begin with a point and end in `.tmp`, `.partial` or
    /// `.replaced`. A checkpoint that was about to be replaced, and was not, gets its name back.
    pub(super) fn remove_leftovers(&self) -> Result<(), TrainingError> {
        let checkpoints = self.checkpoints_path();
        for entry in fs::read_dir(&checkpoints).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(name) = name.strip_prefix('.') else { continue };
            if let Some(name) = name.strip_suffix(".replaced")
                && !checkpoints.join(name).exists()
            {
                disk::rename(&entry.path(), &checkpoints.join(name))
                    .map_err(TrainingError::io("rename", entry.path()))?;
            } else if name.ends_with(".replaced") || name.ends_with(".partial") {
                remove_folder(&entry.path())?;
            }
        }
        for folder in [self.path.clone(), self.path.join("samples"), checkpoints] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with('.') && name.ends_with(".tmp") {
                    fs::remove_file(entry.path()).map_err(TrainingError::io("remove", entry.path()))?;
                }
            }
        }
        Ok(())
    }

    /// Takes a folder as it is, to read from it.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            _lock: None,
        }
    }

    /// Writes the resolved configuration.
    ///
    /// # Errors
    /// [`TrainingError::Data`] where the file cannot be written.
    pub(crate) fn write_config(&self, config: &str) -> Result<(), TrainingError> {
        let header = Self::CONFIG_HEADER;
        let text = format!("{header}: trained again, it gives the same run.\n\n{config}");
        Ok(write_atomically(&self.config_path(), |file| {
            file.write_all(text.as_bytes())
        })?)
    }

    /// Writes where the time of the session went.
    pub(crate) fn write_timings(&self, timings: &Timings) -> Result<(), TrainingError> {
        let path = self.path.join("timings.json");
        let text =
            serde_json::to_string_pretty(timings).map_err(|error| TrainingError::io("write", &path)(error.into()))?;
        Ok(write_atomically(&path, |file| writeln!(file, "{text}"))?)
    }

    /// The process that trains here now, as far as it is known; none where nobody does.
    pub fn holder(&self) -> Option<String> {
        holder(&self.path)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.toml`
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// `metrics.jsonl`
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `sessions.jsonl`
    pub fn sessions_path(&self) -> PathBuf {
        self.path.join("sessions.jsonl")
    }

    /// `comparison.png`
    pub fn comparison_path(&self) -> PathBuf {
        self.path.join("comparison.png")
    }

    /// `samples/step-000500.png`
    pub fn sample_path(&self, step: u64) -> PathBuf {
        self.path.join("samples").join(format!("step-{step:06}.png"))
    }

    /// `checkpoints/step-000500`
    pub fn checkpoint_path(&self, step: u64) -> PathBuf {
        self.checkpoints_path().join(format!("step-{step:06}"))
    }

    /// `checkpoints/latest`
    pub fn latest_path(&self) -> PathBuf {
        self.checkpoints_path().join("latest")
    }

    /// `checkpoints`
    pub fn checkpoints_path(&self) -> PathBuf {
        self.path.join("checkpoints")
    }
}

/// Makes `runs/DATE-TIME-NAME`, or where several begin in one second `DATE-TIME.2-NAME` and so on.
pub(super) fn create_by_default(runs: &Path, now: &str, name: &str) -> Result<PathBuf, TrainingError> {
    disk::create_folders(runs).map_err(TrainingError::io("create", runs))?;
    let mut number = 1;
    loop {
        let path = match number {
            1 => runs.join(format!("{now}-{name}")),
            _ => runs.join(format!("{now}.{number}-{name}")),
        };
        // Only one of several starts makes a folder; `create_folders` would be content with another's.
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 10_000 => number += 1,
            Err(error) => return Err(TrainingError::io("create", &path)(error)),
        }
    }
}
