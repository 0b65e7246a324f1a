//! Which key is to blame for an experiment that cannot be read.

use ganvas_model::{NetworkSettings, ObjectiveSettings};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{error::ConfigError, sections::Experiment};

/// Reads an experiment out of a table; or what is wrong with it, in serde's words.
pub(super) fn read_table<N: NetworkSettings, O: ObjectiveSettings>(table: &Table) -> Result<Experiment<N, O>, String> {
    Experiment::deserialize(Value::Table(table.clone())).map_err(|error| {
        // toml adds a line `in section` that says what the key already says.
        let message = error.to_string();
        message.lines().next().unwrap_or_default().to_owned()
    })
}

/// The key without which a wrong experiment is right, or at least wrong in another way.
pub(super) fn culprit<N: NetworkSettings, O: ObjectiveSettings>(table: &Table) -> Option<String> {
    let message = read_table::<N, O>(table).err()?;
    let without = |key: &String| {
        let mut table = table.clone();
        remove(&mut table, key);
        read_table::<N, O>(&table).err()
    };
    let outcomes: Vec<(String, Option<String>)> = dotted_keys(table)
        .into_iter()
        .map(|(key, _)| {
            let outcome = without(&key);
            (key, outcome)
        })
        .collect();
    let find = |is_it: &dyn Fn(&Option<String>) -> bool| {
        let found = outcomes.iter().find(|(_, outcome)| is_it(outcome));
        found.map(|(key, _)| key.clone())
    };
    find(&|outcome| outcome.is_none())
        .or_else(|| {
            find(&|outcome| matches!(outcome, Some(other) if *other != message && !other.starts_with("missing")))
        })
        .or_else(|| find(&|outcome| matches!(outcome, Some(other) if *other != message)))
}

fn remove(table: &mut Table, key: &str) {
    match key.split_once('.') {
        None => drop(table.remove(key)),
        Some((section, rest)) => {
            if let Some(Value::Table(inner)) = table.get_mut(section) {
                remove(inner, rest);
            }
        }
    }
}

/// What to say where a key of `[model]` belongs to another family of networks.
pub(super) fn of_another_family<N: NetworkSettings>(table: &Table, message: &str) -> Option<String> {
    let key = message.strip_prefix("unknown field `")?.split('`').next()?;
    let model = table.get("model")?.as_table()?;
    let family = model.get("network")?.as_str()?;
    let value = model.get(key)?.clone();
    let knows = |other: &&&str| {
        let section = Table::from_iter([
            ("network".to_owned(), Value::String(other.to_string())),
            (key.to_owned(), value.clone()),
        ]);
        let outcome = N::deserialize(Value::Table(section));
        outcome.map_or_else(|error| !error.to_string().contains("unknown field"), |_| true)
    };
    let others: Vec<String> = N::FAMILIES
        .iter()
        .filter(knows)
        .map(|other| format!("\"{other}\""))
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "`model.{key}` has no meaning for network = \"{family}\", only for {}",
            others.join(" and ")
        )
    })
}

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
