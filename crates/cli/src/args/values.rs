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

/// Seeds, in the order in which they were typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedList(pub Vec<u64>);

/// Reads `0-35,40`.
pub fn seed_list(text: &str) -> Result<SeedList, String> {
    let expected = || format!("expected seeds such as `0-35,40`, found `{text}`");
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| expected());
    let mut seeds = Vec::new();
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(part)?, number(part)?),
        };
        let count = last.checked_sub(first).ok_or_else(expected)?;
        if count >= MOST_IMAGES - seeds.len() as u64 {
            return Err(format!("expected at most {MOST_IMAGES} seeds"));
        }
        seeds.extend(first..=last);
    }
    Ok(SeedList(seeds))
}

/// Reads ψ.
pub fn truncation(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(psi) if (0.0..=2.0).contains(&psi) => Ok(psi),
        _ => Err(format!("expected 0 to 2, found {text}")),
    }
}

/// Reads `8x4`: columns and rows.
pub fn grid(text: &str) -> Result<(usize, usize), String> {
    let sides = text
        .split_once(['x', '×'])
        .map(|(columns, rows)| (columns.parse(), rows.parse()));
    match sides {
        Some((Ok(columns), Ok(rows))) if (1..=1000).contains(&columns) && (1..=1000).contains(&rows) => {
            Ok((columns, rows))
        }
        _ => Err(format!(
            "expected columns and rows such as `8x4`, each 1 to 1000, found `{text}`"
        )),
    }
}
