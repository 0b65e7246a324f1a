//! What is laid over an experiment file: a backend file, then `key=value` after `key=value`.

use ganvas_model::{NetworkSettings, ObjectiveSettings};
use toml::{Table, Value};

use super::{
    blame::{of_another_family, read_table},
    error::ConfigError,
    sections::{BackendSection, Experiment},
};

/// What the command line lays over an experiment file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Takes the place of `[backend]`.
    pub backend: Option<BackendSection>,
    /// `key=value` arguments in their order, keys dotted: `training.epochs=2`.
    pub set: Vec<String>,
}

/// The last of `key=value` arguments that sets `key`: the one that counts, and that a message should name.
pub fn last_set<'a>(arguments: &'a [String], key: &str) -> Option<&'a str> {
    arguments
        .iter()
        .rev()
        .map(String::as_str)
        .find(|argument| argument.split('=').next().map(str::trim) == Some(key))
}

/// One `key=value`, laid over the file's table. The value is TOML (`2`, `1e-4`, `true`, `"mnist"`, `[64, 32]`); a bare word is a
/// string.
pub(super) fn set<N: NetworkSettings, O: ObjectiveSettings>(
    root: &mut Table,
    argument: &str,
) -> Result<Experiment<N, O>, ConfigError> {
    let fail = |message: String| ConfigError::in_override(argument, message);
    let (key, value) = argument
        .split_once('=')
        .ok_or_else(|| fail("expected key=value, such as training.epochs=2".into()))?;
    if value.contains('\n') {
        return Err(fail("expected a value on one line".into()));
    }
    let value = format!("value = {value}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(value.to_owned()));

    let mut parts = key.trim().split('.').peekable();
    let mut table = &mut *root;
    while let Some(part) = parts.next() {
        if part.is_empty() {
            return Err(fail("expected a dotted key, such as training.epochs".into()));
        }
        if parts.peek().is_none() {
            table.insert(part.to_owned(), value);
            break;
        }
        table = match table
            .entry(part.to_owned())
            .or_insert_with(|| Value::Table(Table::new()))
        {
            Value::Table(inner) => inner,
            other => return Err(fail(format!("`{part}` is a {}, no section", other.type_str()))),
        };
    }
    read_table(root).map_err(|message| {
        let message = of_another_family::<N>(root, &message).unwrap_or(message);
        ConfigError {
            is_override: true,
            ..ConfigError::from_serde(argument, None, &message)
        }
    })
}
