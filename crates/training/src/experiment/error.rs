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
            message: in_words(&message, None),
            suggestion,
        }
    }
}

/// serde's message in the words of a person who writes TOML; `value` is what stands at the place, where that is known.
pub(super) fn in_words(message: &str, value: Option<&str>) -> String {
    let is_type = message.strip_prefix("invalid type: ");
    let mismatch = is_type.or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = mismatch.and_then(|rest| rest.rsplit_once(", expected ")) {
        return format!(
            "expected {}, found {}",
            expected_in_words(expected),
            found_in_words(found, value)
        );
    }
    match message {
        "wanted string or table" => "expected text in quotes".to_owned(),
        _ => message
            .replace("unknown field", "unknown key")
            .replace("unknown variant", "unknown value")
            .replace("duplicate field", "the same key twice:")
            .replace("missing field", "missing key"),
    }
}

fn expected_in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "string only" | "a string" | "a borrowed string" | "string or map" | "variant identifier" | "identifier" => {
            "text in quotes"
        }
        "a boolean" => "true or false",
        "a sequence" => "a list",
        other if other.starts_with("struct ") || other.contains("tagged enum") || other == "a map" => "a section",
        other => other,
    }
}

fn found_in_words(found: &str, value: Option<&str>) -> String {
    match found {
        "map" => "a section".to_owned(),
        "sequence" => "a list".to_owned(),
        // Where a word is expected, serde does not say what stands there.
        "unit variant" | "newtype variant" | "struct variant" => value.unwrap_or("something else").to_owned(),
        found => {
            let value = ["string ", "integer ", "floating point ", "boolean ", "character "]
                .iter()
                .find_map(|kind| found.strip_prefix(kind));
            value.unwrap_or(found).replace('`', "")
        }
    }
}

/// The candidate that is most like `word`, if one is alike enough to be a slip of the fingers. Case and spaces around do not count;
/// of two that are as near, one with the same first letter is preferred, and the word itself is never suggested.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = word.trim().to_lowercase();
    let first = lower.chars().next();
    candidates
        .into_iter()
        .filter(|&candidate| candidate != word)
        .map(|candidate| {
            let plain = candidate.to_lowercase();
            let distance = strsim::damerau_levenshtein(&lower, &plain);
            (distance, plain.chars().next() != first, candidate)
        })
        .min_by_key(|&(distance, other_start, _)| (distance, other_start))
        .filter(|&(distance, _, candidate)| is_slip(&lower, &candidate.to_lowercase(), distance))
        .map(|(_, _, candidate)| candidate.to_owned())
}

/// Whether one word is a mistyped other: about one letter in three may be wrong. In a short word one other letter makes another
/// word (`gpu`, `cpu`), so there one may only be missing, be too much, or have changed places.
fn is_slip(word: &str, candidate: &str, distance: usize) -> bool {
    let lengths = (word.chars().count(), candidate.chars().count());
    if lengths.0.max(lengths.1) > 3 {
        return distance <= (lengths.1 / 3).max(1);
    }
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    distance == 0 || (distance == 1 && (lengths.0 != lengths.1 || letters(word) == letters(candidate)))
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
        assert_eq!(nearest("MNIST", ["kmnist", "mnist"]).as_deref(), Some("mnist"));
        assert_eq!(nearest("mnist ", ["kmnist", "mnist"]).as_deref(), Some("mnist"));
        assert_eq!(nearest("hee", ["he", "torch"]).as_deref(), Some("he"));
        assert_eq!(nearest("mpl", ["blog", "dcgan", "mlp"]).as_deref(), Some("mlp"));
        for (word, candidates) in [("gpu", ["cpu", "cuda"]), ("mlp", ["mlp", "blog"])] {
            assert_eq!(nearest(word, candidates), None, "{word}");
        }
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
