//! From a result to what the person reads and the exit code.

use std::{path::PathBuf, process::ExitCode};

use ganvas_backend::BackendError;
use ganvas_data::{DataError, FEWEST_OWN, download_folder};
use ganvas_evaluator::EvaluatorError;
use ganvas_training::{ConfigError, TrainingError};

use crate::{
    color,
    data::fetch_command,
    ended::{Ended, UsageError},
    output, quoting,
    quoting::quoted,
};

/// Prints an error and chooses the exit code.
pub fn report(result: anyhow::Result<Ended>) -> ExitCode {
    match result {
        Ok(Ended::Done) => ExitCode::SUCCESS,
        Ok(Ended::Interrupted) => ExitCode::from(130),
        Err(error) => {
            let advice = advice(&error).map(|advice| format!("; {advice}"));
            let word = match color::on_stderr() {
                true => format!("{}error:{}", color::ERROR, color::PLAIN),
                false => "error:".to_owned(),
            };
            let advice = advice.unwrap_or_default();
            output::complain(&format!("{word} {}{advice}", quoting::printable(&with_causes(&error))));
            ExitCode::from(if is_usage(&error) { 2 } else { 1 })
        }
    }
}

/// Prints what clap says to the arguments, help and version included, and chooses the exit code.
pub fn report_arguments(error: &clap::Error) -> ExitCode {
    let text = error.render();
    if error.use_stderr() {
        let text = match color::on_stderr() {
            true => text.ansi().to_string(),
            false => text.to_string(),
        };
        output::complain(text.trim_end_matches('\n'));
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    match color::on_stdout() {
        true => output::put(format_args!("{}", text.ansi())),
        false => output::put(format_args!("{text}")),
    }
    report(output::delivered().map(|()| Ended::Done))
}

/// The error and its causes, without those that a message quotes already.
fn with_causes(error: &anyhow::Error) -> String {
    let is_override = error
        .downcast_ref::<ConfigError>()
        .is_some_and(|error| error.is_override);
    let argument = if is_override { "--set " } else { "" };
    error.chain().skip(1).fold(format!("{argument}{error}"), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

/// Which argument helps: the libraries do not know them.
fn advice(error: &anyhow::Error) -> Option<String> {
    if let Some(error) = error.downcast_ref::<TrainingError>() {
        return match error {
            TrainingError::RunExists { .. } => {
                Some("go on with it with `--resume`, or name another folder with `--out`".to_owned())
            }
            TrainingError::NoWholeCheckpoint { .. } => {
                Some("begin another run, or put a copy of a checkpoint in its place".to_owned())
            }
            TrainingError::OtherImages { .. } => {
                Some("the keys of `[data]` and `--data-dir` choose the images".to_owned())
            }
            _ => None,
        };
    }
    if error.is::<BackendError>() {
        return Some("`ganvas backends` lists what is here".to_owned());
    }
    match error.downcast_ref::<DataError>()? {
        DataError::NotFound { name, looked, .. } => {
            // Only `--data-dir` puts a folder first that downloads would not go to.
            let typed = looked.first().filter(|&folder| *folder != download_folder(None));
            let fetch = fetch_command(name.as_str(), typed.map(PathBuf::as_path));
            Some(format!(
                "run `{fetch}`, or name the folder that holds {name}/ with `--data-dir`"
            ))
        }
        // With too few left it would not help.
        DataError::BadPictures { path, left, .. } => Some(match *left >= FEWEST_OWN {
            true => format!(
                "`ganvas data check {}` lists them all, and `data.skip_bad = true` (`--set data.skip_bad=true`) goes on without them",
                quoted(path)
            ),
            false => format!("at least {FEWEST_OWN} pictures are needed"),
        }),
        _ => None,
    }
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<UsageError>()
        || error.is::<ConfigError>()
        || error.is::<BackendError>()
        || error.downcast_ref::<DataError>().is_some_and(is_data_usage)
        || error.downcast_ref::<EvaluatorError>().is_some_and(|error| match error {
            EvaluatorError::Data(error) => is_data_usage(error),
            error => error.is_usage(),
        })
        || error.downcast_ref::<TrainingError>().is_some_and(|error| match error {
            TrainingError::Data(error) => is_data_usage(error),
            error => error.is_usage(),
        })
}

/// Asking for more images than there are, for smaller ones, for no batch at all, or for the files of a set that has none.
fn is_data_usage(error: &DataError) -> bool {
    matches!(
        error,
        DataError::ImageCount { .. }
            | DataError::TooFewImages { .. }
            | DataError::PadTooSmall { .. }
            | DataError::Schedule { .. }
            | DataError::NoFiles { .. }
    )
}
