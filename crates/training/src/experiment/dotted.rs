//! Dotted keys, in tables and in `key=value` arguments.

use serde::Serialize;
use toml::{Table, Value};

use super::error::ConfigError;

/// A configuration as a table.
///
/// # Errors
/// [`ConfigError`] where a number cannot be written.
pub(crate) fn table_of(section: &impl Serialize) -> Result<Table, ConfigError> {
    Table::try_from(section).map_err(|error| ConfigError::new("configuration", None, error.to_string()))
}

/// The values of a table, as TOML writes them, by their dotted keys, in alphabetical order.
pub(crate) fn dotted_keys(table: &Table) -> Vec<(String, String)> {
    let mut keys = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(section) => {
                let inner = dotted_keys(section).into_iter();
                keys.extend(inner.map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
            value => keys.push((key.clone(), value.to_string())),
        }
    }
    keys.sort();
    keys
}

/// The section that a dotted key is in.
pub(super) fn section_of<'a>(table: &'a Table, key: &str) -> Option<&'a Table> {
    match key.rsplit_once('.') {
        None => Some(table),
        Some((section, _)) => section
            .split('.')
            .try_fold(table, |table, part| table.get(part)?.as_table()),
    }
}

/// Takes the sections of a dotted key out of a table where nothing is left in them: they came with the key.
pub(super) fn prune(table: &mut Table, key: &str) {
    let Some((section, rest)) = key.split_once('.') else {
        return;
    };
    if let Some(Value::Table(inner)) = table.get_mut(section) {
        prune(inner, rest);
        if inner.is_empty() {
            table.remove(section);
        }
    }
}

/// Takes a dotted key out of a table.
pub(super) fn remove(table: &mut Table, key: &str) {
    match key.split_once('.') {
        None => drop(table.remove(key)),
        Some((section, rest)) => {
            if let Some(Value::Table(inner)) = table.get_mut(section) {
                remove(inner, rest);
            }
        }
    }
}

/// The last of `key=value` arguments that sets `key`: the one that counts, and that a message should name.
pub fn last_set<'a>(arguments: &'a [String], key: &str) -> Option<&'a str> {
    arguments.iter().rev().map(String::as_str).find(|argument| {
        let set = argument.split('=').next().unwrap_or_default().trim();
        // A section can be set as a whole: `model={network="mlp"}`.
        set == key || key.strip_prefix(set).is_some_and(|rest| rest.starts_with('.'))
    })
}
