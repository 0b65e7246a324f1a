//! `sessions.jsonl`: one JSON object each time that somebody trained in a run directory.

use std::{fs, io::Write};

use ganvas_data::write_atomically;
use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use crate::TrainingError;

/// A key of the configuration that has another value than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Dotted: `training.epochs`.
    pub key: String,
    /// The value before, as TOML writes it.
    pub before: String,
    /// The value now.
    pub now: String,
}

/// One line of `sessions.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// When it began, local time with its distance from UTC.
    pub began: String,
    /// Steps that were done then.
    pub step: u64,
    /// The ganvas that trained.
    pub program_version: String,
    /// The backend that computed.
    pub backend: String,
    /// What was configured otherwise than in the checkpoint that it went on from.
    pub changes: Vec<Change>,
}

impl Session {
    /// Every session of a run, as far as its file can be read.
    ///
    /// # Errors
    /// [`TrainingError::Io`] where it is there and cannot be read.
    pub fn all_of(run: &RunDirectory) -> Result<Vec<Self>, TrainingError> {
        let path = run.sessions_path();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(TrainingError::io("read", &path)(error)),
        }
    }

    /// When a run was begun, where it is known.
    pub(crate) fn first_of(run: &RunDirectory) -> Option<jiff::Timestamp> {
        let text = fs::read_to_string(run.sessions_path()).ok()?;
        let first: Self = serde_json::from_str(text.lines().next()?).ok()?;
        first.began.parse().ok()
    }

    /// Appends the session that begins now.
    pub(crate) fn record(
        run: &RunDirectory,
        backend: &str,
        step: u64,
        changes: &[Change],
    ) -> Result<(), TrainingError> {
        let session = Self {
            began: jiff::ZonedDateTime::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            step,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            backend: backend.to_owned(),
            changes: changes.to_vec(),
        };
        let path = run.sessions_path();
        // A torn last line cannot be: the file is replaced as a whole.
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(TrainingError::io("read", &path)(error)),
        };
        serde_json::to_writer(&mut bytes, &session).map_err(|error| TrainingError::io("write", &path)(error.into()))?;
        bytes.push(b'\n');
        Ok(write_atomically(&path, |file| file.write_all(&bytes))?)
    }
}
