//! A file of `configs/backends/`, to be laid over any experiment.

use std::path::Path;

use serde::Deserialize;

use crate::{
    BackendSection, ConfigError,
    config_file::{in_file, read},
};

/// A file of `configs/backends/`: one backend, to be laid over any experiment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendFile {
    /// Takes the place of an experiment's `[backend]`.
    pub backend: BackendSection,
    /// How near this backend comes to the golden numbers; only the suite reads it.
    #[serde(default)]
    pub tests: Tolerances,
}

/// `[tests]` of a backend file: relative differences that the suite allows.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerances {
    /// Of outputs, losses, weights and running statistics.
    pub values: f64,
    /// Of gradients and of what Adam makes of them.
    pub gradients: f64,
}

impl Default for Tolerances {
    fn default() -> Self {
        Self {
            values: 1e-4,
            gradients: 1e-4,
        }
    }
}

/// Reads a backend file.
///
/// # Errors
/// [`ConfigError`] with file, line and the nearest right word.
pub fn load_backend_file(path: &Path) -> Result<BackendFile, ConfigError> {
    let text = read(path)?;
    toml::from_str(&text).map_err(|error| in_file(&text, &path.display().to_string(), &error))
}
