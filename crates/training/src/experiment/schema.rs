//! JSON schemas of the files that people write, made of the sections' types and their documentation, for editors and for
//! [`explained_sections`](super::keys::explained_sections).

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::{backend_file::BackendFile, sections::Experiment};

/// The schema of experiment files, JSON Schema of 2020-12. Everything is in its place: there are no references.
#[must_use]
pub fn experiment_schema() -> Value {
    schema_of::<Experiment>("An experiment of ganvas")
}

/// The schema of the files of `configs/backends/`.
#[must_use]
pub fn backend_file_schema() -> Value {
    schema_of::<BackendFile>("A backend of ganvas, to be laid over an experiment")
}

fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    simplify(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), title.into());
    }
    schema
}

/// Takes out what means nothing to a TOML file: null, which it cannot say, Rust's sizes of numbers, and the defaults of whole
/// sections, which their keys have.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            without_null(object);
            object.remove("format");
            if object.contains_key("properties") {
                object.remove("default");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            object.values_mut().for_each(simplify);
        }
        Value::Array(values) => values.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// A key that can be left out is one that need not be there, not one that can be null.
fn without_null(object: &mut Map<String, Value>) {
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                // The key's own description says more than that of its type.
                object.entry(key).or_insert(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every part of a schema, with the name of its key.
    fn parts<'a>(name: &'a str, schema: &'a Value, visit: &mut dyn FnMut(&'a str, &'a Map<String, Value>)) {
        if let Value::Object(object) = schema {
            visit(name, object);
            for (key, value) in object {
                parts(key, value, visit);
            }
        } else if let Value::Array(values) = schema {
            values.iter().for_each(|value| parts(name, value, visit));
        }
    }

    #[test]
    fn nothing_of_rust_is_left_and_unknown_keys_are_refused() {
        for schema in [experiment_schema(), backend_file_schema()] {
            let mut sections = 0;
            parts("", &schema, &mut |name, part| {
                assert!(!part.contains_key("$ref") && !part.contains_key("format"), "{name}");
                assert!(part.get("type").is_none_or(Value::is_string), "{name}: {part:?}");
                if part.contains_key("properties") {
                    sections += 1;
                    let closed = part.get("additionalProperties") == Some(&Value::Bool(false));
                    assert!(closed || part.contains_key("oneOf"), "{name}: {part:?}");
                }
            });
            assert!(sections >= 3);
        }
    }
}
