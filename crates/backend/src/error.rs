//! Why a backend cannot be used.

use thiserror::Error;

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BackendError {
    /// No backend has this name.
    #[error("unknown backend `{found}`, expected one of {expected}")]
    UnknownKind {
        /// The name given.
        found: String,
        /// All names.
        expected: String,
    },
    /// The backend is known, but this program was built without it.
    #[error(
        "backend `{kind}` is not part of this program; build with it: `cargo run --release --features {kind} -- …`, or \
         use one of {compiled}"
    )]
    NotCompiled {
        /// The backend's name, which is also the cargo feature's.
        kind: &'static str,
        /// The backends that are there.
        compiled: String,
    },
    /// The backend is part of this program, but this machine lacks what it needs.
    #[error("backend `{kind}` cannot be used: {reason}")]
    Unusable {
        /// The backend's name.
        kind: &'static str,
        /// What it lacks, and how to get it where we know.
        reason: String,
    },
    /// The backend has no such device.
    #[error("backend `{kind}` has no device `{found}` here, expected one of {expected}")]
    UnknownDevice {
        /// The backend's name.
        kind: &'static str,
        /// The device given.
        found: String,
        /// What would do.
        expected: String,
    },
}
