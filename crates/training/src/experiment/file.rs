//! Reading an experiment: the file, a backend file laid over it, then `key=value` after `key=value`.

use std::{fs, io::ErrorKind, ops::Range, path::Path};

use ganvas_model::{NetworkSettings, ObjectiveSettings};
use toml::{Table, Value};

use super::{
    blame::{Fault, read_table},
    dotted::last_set,
    error::{ConfigError, nearest},
    overrides::{Overrides, lay_over},
    sections::Experiment,
    validation::is_plain,
};

/// The text of a configuration, and what errors call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigText {
    /// TOML.
    pub text: String,
    /// What errors call it, such as its path.
    pub source: String,
    /// The run's name if the text has none.
    pub name: String,
}

impl ConfigText {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`] where it cannot be read, with the file beside it whose name is most like it.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let fail = |message: String| ConfigError::new(path.display().to_string(), None, message);
        let bytes = fs::read(path).map_err(|error| {
            let mut failure = fail(format!("cannot be read: {error}"));
            failure.suggestion = (error.kind() == ErrorKind::NotFound).then(|| sibling(path)).flatten();
            failure
        })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| fail("expected text in UTF-8, found something else; save it as UTF-8".to_owned()))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self {
            // Some editors mark UTF-8 by three bytes that are no TOML.
            text: text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned),
            source: path.display().to_string(),
            name: stem,
        })
    }

    /// Reads the experiment and lays the overrides over it.
    ///
    /// # Errors
    /// [`ConfigError`] with the line, or the override, and the nearest right word for unknown keys, wrong types and values out of
    /// range.
    pub fn experiment<N: NetworkSettings, O: ObjectiveSettings>(
        &self,
        overrides: &Overrides,
    ) -> Result<Experiment<N, O>, ConfigError> {
        let mut table: Table = self
            .text
            .parse()
            .map_err(|error: toml::de::Error| in_file(&self.text, &self.source, error.span(), error.message()))?;
        if let Some(backend) = &overrides.backend {
            let section = Value::try_from(backend);
            let section = section.map_err(|error| ConfigError::new(&self.source, None, error.to_string()))?;
            table.insert("backend".to_owned(), section);
        }
        for argument in &overrides.set {
            lay_over::<N, O>(&mut table, argument)?;
        }
        let mut experiment: Experiment<N, O> =
            read_table(&table).map_err(|fault| self.blame(fault, &table, overrides))?;
        if experiment.name.is_empty() {
            experiment.name = as_name(&self.name);
        }
        // One override may mend what another broke, so ranges are checked once, at the end.
        experiment
            .check()
            .map_err(|(key, message)| self.at(&key, &format!("`{key}`: {message}"), overrides))?;
        Ok(experiment)
    }

    /// A mistake in the value of a dotted key: in the last override that sets it, else on its line of the text.
    pub fn at_key(&self, key: &str, message: &str, overrides: &Overrides) -> ConfigError {
        self.at(key, &format!("`{key}`: {message}"), overrides)
    }

    fn at(&self, key: &str, message: &str, overrides: &Overrides) -> ConfigError {
        match last_set(&overrides.set, key) {
            Some(argument) => ConfigError::in_override(argument, message),
            None => ConfigError::new(&self.source, line_of(&self.text, key), message),
        }
    }

    /// Names what is to blame for an experiment that cannot be read.
    fn blame<N: NetworkSettings, O: ObjectiveSettings>(
        &self,
        fault: Fault<N, O>,
        table: &Table,
        overrides: &Overrides,
    ) -> ConfigError {
        let culprit = fault.culprit(table);
        let (message, suggestion) = fault.words(table, culprit.as_deref(), &overrides.set);
        // A section that is missing something has no key to blame, but a line.
        let key = culprit.or(fault.section);
        let error = match key {
            Some(key) => self.at(&key, &message, overrides),
            None => ConfigError::new(&self.source, None, message),
        };
        ConfigError { suggestion, ..error }
    }
}

/// Reads an experiment file and lays the overrides over it.
///
/// # Errors
/// As [`ConfigText::read`] and [`ConfigText::experiment`].
pub fn load_experiment<N: NetworkSettings, O: ObjectiveSettings>(
    path: &Path,
    overrides: &Overrides,
) -> Result<Experiment<N, O>, ConfigError> {
    ConfigText::read(path)?.experiment(overrides)
}

/// As [`load_experiment`], from text; `source` is what errors call it, `name` the run's name if the text has none.
///
/// # Errors
/// As [`ConfigText::experiment`].
pub fn parse_experiment<N: NetworkSettings, O: ObjectiveSettings>(
    text: &str,
    source: &str,
    name: &str,
    overrides: &Overrides,
) -> Result<Experiment<N, O>, ConfigError> {
    let text = ConfigText {
        text: text.to_owned(),
        source: source.to_owned(),
        name: name.to_owned(),
    };
    text.experiment(overrides)
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
    Some(match path.parent() {
        Some(parent) => parent.join(name).display().to_string(),
        None => name,
    })
}

/// A mistake at a place of a text, in serde's or TOML's words.
pub(crate) fn in_file(text: &str, source: &str, span: Option<Range<usize>>, message: &str) -> ConfigError {
    let line = span.map(|span| line_at(text, span.start));
    ConfigError::from_serde(source, line, message)
}

/// The letters of a file's name that a run's may have.
fn as_name(name: &str) -> String {
    let letters: String = name
        .chars()
        .map(|letter| if is_plain(letter) { letter } else { '-' })
        .collect();
    letters.trim_start_matches('.').to_owned()
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
    fn a_wrong_key_is_reported_with_its_line_and_the_right_one() {
        let error = parse("[model]\nnetwork = \"blog\"\n[training]\nepoch = 2\n", &[]).unwrap_err();
        assert!(error.starts_with("a.toml:4: unknown key `epoch`"), "{error}");
        assert!(error.ends_with("did you mean `epochs`?"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_reported_with_its_line_and_the_right_one() {
        let error = parse("[model]\nnetwork = \"dcgna\"\n", &[]).unwrap_err();
        assert!(error.starts_with("a.toml:2: unknown value `dcgna`"), "{error}");
        assert!(error.ends_with("did you mean `dcgan`?"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_is_reported_with_its_line() {
        let error = parse("[model]\nnetwork = \"blog\"\n[data]\nbatch_size = 0\n", &[]).unwrap_err();
        assert_eq!(error, "a.toml:4: `data.batch_size`: expected at least 1, found 0");
    }

    #[test]
    fn a_bad_set_is_blamed_itself() {
        for (argument, part) in [
            ("training.epoch=2", "did you mean `epochs`?"),
            ("training.update=simultanous", "did you mean `simultaneous`?"),
            (
                "training.epochs=two",
                "expected a whole number, 0 or more, found \"two\"",
            ),
            ("training.epochs", "expected key=value"),
            ("seed.x=1", "no section"),
            ("training.epochs=0", "expected at least 1"),
            ("optimizer.generator.learning_rate=-1", "above 0"),
        ] {
            let error = parse(TEXT, &[argument]).unwrap_err();
            assert!(error.starts_with(&format!("{argument}: ")), "{error}");
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_set_word_needs_no_quotes() {
        assert_eq!(parse(TEXT, &["data.dataset=mnist"]).unwrap().data.dataset, "mnist");
    }

    #[test]
    fn keys_of_another_network_are_refused() {
        let expected = "`model.base_channels` has no meaning for network = \"blog\", only for \"dcgan\" and \"resnet\"";
        let error = parse("[model]\nnetwork = \"blog\"\nbase_channels = 8\n", &[]).unwrap_err();
        assert_eq!(error, format!("a.toml:3: {expected}"));
        let error = parse("[model]\nnetwork = \"blog\"\n", &["model.base_channels=8"]).unwrap_err();
        assert_eq!(error, format!("model.base_channels=8: {expected}"));
    }

    #[test]
    fn mistakes_in_a_family_are_reported_with_their_lines() {
        for (value, part) in [
            (
                "base_channels = \"four\"",
                "expected a whole number, 0 or more, found \"four\"",
            ),
            ("base_chanels = 4", "did you mean `base_channels`?"),
            (
                "base_channels = 4096",
                "`model.base_channels`: expected 1 to 2048, found 4096",
            ),
            ("initialization = \"hee\"", "did you mean `he`?"),
        ] {
            let text = format!("[model]\nnetwork = \"dcgan\"\n\n{value}\n");
            let error = parse(&text, &[]).unwrap_err();
            assert!(error.starts_with("a.toml:4: ") && error.contains(part), "{error}");
        }
        let error = parse("[model]\nlatent_size = 4\n", &[]).unwrap_err();
        assert!(error.contains("network"), "{error}");
    }

    #[test]
    fn the_family_can_be_set() {
        let set = ["model.network=mlp", "model.hidden_sizes=[8]"];
        assert_eq!(parse(TEXT, &set).unwrap().model.name(), "mlp");
    }
}
