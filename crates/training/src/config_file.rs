//! Reading an experiment: the file, a backend file laid over it, then `--set` after `--set`.

use std::{fs, path::Path};

use serde::Deserialize;
use toml::{Table, Value};

use crate::{BackendSection, ConfigError, Experiment, nearest};

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

/// Reads an experiment file and lays the overrides over it.
///
/// # Errors
/// [`ConfigError`] with file, line and the nearest right word for unknown keys, wrong types and values out of range.
pub fn load_experiment(path: &Path, overrides: &Overrides) -> Result<Experiment, ConfigError> {
    let text = read(path)?;
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    parse_experiment(&text, &path.display().to_string(), &stem, overrides)
}

pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|error| {
        let mut error = ConfigError::new(path.display().to_string(), None, format!("cannot be read: {error}"));
        error.suggestion = sibling(path);
        error
    })
}

impl ConfigError {
    /// A mistake in the value of a dotted key, with the line of `file` that has it.
    pub fn at_key(file: &Path, key: &str, message: impl Into<String>) -> Self {
        // The file was read a moment ago; if it has gone since, the error is told without its line.
        let line = fs::read_to_string(file).ok().and_then(|text| line_of(&text, key));
        Self::new(file.display().to_string(), line, format!("`{key}`: {}", message.into()))
    }
}

/// The file beside `path` whose name is most like it.
fn sibling(path: &Path) -> Option<String> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    let name = nearest(&path.file_name()?.to_string_lossy(), names.iter().map(String::as_str))?;
    Some(folder.join(name).display().to_string())
}

pub(crate) fn in_file(text: &str, source: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map(|span| line_at(text, span.start));
    ConfigError::from_serde(source, line, error.message())
}

/// As [`load_experiment`], from text; `source` is what errors call it, `name` the run's name if the text has none.
///
/// # Errors
/// [`ConfigError`], as [`load_experiment`].
pub fn parse_experiment(
    text: &str,
    source: &str,
    name: &str,
    overrides: &Overrides,
) -> Result<Experiment, ConfigError> {
    let mut experiment: Experiment = toml::from_str(text).map_err(|error| in_file(text, source, &error))?;
    if experiment.name.is_empty() {
        experiment.name = name
            .chars()
            .map(|letter| {
                if letter.is_alphanumeric() || "-_.".contains(letter) {
                    letter
                } else {
                    '-'
                }
            })
            .collect::<String>()
            .trim_start_matches('.')
            .to_owned();
    }
    if let Some(backend) = &overrides.backend {
        experiment.backend = backend.clone();
    }
    let checked = experiment.check();
    if overrides.set.is_empty() {
        checked.map_err(|(key, message)| value_error(text, source, key, message))?;
    }

    for argument in &overrides.set {
        experiment = set(&experiment, argument)?;
    }
    // One `--set` may mend what another broke, so ranges are checked once, at the end.
    experiment
        .check()
        .map_err(|(key, message)| match last_set(&overrides.set, key) {
            Some(argument) => ConfigError::new(format!("--set {argument}"), None, format!("`{key}`: {message}")),
            None => value_error(text, source, key, message),
        })?;
    Ok(experiment.resolved())
}

/// One `--set key=value`. The value is TOML (`2`, `1e-4`, `true`, `"mnist"`, `[64, 32]`); a bare word is a string.
fn set(experiment: &Experiment, argument: &str) -> Result<Experiment, ConfigError> {
    let source = format!("--set {argument}");
    let fail = |message: String| ConfigError::new(source.clone(), None, message);
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

    let mut root = Table::try_from(experiment).map_err(|error| fail(error.to_string()))?;
    let mut parts = key.trim().split('.').peekable();
    let mut table = &mut root;
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
    Experiment::deserialize(Value::Table(root)).map_err(|error| {
        // toml adds a line `in section` that says what the key already says.
        let message = error.to_string();
        ConfigError::from_serde(source, None, message.lines().next().unwrap_or_default())
    })
}

fn value_error(text: &str, source: &str, key: &str, message: String) -> ConfigError {
    ConfigError::new(source, line_of(text, key), format!("`{key}`: {message}"))
}

/// The line on which a dotted key has its value.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        let value = table.iter().find(|(name, _)| name.get_ref() == part)?.1;
        if parts.peek().is_none() {
            return Some(line_at(text, value.span().start));
        }
        table = value.get_ref().as_table()?;
    }
    None
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "seed = 3\n[model]\nnetwork = \"dcgan\"\n\n[training]\nepochs = 2\n";

    fn parse(text: &str, set: &[&str]) -> Result<Experiment, String> {
        let overrides = Overrides {
            backend: None,
            set: set.iter().map(|argument| argument.to_string()).collect(),
        };
        parse_experiment(text, "a.toml", "a", &overrides).map_err(|error| error.to_string())
    }

    #[test]
    fn the_resolved_configuration_reads_back_as_itself() {
        let experiment = parse(
            TEXT,
            &["training.max_steps=7", "optimizer.generator.learning_rate=2e-4"],
        )
        .unwrap();
        assert_eq!(experiment.name, "a");
        assert_eq!(experiment.training.max_steps, Some(7));
        let again = parse(&experiment.to_toml().unwrap(), &[]).unwrap();
        assert_eq!(again, experiment);
    }

    #[test]
    fn a_wrong_key_is_told_with_its_line_and_the_right_one() {
        let error = parse("[model]\nnetwork = \"blog\"\n[training]\nepoch = 2\n", &[]).unwrap_err();
        assert!(error.starts_with("a.toml:4: unknown key `epoch`"), "{error}");
        assert!(error.ends_with("did you mean `epochs`?"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_told_with_its_line_and_the_right_one() {
        let error = parse("[model]\nnetwork = \"dcgna\"\n", &[]).unwrap_err();
        assert!(error.starts_with("a.toml:2: unknown value `dcgna`"), "{error}");
        assert!(error.ends_with("did you mean `dcgan`?"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_is_told_with_its_line() {
        let error = parse("[model]\nnetwork = \"blog\"\n[data]\nbatch_size = 0\n", &[]).unwrap_err();
        assert_eq!(error, "a.toml:4: `data.batch_size`: expected at least 1, found 0");
    }

    #[test]
    fn a_bad_set_is_blamed_itself() {
        for (argument, part) in [
            ("training.epoch=2", "did you mean `epochs`?"),
            ("training.update=simultanous", "did you mean `simultaneous`?"),
            ("training.epochs=two", "invalid type"),
            ("training.epochs", "expected key=value"),
            ("seed.x=1", "no section"),
            ("training.epochs=0", "expected at least 1"),
            ("optimizer.generator.learning_rate=-1", "above 0"),
        ] {
            let error = parse(TEXT, &[argument]).unwrap_err();
            assert!(error.starts_with(&format!("--set {argument}: ")), "{error}");
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_set_word_needs_no_quotes() {
        assert_eq!(
            parse(TEXT, &["data.dataset=mnist"]).unwrap().data.dataset.to_string(),
            "mnist"
        );
    }

    #[test]
    fn keys_of_another_network_are_refused() {
        let error = parse("[model]\nnetwork = \"blog\"\nbase_channels = 8\n", &[]).unwrap_err();
        assert!(
            error.contains("a.toml:3: `model.base_channels`: has no meaning for network = \"blog\""),
            "{error}"
        );
    }
}
