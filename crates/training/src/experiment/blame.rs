//! Which key is to blame for an experiment that cannot be read, and what to say of it.

use std::marker::PhantomData;

use ganvas_model::{NetworkSettings, ObjectiveSettings};
use serde::Deserialize;
use toml::{Table, Value};

use super::{
    dotted::{dotted_keys, last_set, prune, remove, section_of},
    error::{in_words, nearest},
    sections::Experiment,
};

/// Why a table is no experiment.
pub(super) struct Fault<N, O> {
    /// In serde's words.
    message: String,
    /// The dotted section that it is in, where that is known.
    pub(super) section: Option<String>,
    kind: PhantomData<fn() -> (N, O)>,
}

/// Reads an experiment out of a table.
pub(super) fn read_table<N: NetworkSettings, O: ObjectiveSettings>(
    table: &Table,
) -> Result<Experiment<N, O>, Fault<N, O>> {
    Experiment::deserialize(Value::Table(table.clone())).map_err(|error| {
        // toml names the section in a second line: "in `checkpoint.best`".
        let text = error.to_string();
        let mut lines = text.lines();
        let message = lines.next().unwrap_or_default().to_owned();
        let section = lines.find_map(|line| line.trim().strip_prefix("in `")?.strip_suffix('`').map(str::to_owned));
        Fault {
            message,
            section,
            kind: PhantomData,
        }
    })
}

impl<N: NetworkSettings, O: ObjectiveSettings> Fault<N, O> {
    /// The key without which a wrong experiment is right, or at least wrong in another way.
    pub(super) fn culprit(&self, table: &Table) -> Option<String> {
        let without = |key: &String| {
            let mut table = table.clone();
            remove(&mut table, key);
            prune(&mut table, key);
            read_table::<N, O>(&table).err().map(|fault| fault.message)
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
        let message = &self.message;
        let other = |outcome: &Option<String>| outcome.as_ref().is_some_and(|outcome| outcome != message);
        let is_missing = |outcome: &Option<String>| outcome.as_ref().is_some_and(|text| text.starts_with("missing"));
        find(&|outcome| outcome.is_none())
            .or_else(|| find(&|outcome| other(outcome) && !is_missing(outcome)))
            .or_else(|| find(&other))
    }

    /// What is wrong, for a person, and the nearest right word; `set` are the overrides.
    pub(super) fn words(&self, table: &Table, culprit: Option<&str>, set: &[String]) -> (String, Option<String>) {
        if let Some(name) = self.missing() {
            let key = match &self.section {
                Some(section) => format!("{section}.{name}"),
                None => name.to_owned(),
            };
            let families = || {
                N::FAMILIES
                    .iter()
                    .map(|family| format!("\"{family}\""))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let expected = match key.as_str() {
                "model" => ": expected a section [model] with `network`".to_owned(),
                "model.network" => format!(": expected one of {}", families()),
                _ => String::new(),
            };
            return (format!("`{key}` is missing{expected}"), None);
        }
        if let Some(message) = of_another_family::<N>(table, &self.message) {
            return (message, None);
        }
        let value = culprit.and_then(|key| {
            let (_, value) = dotted_keys(table).into_iter().find(|(known, _)| known == key)?;
            Some(value)
        });
        let message = in_words(&self.message, value.as_deref());
        let Some(found) = unknown(&self.message) else {
            return match culprit {
                Some(key) => (format!("`{key}`: {message}"), None),
                None => (message, None),
            };
        };
        // A word that the same text has already is not what was meant; who overrides means just such a one.
        let is_override = culprit.is_some_and(|key| last_set(set, key).is_some());
        let section = culprit.filter(|_| !is_override).and_then(|key| section_of(table, key));
        let is_set = |word: &str| section.is_some_and(|section| section.contains_key(word));
        let expected = self.message.split('`').skip(3).step_by(2);
        let suggestion = nearest(found, expected.filter(|word| !is_set(word)));
        (message, suggestion)
    }

    /// Whether it is a key that no experiment has.
    pub(super) fn is_of_an_unknown_key(&self) -> bool {
        self.message.starts_with("unknown field")
    }

    fn missing(&self) -> Option<&str> {
        self.message.strip_prefix("missing field `")?.strip_suffix('`')
    }
}

/// The key or value that serde does not know.
fn unknown(message: &str) -> Option<&str> {
    let rest = message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("unknown variant `"))?;
    rest.split('`').next()
}

/// What to say where a key of `[model]` belongs to another family of networks.
fn of_another_family<N: NetworkSettings>(table: &Table, message: &str) -> Option<String> {
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
