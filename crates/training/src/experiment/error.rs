//! What is wrong with an experiment file, reported with the file, the line and the nearest right word.

use std::fmt;

/// A mistake in an experiment file, or in what is laid over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, or the `key=value` of an override.
    pub source: String,
    /// Whether `source` is an override ([`Overrides::set`](crate::Overrides::set)): a program says how it was given one.
    pub is_override: bool,
    /// The line in the file, from 1.
    pub line: Option<usize>,
    /// What was expected and what was found.
    pub message: String,
    /// The nearest right word.
    pub suggestion: Option<String>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.source)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        write!(formatter, ": {}", self.message)?;
        match &self.suggestion {
            Some(word) => write!(formatter, "; did you mean `{word}`?"),
            None => Ok(()),
        }
    }
}

impl ConfigError {
    /// A mistake without a suggestion.
    pub fn new(source: impl Into<String>, line: Option<usize>, message: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            is_override: false,
            line,
            message: message.into(),
            suggestion: None,
        }
    }

    /// A mistake in an override, `key=value`.
    pub fn in_override(argument: &str, message: impl Into<String>) -> Self {
        Self {
            is_override: true,
            ..Self::new(argument, None, message)
        }
    }

    /// Wraps a message of serde and looks for the nearest right word in it.
    pub(crate) fn from_serde(source: impl Into<String>, line: Option<usize>, message: &str) -> Self {
        let message = message.trim().replace('\n', " ");
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let suggestion = match quoted.split_first() {
            // serde writes: unknown field `found`, expected one of `a`, `b`
            Some((found, expected)) if message.starts_with("unknown ") => nearest(found, expected.iter().copied()),
            _ => None,
        };
        Self {
            source: source.into(),
            is_override: false,
            line,
            message: in_words(&message),
            suggestion,
        }
    }
}

/// serde's message in TOML's words, without Rust's.
fn in_words(message: &str) -> String {
    let mut text = message.to_owned();
    for (of_rust, of_toml) in [
        ("unknown field", "unknown key"),
        ("missing field", "missing key"),
        ("unknown variant", "unknown value"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected f64", "expected a number"),
        ("floating point", "number"),
        ("invalid type: map", "invalid type: section"),
        ("sequence", "list"),
        (
            "invalid type: unit variant, expected string only",
            "invalid type, expected a string",
        ),
        ("expected variant identifier", "expected a string"),
    ] {
        text = text.replace(of_rust, of_toml);
    }
    for of_rust in ["expected struct ", "expected internally tagged enum "] {
        if let Some((before, _)) = text.split_once(of_rust) {
            text = format!("{before}expected a section");
        }
    }
    text
}

/// The candidate that is most like `word`, if one is alike enough to be a slip of the fingers: a third of its letters at most.
///
/// Case and spaces around it make no difference. Of two that are as near, one with the same first letter is preferred, and
/// the word itself is never suggested.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let typed = word.trim().to_lowercase();
    let first = typed.chars().next();
    candidates
        .into_iter()
        .filter(|&candidate| candidate != word)
        .map(|candidate| {
            let plain = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&typed, &plain);
            (distance, plain.chars().next() != first, candidate)
        })
        .min_by_key(|&(distance, other_start, _)| (distance, other_start))
        .filter(|&(distance, _, candidate)| distance <= (candidate.chars().count() / 3).max(1))
        .map(|(_, _, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_corrected_and_a_stranger_is_not() {
        assert_eq!(nearest("epoch", ["epochs", "max_steps"]).as_deref(), Some("epochs"));
        assert_eq!(
            nearest("simultanous", ["simultaneous", "alternating"]).as_deref(),
            Some("simultaneous")
        );
        assert_eq!(nearest("zebra", ["epochs", "max_steps"]), None);
        let sets = ["kmnist", "fashion-mnist", "mnist"];
        for (word, suggestion) in [
            ("mnist ", Some("mnist")),
            ("MNITS", Some("mnist")),
            ("moist", Some("mnist")),
            ("cifar", None),
            ("list", None),
        ] {
            assert_eq!(nearest(word, sets).as_deref(), suggestion, "{word}");
        }
    }

    #[test]
    fn the_nearest_word_is_found_in_serdes_message() {
        let error = ConfigError::from_serde(
            "x.toml",
            Some(3),
            "unknown field `epoch`, expected one of `epochs`, `update`",
        );
        assert_eq!(
            error.to_string(),
            "x.toml:3: unknown key `epoch`, expected one of `epochs`, `update`; did you mean `epochs`?"
        );
    }
}
