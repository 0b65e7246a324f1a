//! `sessions.jsonl`: one JSON object each time that somebody trained in a run directory.

use std::{collections::BTreeMap, fs, io::Write};

use ganvas_data::write_atomically;
use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use crate::{Basis, TrainingError};

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Who judged the images on the way.
    #[serde(default)]
    pub evaluators: Vec<Judged>,
}

/// Numbers of an evaluator, and what they are to be compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Their names.
    pub numbers: Vec<String>,
    /// What they depend on beside the generator.
    #[serde(flatten)]
    pub basis: Basis,
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

    /// What a number of this name depends on; nothing where no evaluator of the session reports it.
    pub fn basis(&self, number: &str) -> Option<&Basis> {
        let is_of = |judged: &&Judged| judged.numbers.iter().any(|known| known == number);
        self.evaluators.iter().find(is_of).map(|judged| &judged.basis)
    }

    /// The step after which numbers of this name compare with each other: 0, or where a session went on with another evaluator.
    pub(crate) fn comparable_since(sessions: &[Self], number: &str) -> u64 {
        // Those whose numbers are still there: a session that goes on from a step takes the place of all that came after it.
        let mut standing: Vec<(u64, Option<&str>)> = Vec::new();
        for session in sessions {
            standing.retain(|&(step, _)| step < session.step);
            let by = session.basis(number).map(|basis| basis.by.as_str());
            standing.push((session.step, by));
        }
        let mut since = 0;
        let mut before: Option<&str> = None;
        for (step, by) in standing {
            let Some(by) = by else { continue };
            if before.is_some_and(|before| before != by) {
                since = step;
            }
            before = Some(by);
        }
        since
    }

    /// The step of each number that does not compare from the first one on ([`comparable_since`](Self::comparable_since)).
    pub(crate) fn all_comparable_since(sessions: &[Self]) -> BTreeMap<String, u64> {
        let numbers = sessions.iter().flat_map(|session| &session.evaluators);
        numbers
            .flat_map(|judged| &judged.numbers)
            .map(|name| (name.clone(), Self::comparable_since(sessions, name)))
            .filter(|&(_, since)| since > 0)
            .collect()
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
        evaluators: Vec<Judged>,
    ) -> Result<(), TrainingError> {
        let session = Self {
            began: jiff::ZonedDateTime::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            step,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            backend: backend.to_owned(),
            changes: changes.to_vec(),
            evaluators,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn session(step: u64, numbers: &[&str], by: &str) -> Session {
        Session {
            began: String::new(),
            step,
            program_version: String::new(),
            backend: String::new(),
            changes: Vec::new(),
            evaluators: vec![Judged {
                numbers: numbers.iter().map(|&name| name.to_owned()).collect(),
                basis: Basis {
                    by: by.to_owned(),
                    ..Basis::default()
                },
            }],
        }
    }

    #[test]
    fn numbers_compare_since_the_last_session_with_another_evaluator() {
        let sessions = [
            session(0, &["fid", "kid"], "one"),
            session(10, &["fid"], "one"),
            session(20, &["kid"], "two"),
            session(30, &[], "two"),
            session(40, &["fid", "kid"], "two"),
            session(50, &["fid", "kid"], "two"),
        ];
        let since = |count: usize, name: &str| Session::comparable_since(&sessions[..count], name);
        assert_eq!([1, 2, 4, 5, 6].map(|count| since(count, "fid")), [0, 0, 0, 40, 40]);
        assert_eq!([1, 2, 3, 6].map(|count| since(count, "kid")), [0, 0, 20, 20]);
        assert_eq!(since(6, "loss/generator"), 0);
    }

    #[test]
    fn sessions_whose_steps_were_made_again_do_not_count() {
        let of = |sessions: &[(u64, &str)]| {
            let sessions: Vec<Session> = sessions.iter().map(|&(step, by)| session(step, &["fid"], by)).collect();
            Session::comparable_since(&sessions, "fid")
        };
        // By mistake, and without a number.
        assert_eq!(of(&[(0, "one"), (500, "two"), (500, "one")]), 0);
        // From an earlier step on.
        assert_eq!(of(&[(0, "one"), (50, "two"), (20, "two")]), 20);
        assert_eq!(of(&[(0, "one"), (50, "two"), (20, "one")]), 0);
        assert_eq!(of(&[(0, "one"), (50, "two"), (0, "two"), (70, "two")]), 0);
    }

    #[test]
    fn sessions_of_programs_that_knew_no_evaluators_can_be_read() {
        let line =
            r#"{"began":"2026-01-31T10:00:00+00:00","step":5,"program_version":"0.1.0","backend":"flex","changes":[]}"#;
        let session: Session = serde_json::from_str(line).unwrap();
        assert_eq!((session.step, session.basis("fid")), (5, None));
    }
}
