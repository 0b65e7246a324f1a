//! The keys of experiment files, one after another, with what their documentation says.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use toml::Table;

use super::{
    backend_file::BackendFile,
    schema::{backend_file_schema, experiment_schema},
    sections::Experiment,
};

/// A key of experiment files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedKey {
    /// Dotted: `training.epochs`.
    pub key: String,
    /// The section it stands in: `training`, or empty at the top of the file.
    pub section: String,
    /// What kind of value it takes: `whole number`, `number`, `text`, `true or false`, `one of`, `list of whole numbers`.
    pub kind: &'static str,
    /// The value where it is not given, as TOML writes it; `None` where there is none.
    pub default: Option<String>,
    /// Whether it has to be given.
    pub required: bool,
    /// What it means, its unit and its usual range.
    pub about: String,
    /// The words that it takes, each with its meaning, where it takes no others.
    pub choices: Vec<(String, String)>,
    /// The families of networks that have it; empty where all have. Where the default is not the same for
    /// all of them, there is one such key for each.
    pub families: Vec<String>,
}

/// A section of experiment files, with its keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedSection {
    /// Dotted: `optimizer.generator`, or empty for the top of the file.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// Its keys in the order of the file.
    pub keys: Vec<ExplainedKey>,
}

/// All sections of an experiment file, in its order.
#[must_use]
pub fn explained_sections() -> Vec<ExplainedSection> {
    let mut sections = Vec::new();
    read_section::<Experiment>(&mut sections, "", &experiment_schema());
    sections
}

/// All sections of a backend file, in its order.
#[must_use]
pub fn explained_backend_sections() -> Vec<ExplainedSection> {
    let mut sections = Vec::new();
    read_section::<BackendFile>(&mut sections, "", &backend_file_schema());
    sections
}

/// Reads a section and, behind it, those inside it.
fn read_section<T: DeserializeOwned>(sections: &mut Vec<ExplainedSection>, name: &str, schema: &Value) {
    let mut section = ExplainedSection {
        name: name.to_owned(),
        about: text(schema, "description"),
        keys: Vec::new(),
    };
    let mut inner = Vec::new();
    for variant in variants(schema) {
        let family = variant.family();
        for key in in_order::<T>(name, family.as_deref()) {
            let Some(property) = variant.schema.get("properties").and_then(|all| all.get(&key)) else {
                continue;
            };
            let dotted = [name, &key]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(".");
            if property.get("properties").is_some() || !variants_of_families(property).is_empty() {
                inner.push((dotted, property));
                continue;
            }
            let explained = explain(name, dotted, property, variant.schema, family.as_deref());
            add(&mut section.keys, explained);
        }
    }
    let families = variants(schema).len();
    for key in section.keys.iter_mut().filter(|key| key.families.len() == families) {
        key.families.clear();
    }
    if let Some(network) = family_key(name, schema) {
        section.keys.insert(0, network);
    }
    sections.push(section);
    for (name, schema) in inner {
        read_section::<T>(sections, &name, schema);
    }
}

/// A section as it is for one family of networks, or for all.
struct Variant<'a> {
    schema: &'a Value,
}

impl Variant<'_> {
    /// What `network` has to be for this variant.
    fn family(&self) -> Option<String> {
        let network = self.schema.pointer("/properties/network/const")?;
        network.as_str().map(str::to_owned)
    }
}

fn variants(schema: &Value) -> Vec<Variant<'_>> {
    let families = variants_of_families(schema);
    match families.is_empty() {
        true => vec![Variant { schema }],
        false => families.into_iter().map(|schema| Variant { schema }).collect(),
    }
}

/// The variants of a section that has another set of keys for each family.
fn variants_of_families(schema: &Value) -> Vec<&Value> {
    let variants = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    variants.filter(|variant| variant.get("properties").is_some()).collect()
}

/// The key that names the family, with all of them.
fn family_key(section: &str, schema: &Value) -> Option<ExplainedKey> {
    let families = variants_of_families(schema);
    let choices: Vec<(String, String)> = families
        .iter()
        .filter_map(|schema| Some((Variant { schema }.family()?, text(schema, "description"))))
        .collect();
    (!choices.is_empty()).then(|| ExplainedKey {
        key: format!("{section}.network"),
        section: section.to_owned(),
        kind: "one of",
        default: None,
        required: true,
        about: "The family of networks; it decides which other keys there are.".to_owned(),
        choices,
        families: Vec::new(),
    })
}

/// Adds a key, or its family to the same key of another one.
fn add(keys: &mut Vec<ExplainedKey>, key: ExplainedKey) {
    let same =
        |other: &&mut ExplainedKey| (&other.key, &other.default, &other.about) == (&key.key, &key.default, &key.about);
    match keys.iter_mut().find(same) {
        Some(other) => other.families.extend(key.families),
        None => {
            // The same key of another family, with another default, belongs beside it.
            let beside = keys.iter().rposition(|other| other.key == key.key);
            keys.insert(beside.map_or(keys.len(), |index| index + 1), key);
        }
    }
}

fn explain(section: &str, key: String, schema: &Value, of: &Value, family: Option<&str>) -> ExplainedKey {
    let name = key.rsplit('.').next().unwrap_or_default();
    let required = of.get("required").and_then(Value::as_array);
    let choices: Vec<(String, String)> = choices(schema);
    ExplainedKey {
        section: section.to_owned(),
        kind: match (choices.is_empty(), schema.get("type").and_then(Value::as_str)) {
            (false, _) => "one of",
            (_, Some("integer")) => "whole number",
            (_, Some("number")) => "number",
            (_, Some("boolean")) => "true or false",
            (_, Some("array")) if items(schema) == Some("string") => "list of texts",
            (_, Some("array")) => "list of whole numbers",
            _ => "text",
        },
        default: schema.get("default").map(as_toml),
        required: required.is_some_and(|required| required.iter().any(|key| key == name)),
        about: text(schema, "description"),
        choices,
        families: family.map(str::to_owned).into_iter().collect(),
        key,
    }
}

/// The type of a list's items.
fn items(schema: &Value) -> Option<&str> {
    schema.get("items")?.get("type")?.as_str()
}

/// The words of a key that takes no others.
fn choices(schema: &Value) -> Vec<(String, String)> {
    let described = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    described
        .filter_map(|choice| Some((choice.get("const")?.as_str()?.to_owned(), text(choice, "description"))))
        .collect()
}

fn text(schema: &Value, key: &str) -> String {
    schema.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A default as TOML writes it. Lists and texts are written alike in both.
fn as_toml(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            // As 0.0002 and 1e-8.
            Some(float) if number.is_f64() => format!("{float:?}"),
            _ => number.to_string(),
        },
        Value::Array(values) => format!("[{}]", values.iter().map(as_toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The keys of a section in the order of its type, which a JSON schema does not have: serde lists them where one is unknown.
fn in_order<T: DeserializeOwned>(section: &str, family: Option<&str>) -> Vec<String> {
    let mut table = Table::from_iter([("?".to_owned(), true.into())]);
    if let Some(family) = family {
        table.insert("network".to_owned(), family.into());
    }
    for part in section.rsplit('.').filter(|part| !part.is_empty()) {
        table = Table::from_iter([(part.to_owned(), table.into())]);
    }
    let message = match T::deserialize(toml::Value::Table(table)) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let line = message.lines().next().unwrap_or_default();
    line.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_schema_is_explained_in_the_order_of_its_type() {
        fn check<T: DeserializeOwned>(name: &str, schema: &Value) {
            for variant in variants(schema) {
                let properties = variant.schema.get("properties").and_then(Value::as_object).unwrap();
                let mut order = in_order::<T>(name, variant.family().as_deref());
                let mut keys: Vec<&String> = properties.keys().filter(|key| *key != "network").collect();
                for key in &keys {
                    let inner = &properties[*key];
                    if inner.get("properties").is_some() || !variants_of_families(inner).is_empty() {
                        let dotted = format!("{name}.{key}");
                        check::<T>(dotted.trim_start_matches('.'), inner);
                    }
                }
                order.sort();
                keys.sort();
                assert_eq!(order.iter().collect::<Vec<_>>(), keys, "[{name}]");
            }
        }
        check::<Experiment>("", &experiment_schema());
        check::<BackendFile>("", &backend_file_schema());
    }

    #[test]
    fn every_key_says_something_and_has_a_default_or_none_on_purpose() {
        let sections = explained_sections();
        let names: Vec<&str> = sections.iter().map(|section| &*section.name).collect();
        assert_eq!(names[..4], ["", "backend", "data", "model"]);
        assert!(names.contains(&"checkpoint.best"), "{names:?}");
        let keys: Vec<&ExplainedKey> = sections.iter().flat_map(|section| &section.keys).collect();
        for key in &keys {
            assert!(key.about.ends_with('.') && key.about.len() > 15, "{key:?}");
            assert!(key.choices.iter().all(|(_, about)| about.ends_with('.')), "{key:?}");
            let is_number = ["whole number", "number"].contains(&key.kind);
            let ranged = ["usually", "Any whole number"]
                .iter()
                .any(|word| key.about.contains(word));
            assert!(!is_number || ranged, "{} says no usual range: {}", key.key, key.about);
        }
        let without: Vec<&str> = keys
            .iter()
            .filter(|key| key.default.is_none())
            .map(|key| &*key.key)
            .collect();
        let on_purpose = [
            "data.path",
            "data.count",
            "data.image_size",
            "data.channels",
            "model.network",
            "schedule.beta2",
            "training.max_steps",
            "evaluation.evaluator",
            "checkpoint.best.metric",
            "checkpoint.best.goal",
        ];
        assert_eq!(without, on_purpose);
        let of_networks = keys.iter().find(|key| key.key == "model.base_channels").unwrap();
        assert_eq!(
            (&of_networks.families[..], of_networks.default.as_deref()),
            (&["dcgan".to_owned()][..], Some("64"))
        );
    }
}
