//! What a path of a person's stands for: a run, or a checkpoint in one.

use std::{
    fmt, fs,
    path::{Component, Path, PathBuf},
    str::FromStr,
};

use super::directory::RunDirectory;
use crate::{
    TrainingError,
    checkpoint::{is_checkpoint, step_folders, step_of},
};

/// Where a path points: every verb that takes a run or a checkpoint understands the same ones.
///
/// They are a run's folder, `checkpoints/step-…` in it, `checkpoints` itself, and `checkpoints/latest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLocation {
    /// The run's folder; none for a checkpoint that lies outside of a run.
    pub run: Option<PathBuf>,
    /// The checkpoint, where the path names one.
    pub checkpoint: Option<PathBuf>,
}

impl RunLocation {
    /// Looks at what a path points to.
    ///
    /// # Errors
    /// [`TrainingError::NotARun`] where it is neither a run nor a checkpoint.
    pub fn find(path: &Path) -> Result<Self, TrainingError> {
        let refuse = |reason: &str| TrainingError::NotARun {
            path: path.to_owned(),
            reason: format!("{reason}; expected a run's folder, or a checkpoint in it"),
        };
        let Ok(found) = fs::metadata(path) else {
            return Err(refuse("no such folder"));
        };
        if is_checkpoint(path) {
            return Ok(Self {
                run: run_of_checkpoint(path),
                checkpoint: Some(path.to_owned()),
            });
        }
        if is_run(path) {
            return Ok(Self {
                run: Some(path.to_owned()),
                checkpoint: None,
            });
        }
        let above = parent(path).filter(|above| is_run(above));
        match (above, path.file_name().is_some_and(|name| name == "checkpoints")) {
            (Some(run), true) => Ok(Self {
                run: Some(run),
                checkpoint: None,
            }),
            _ if is_latest(path) => Self::latest(path).ok_or_else(|| refuse("names no checkpoint that is there")),
            _ if found.is_file() => Err(refuse("is a file")),
            _ => Err(refuse("holds no run and is no checkpoint")),
        }
    }

    /// The step of the checkpoint, where the path names one that has a step's name.
    pub fn step(&self) -> Option<u64> {
        step_of(self.checkpoint.as_deref()?)
    }

    /// The checkpoint that the pointer `latest` names.
    fn latest(pointer: &Path) -> Option<Self> {
        let name = fs::read_to_string(pointer).ok()?;
        let checkpoint = parent(pointer)?.join(name.trim());
        is_checkpoint(&checkpoint).then(|| Self {
            run: run_of_checkpoint(&checkpoint),
            checkpoint: Some(checkpoint),
        })
    }
}

fn is_latest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "latest") && path.is_file()
}

/// Whether a folder is a run: one that has checkpoints or sessions, or the configuration that a run begins with.
pub(crate) fn is_run(path: &Path) -> bool {
    if is_checkpoint(path) {
        return false;
    }
    let run = RunDirectory::at(path);
    let has_checkpoints = || {
        let folders = step_folders(&run).unwrap_or_default();
        folders.iter().any(|(_, folder)| is_checkpoint(folder))
    };
    let has_configuration = || {
        let text = fs::read_to_string(run.config_path()).unwrap_or_default();
        text.starts_with(RunDirectory::CONFIG_HEADER)
    };
    run.sessions_path().is_file() || has_configuration() || has_checkpoints()
}

/// The run whose `checkpoints/` a checkpoint lies in.
fn run_of_checkpoint(checkpoint: &Path) -> Option<PathBuf> {
    let checkpoints = parent(checkpoint)?;
    let is_theirs = checkpoints.file_name().is_some_and(|name| name == "checkpoints");
    let run = if is_theirs { parent(&checkpoints)? } else { return None };
    is_run(&run).then_some(run)
}

/// The folder above, also of `.` and of a bare name.
fn parent(path: &Path) -> Option<PathBuf> {
    let plain = path
        .components()
        .next_back()
        .is_some_and(|last| matches!(last, Component::Normal(_)));
    match path.parent() {
        Some(above) if plain && !above.as_os_str().is_empty() => Some(above.to_owned()),
        _ => Some(fs::canonicalize(path).ok()?.parent()?.to_owned()),
    }
}

/// Which checkpoint of a run is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointChoice {
    /// The newest.
    Latest,
    /// The best by the run's `[checkpoint.best]`.
    Best,
    /// The one after so many steps.
    Step(u64),
}

impl FromStr for CheckpointChoice {
    type Err = String;

    /// `latest`, `best`, or a step: `500`, `step-000500`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "latest" => Ok(Self::Latest),
            "best" => Ok(Self::Best),
            _ => {
                let step = text.strip_prefix("step-").unwrap_or(text).parse().map(Self::Step);
                step.map_err(|_| "expected `latest`, `best`, or a step such as 500".to_owned())
            }
        }
    }
}

impl fmt::Display for CheckpointChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => formatter.write_str("latest"),
            Self::Best => formatter.write_str("best"),
            Self::Step(step) => write!(formatter, "{step}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_checkpoint_is_read_back() {
        for choice in [
            CheckpointChoice::Latest,
            CheckpointChoice::Best,
            CheckpointChoice::Step(500),
        ] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert_eq!("step-000500".parse(), Ok(CheckpointChoice::Step(500)));
        for wrong in ["newest", "-1", "", "step-", "5e2"] {
            assert!(wrong.parse::<CheckpointChoice>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_to_runs_and_checkpoints_are_told_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let checkpoint = run.join("checkpoints/step-000010");
        fs::create_dir_all(&checkpoint).unwrap();
        fs::create_dir(run.join("samples")).unwrap();
        let reason = |path: &Path| RunLocation::find(path).unwrap_err().to_string();
        assert!(reason(&run).contains("holds no run"));
        fs::write(run.join("config.toml"), "seed = 3\n").unwrap();
        assert!(reason(&run).contains("holds no run"), "any folder with a config.toml");

        fs::write(checkpoint.join("state.json"), "{}").unwrap();
        fs::write(run.join("checkpoints/latest"), "step-000010\n").unwrap();
        let of_run = RunLocation {
            run: Some(run.clone()),
            checkpoint: None,
        };
        let of_checkpoint = RunLocation {
            run: Some(run.clone()),
            checkpoint: Some(checkpoint.clone()),
        };
        assert_eq!(RunLocation::find(&run).unwrap(), of_run);
        assert_eq!(RunLocation::find(&run.join("checkpoints")).unwrap(), of_run);
        assert_eq!(RunLocation::find(&checkpoint).unwrap(), of_checkpoint);
        assert_eq!(
            RunLocation::find(&run.join("checkpoints/latest")).unwrap(),
            of_checkpoint
        );
        assert!(reason(&run.join("samples")).contains("holds no run"));
        assert!(reason(&run.join("config.toml")).contains("is a file"));
        assert!(reason(&run.join("nothing")).contains("no such folder"));

        let copy = folder.path().join("copy");
        fs::create_dir(&copy).unwrap();
        fs::write(copy.join("state.json"), "{}").unwrap();
        assert_eq!(
            RunLocation::find(&copy).unwrap(),
            RunLocation {
                run: None,
                checkpoint: Some(copy)
            }
        );
    }
}
