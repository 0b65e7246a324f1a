//! Logs to standard error, past the line of progress.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal, Write},
};

use ganvas_training::nearest;
use tracing::warn;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{color, screen};

/// The environment's word on what is logged.
const VARIABLE: &str = "RUST_LOG";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What the names of modules that log begin with.
const MODULES: [&str; 8] = ["ganvas", "burn", "cubecl", "wgpu", "naga", "tch", "ureq", "rustls"];

/// Starts the log: by `-v` and `-q` where they are typed, else by `RUST_LOG`.
pub fn start(verbose: u8, quiet: bool) {
    let (filter, mistake) = filter(verbose, quiet, env::var_os(VARIABLE).as_deref());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(verbose > 0)
        .with_ansi(color::on_stderr())
        // Its own complaint about a line that cannot be written would be a panic where standard error is closed.
        .log_internal_errors(false)
        .with_writer(PastTheLine);
    // Whoever sits before a terminal knows what time it is; whoever reads a file later does not.
    if io::stderr().is_terminal() {
        log.without_time().init();
    } else {
        log.init();
    }
    if let Some(mistake) = mistake {
        warn!("{VARIABLE}: {mistake}; the variable is ignored");
    }
}

/// What is logged, and what is wrong with the variable.
fn filter(verbose: u8, quiet: bool, variable: Option<&OsStr>) -> (EnvFilter, Option<String>) {
    let level = match (quiet, verbose) {
        (true, _) => "warn",
        (false, 0) => "warn,ganvas=info,ganvas_training=info,ganvas_data=info,ganvas_backend=info",
        (false, 1) => "info,ganvas=debug,ganvas_training=debug,ganvas_data=debug,ganvas_backend=debug",
        (false, _) => "trace",
    };
    let by_arguments = || EnvFilter::new(level);
    match variable.filter(|value| !value.is_empty()) {
        Some(value) if !quiet && verbose == 0 => match from_variable(value) {
            Ok(filter) => (filter, None),
            Err(mistake) => (by_arguments(), Some(mistake)),
        },
        _ => (by_arguments(), None),
    }
}

fn from_variable(value: &OsStr) -> Result<EnvFilter, String> {
    let text = value
        .to_str()
        .ok_or_else(|| format!("{} is not UTF-8", value.display()))?;
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        check_word(word)?;
    }
    EnvFilter::builder()
        .parse(text)
        .map_err(|error| format!("`{text}`: {error}"))
}

/// A word alone that is no level names a module, and silences all others: a misspelt level would silence everything.
fn check_word(word: &str) -> Result<(), String> {
    let lower = word.to_lowercase();
    let is_level = LEVELS.contains(&lower.as_str()) || matches!(word, "0" | "1" | "2" | "3" | "4" | "5");
    if is_level || word.contains(['=', '[']) || MODULES.iter().any(|module| word.starts_with(module)) {
        return Ok(());
    }
    let suggestion = nearest(&lower, LEVELS).map(|level| format!("; did you mean `{level}`?"));
    Err(format!(
        "`{word}` is neither a level nor a module of this program, expected one of {}, or MODULE=LEVEL{}",
        LEVELS.join(", "),
        suggestion.unwrap_or_default()
    ))
}

/// Writes to standard error while the line of progress steps aside. Nothing that is written there fails: whether anybody reads
/// it is no matter of the one who logs.
struct PastTheLine;

impl Write for PastTheLine {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let _ = screen::aside(|| io::stderr().write_all(buffer));
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for PastTheLine {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(variable: &str) -> Option<String> {
        filter(0, false, Some(OsStr::new(variable))).1
    }

    #[test]
    fn levels_modules_and_pairs_are_right() {
        for right in [
            "",
            "info",
            "DEBUG",
            "3",
            "off",
            "ganvas_training",
            "ganvas_training=debug",
            "warn,wgpu=error",
            "my_crate=info",
        ] {
            assert_eq!(mistake(right), None, "{right}");
        }
    }

    #[test]
    fn a_mistake_is_named_with_what_was_meant() {
        let found = mistake("inof").unwrap();
        assert!(
            found.contains("`inof`") && found.contains("did you mean `info`?"),
            "{found}"
        );
        let found = mistake("warn,verbose").unwrap();
        assert!(found.starts_with("`verbose` is neither"), "{found}");
        let found = mistake("ganvas=loud").unwrap();
        assert!(found.contains("`ganvas=loud`"), "{found}");
    }

    #[test]
    fn what_is_typed_stands_above_the_variable() {
        let by_arguments = |verbose, quiet| filter(verbose, quiet, None).0.to_string();
        for (verbose, quiet) in [(0, true), (1, false), (2, false)] {
            let (found, mistake) = filter(verbose, quiet, Some(OsStr::new("inof")));
            assert_eq!((found.to_string(), mistake), (by_arguments(verbose, quiet), None));
        }
        assert_eq!(
            filter(0, false, Some(OsStr::new("ganvas=trace"))).0.to_string(),
            "ganvas=trace"
        );
        assert_eq!(
            filter(0, false, Some(OsStr::new(""))).0.to_string(),
            by_arguments(0, false)
        );
    }
}
