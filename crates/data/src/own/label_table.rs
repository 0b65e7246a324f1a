//! Classes of pictures from a table, and their numbers.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::source::MOST_CLASSES;

/// Reads a table with the columns `file` and `label` (or `class`), whatever others there are and in whatever order.
pub(super) fn read(path: &Path, text: impl Read) -> Result<HashMap<PathBuf, String>, DataError> {
    let expected = "a table (CSV) with the columns `file` and `label`";
    let damaged = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => DataError::io("read", path, error),
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.map(|pos| format!("line {} with ", pos.line())).unwrap_or_default();
            DataError::format(
                path,
                format!("{expected_len} columns in each line"),
                format!("{line}{len}"),
            )
        }
        kind => DataError::format(path, expected, format!("{kind:?}")),
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let head = reader.headers().map_err(damaged)?.clone();
    let column = |names: &[&str]| {
        head.iter()
            .position(|name| names.contains(&&*name.to_ascii_lowercase()))
    };
    let (Some(file), Some(label)) = (
        column(&["file", "filename", "path", "image"]),
        column(&["label", "class"]),
    ) else {
        let found: Vec<String> = head.iter().map(|name| format!("`{name}`")).collect();
        return Err(DataError::format(path, expected, found.join(", ")));
    };
    let mut labels = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(damaged)?;
        let (name, class) = (&record[file], &record[label]);
        let line = record.position().map_or(0, csv::Position::line);
        if name.is_empty() || class.is_empty() {
            return Err(DataError::format(
                path,
                "a file and its label",
                format!("line {line} without one of them"),
            ));
        }
        // `./a.png` is `a.png`.
        let clean: PathBuf = Path::new(name)
            .components()
            .filter(|part| part.as_os_str() != ".")
            .collect();
        if let Some(earlier) = labels.insert(clean, class.to_owned())
            && earlier != class
        {
            let found = format!("{name} as `{earlier}` and, in line {line}, as `{class}`");
            return Err(DataError::format(path, "one label for each file", found));
        }
    }
    Ok(labels)
}

/// Numbers from 0 for the names that occur: in the order of numbers where all are numbers, else of letters. The numbers of each picture, and the
/// names by number.
pub(super) fn numbered(path: &Path, labels: &[Option<String>]) -> Result<(Vec<Option<u8>>, Vec<String>), DataError> {
    let mut names: Vec<&String> = labels.iter().flatten().collect();
    names.sort();
    names.dedup();
    if names.iter().all(|name| name.parse::<i128>().is_ok()) {
        names.sort_by_key(|name| name.parse::<i128>().unwrap_or_default());
    }
    if names.len() > MOST_CLASSES {
        let found = format!("{}, such as `{}`", names.len(), names[0]);
        return Err(DataError::format(
            path,
            format!("at most {MOST_CLASSES} classes"),
            found,
        ));
    }
    let number: HashMap<&String, u8> = names
        .iter()
        .zip(0..=u8::MAX)
        .map(|(name, number)| (*name, number))
        .collect();
    let numbers = labels
        .iter()
        .map(|label| label.as_ref().and_then(|label| number.get(label).copied()));
    Ok((numbers.collect(), names.into_iter().cloned().collect()))
}
