//! A file of `configs/backends/`, to be laid over any experiment.

use std::path::Path;

use serde::Deserialize;

use super::{
    error::ConfigError,
    file::{ConfigText, in_file},
    sections::BackendSection,
};

/// A file of `configs/backends/`: one backend, to be laid over any experiment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BackendFile {
    /// Takes the place of an experiment's `[backend]` as a whole.
    pub backend: BackendSection,
    /// How the suite tests this backend; only the suite and xtask read it.
    #[serde(default)]
    pub tests: SuiteSettings,
}

/// `[tests]` of a backend file.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SuiteSettings {
    /// True where `cargo xtask test-all-backends` takes the backend only when it is named: few machines have it.
    pub on_request: bool,
    /// The relative difference to the golden numbers that is allowed in outputs, losses, weights and running statistics, usually
    /// 1e-5 to 1e-3.
    pub values: f64,
    /// The one that is allowed in gradients and in what Adam makes of them, usually 1e-5 to 1e-3.
    pub gradients: f64,
}

impl Default for SuiteSettings {
    fn default() -> Self {
        Self {
            on_request: false,
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
    BackendFile::parse(&ConfigText::read(path)?)
}

impl BackendFile {
    /// Reads a backend file's text.
    ///
    /// # Errors
    /// As [`load_backend_file`].
    pub fn parse(file: &ConfigText) -> Result<Self, ConfigError> {
        toml::from_str(&file.text).map_err(|error| in_file(&file.text, &file.source, error.span(), error.message()))
    }
}
