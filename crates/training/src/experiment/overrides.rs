//! What is laid over an experiment file: a backend file, then `key=value` after `key=value`.

use ganvas_model::{NetworkSettings, ObjectiveSettings};
use toml::{Table, Value};

use super::{
    blame::read_table,
    dotted::{dotted_keys, remove},
    error::ConfigError,
    sections::BackendSection,
};

/// What the command line lays over an experiment file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Takes the place of `[backend]`.
    pub backend: Option<BackendSection>,
    /// `key=value` arguments in their order, keys dotted: `training.epochs=2`.
    pub set: Vec<String>,
}

/// One `key=value`, laid over the file's table. The value is TOML (`2`, `1e-4`, `true`, `"mnist"`, `[64, 32]`); a bare word is a
/// string, and no value at all takes the key out, so that its default holds.
pub(super) fn lay_over<N: NetworkSettings, O: ObjectiveSettings>(
    root: &mut Table,
    argument: &str,
) -> Result<(), ConfigError> {
    let fail = |message: String| ConfigError::in_override(argument, message);
    let (key, value) = argument
        .split_once('=')
        .ok_or_else(|| fail("expected key=value, such as training.epochs=2".into()))?;
    let (key, value) = (key.trim(), value.trim());
    if value.contains('\n') {
        return Err(fail("expected a value on one line".into()));
    }
    if key.split('.').any(str::is_empty) {
        return Err(fail("expected a dotted key, such as training.epochs".into()));
    }
    if value.is_empty() {
        check_known::<N, O>(root, key).map_err(|(message, suggestion)| ConfigError {
            suggestion,
            ..fail(message)
        })?;
        remove(root, key);
        return Ok(());
    }
    let value = format!("value = {value}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(value.to_owned()));
    insert(root, key, value).map_err(fail)
}

/// Puts a value under a dotted key; sections that are missing are made.
fn insert(root: &mut Table, key: &str, value: Value) -> Result<(), String> {
    let Some((section, rest)) = key.split_once('.') else {
        root.insert(key.to_owned(), value);
        return Ok(());
    };
    let inner = root
        .entry(section.to_owned())
        .or_insert_with(|| Value::Table(Table::new()));
    match inner {
        Value::Table(inner) => insert(inner, rest, value),
        other => Err(format!("`{section}` is {}, no section", kind_of(other))),
    }
}

/// What a value is, in words.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        _ => "a value",
    }
}

/// Checks that a key exists that is to be taken out: a slip of the fingers would go unnoticed.
fn check_known<N: NetworkSettings, O: ObjectiveSettings>(
    root: &Table,
    key: &str,
) -> Result<(), (String, Option<String>)> {
    let has = |table: &Table| {
        let keys = dotted_keys(table);
        keys.iter()
            .any(|(known, _)| known == key || known.starts_with(&format!("{key}.")))
    };
    if has(root) {
        return Ok(());
    }
    // Neither in the file: no value is right for every key, and this one is wrong for each in its own way.
    let mut probe = root.clone();
    insert(&mut probe, key, Value::Array(vec![Value::Array(Vec::new())])).map_err(|message| (message, None))?;
    match read_table::<N, O>(&probe) {
        Err(fault) if fault.is_of_an_unknown_key() => Err(fault.words(&probe, Some(key), &[format!("{key}=")])),
        _ => Ok(()),
    }
}
