//! Taking up a run that was begun.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use tracing::warn;

use super::{directory::RunDirectory, location::is_run, sessions::Session};
use crate::{Checkpoint, ConfigText, TrainingError};

impl RunDirectory {
    /// Takes up the folder of a run that was begun: `out`, or the newest of `runs/` with this name.
    ///
    /// # Errors
    /// [`TrainingError::NotARun`] where there is none, or `out` is something else.
    pub fn open(out: Option<&Path>, name: &str) -> Result<Self, TrainingError> {
        let path = match out {
            Some(out) => out.to_owned(),
            None => newest_run(Path::new("runs"), name)?,
        };
        let run = Self::at(path);
        if !is_run(run.path()) {
            return Err(TrainingError::NotARun {
                path: run.path().to_owned(),
                reason: "no run to resume: it has no checkpoints and no sessions".into(),
            });
        }
        // A link would have the run write, and remove, somewhere else.
        for path in [run.checkpoints_path(), run.path().join("samples")] {
            if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
                return Err(TrainingError::Link { path });
            }
        }
        let run = run.locked()?;
        run.remove_leftovers()?;
        Ok(run)
    }

    /// The configuration that the run goes on with: its `config.toml`, or that of its newest checkpoint where the file is missing or empty.
    ///
    /// # Errors
    /// [`TrainingError::Config`] where it cannot be read, [`TrainingError::NotARun`] where there is none at all.
    pub fn configuration(&self) -> Result<ConfigText, TrainingError> {
        let path = self.config_path();
        let state = match fs::read(&path) {
            Ok(bytes) if bytes.trim_ascii().is_empty() => "empty",
            Err(error) if error.kind() == ErrorKind::NotFound => "missing",
            _ => return Ok(ConfigText::read(&path)?),
        };
        match Checkpoint::newest_whole(self)? {
            Some((found, _)) => {
                let of = found.path().join("config.toml");
                warn!("{} is {state}; {} is taken instead", path.display(), of.display());
                Ok(ConfigText {
                    text: found.config_text().to_owned(),
                    source: of.display().to_string(),
                    name: String::new(),
                })
            }
            None => Err(TrainingError::NotARun {
                path: self.path().to_owned(),
                reason: "it has neither a config.toml nor a checkpoint".into(),
            }),
        }
    }
}

/// The run of this name that began last.
fn newest_run(runs: &Path, name: &str) -> Result<PathBuf, TrainingError> {
    // Names have local time, which is set back once a year and elsewhere is another.
    let mut found: Vec<(Option<jiff::Timestamp>, String, u32, PathBuf)> = fs::read_dir(runs)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let (date_time, number) = began(&entry.file_name().to_string_lossy(), name)?;
            let began = Session::first_of(&RunDirectory::at(entry.path()));
            Some((began, date_time, number, entry.path()))
        })
        .filter(|(.., path)| is_run(path))
        .collect();
    found.sort();
    found
        .pop()
        .map(|(.., path)| path)
        .ok_or_else(|| TrainingError::NotARun {
            path: runs.to_owned(),
            reason: format!("no run named `{name}` to resume"),
        })
}

/// The date and time in the name of a run's folder, and its place among the starts of that second.
fn began(folder: &str, name: &str) -> Option<(String, u32)> {
    let (date_time, rest) = folder.split_at_checked("2026-01-31-235959".len())?;
    let number = rest.strip_suffix(name)?.strip_suffix('-')?;
    match number.strip_prefix('.') {
        None => number.is_empty().then(|| (date_time.to_owned(), 1)),
        Some(number) => Some((date_time.to_owned(), number.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::directory::create_by_default, *};

    #[test]
    fn starts_in_one_second_get_folders_of_their_own_and_the_last_is_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let create = |name: &str| {
            let path = create_by_default(&runs, "2026-01-31-235959", name).unwrap();
            fs::write(path.join("sessions.jsonl"), "").unwrap();
            path
        };
        let made: Vec<PathBuf> = (0..12).map(|_| create("tiny")).collect();
        assert!(made[0].ends_with("2026-01-31-235959-tiny"));
        assert!(made[11].ends_with("2026-01-31-235959.12-tiny"));
        create("tiny-2");
        create("2-tiny");
        assert_eq!(newest_run(&runs, "tiny").unwrap(), made[11]);
        // A start that left nothing is no run.
        create_by_default(&runs, "2026-02-01-000000", "tiny").unwrap();
        assert_eq!(newest_run(&runs, "tiny").unwrap(), made[11]);
        assert!(newest_run(&runs, "tin").is_err());
    }
}
