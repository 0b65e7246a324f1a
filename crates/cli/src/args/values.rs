//! How values are read from words, and their bounds.

use std::{convert::Infallible, path::PathBuf};

use ganvas_data::{Background, DataError, DatasetName};
use ganvas_training::nearest;

/// The most images that one command makes or shows: they are held in memory.
pub const MOST_IMAGES: u64 = 1_000_000;

/// The largest whole number that TOML has.
pub const MOST_IN_TOML: u64 = i64::MAX as u64;

/// The most steps that one benchmark takes.
pub const MOST_STEPS: u64 = 1_000_000;

/// The most images that are generated at once; IDX counts no further.
pub const MOST_GENERATED: u64 = 4_294_967_295;

pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err(format!("expected a number of seconds, 0 to 86400, found {text}")),
    }
}

/// Reads a whole number within bounds. Its arguments also need `allow_negative_numbers`, or clap takes -5 for an option.
pub fn whole<T: TryFrom<u64>>(least: u64, most: u64) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text
            .parse::<u64>()
            .ok()
            .filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        let is_whole = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
        let what = if is_whole { "" } else { "a whole number, " };
        number.ok_or_else(|| format!("expected {what}{least} to {most}, found {text}"))
    }
}

/// Reads the name of a data set, and suggests one.
pub fn data_set(text: &str) -> Result<DatasetName, String> {
    text.parse().map_err(|error: DataError| {
        let near = nearest(text, DatasetName::ALL.map(DatasetName::as_str));
        let near = near.map(|near| format!("; did you mean `{near}`?"));
        format!("{error}{}", near.unwrap_or_default())
    })
}

/// Images by the name of their set, or by where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetOrPath {
    Set(DatasetName),
    Path(PathBuf),
}

/// Reads the name of a data set, or else a path.
pub fn set_or_path(text: &str) -> Result<SetOrPath, Infallible> {
    Ok(text
        .parse()
        .map_or_else(|_| SetOrPath::Path(text.into()), SetOrPath::Set))
}

/// Reads a colour.
pub fn background(text: &str) -> Result<Background, String> {
    text.parse()
}
