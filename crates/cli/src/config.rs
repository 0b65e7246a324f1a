//! `ganvas config`

use std::{io::Write, path::Path};

use serde_json::json;

use crate::{
    args::ConfigCommand,
    ended::{Ended, UsageError},
    explain,
    output::{print_line, put},
    outputs::{Destination, is_stdout},
    quoting::quoted,
    shipped,
};

pub fn config(command: &ConfigCommand) -> anyhow::Result<Ended> {
    match command {
        ConfigCommand::List => list(),
        ConfigCommand::Show(arguments) => put(format_args!("{}", arguments.load(None)?.experiment.to_toml()?)),
        ConfigCommand::Check {
            experiment,
            data_dir,
            json,
        } => {
            let loaded = experiment.load(data_dir.as_deref())?;
            let plan = loaded.check_fit()?;
            loaded.warn_of_missing_data();
            match json {
                true => print_line!(
                    "{}",
                    json!({
                        "experiment": loaded.experiment.name,
                        "network": loaded.experiment.model.name(),
                        "backend": loaded.backend.kind().name(),
                        "device": loaded.backend.info().to_string(),
                        "steps": plan.total_steps,
                        "epochs": plan.epochs(),
                        "batch_size": plan.batch_size,
                    })
                ),
                false => print_line!("{}: valid", quoted(&experiment.config)),
            }
        }
        ConfigCommand::Init { name, file, force } => init(name, file, *force)?,
        ConfigCommand::Explain(arguments) => return explain::explain(arguments),
        ConfigCommand::Schema { backend_file } => return explain::schema(*backend_file),
    }
    Ok(Ended::Done)
}

fn list() {
    /// The width of the first column.
    const NAME: usize = 18;
    print_line!("{:<NAME$} what it is, and what came of it", "experiment");
    for file in shipped::EXPERIMENTS {
        print_line!("{:<NAME$} {}", file.name, file.description());
        if let Some(result) = file.result() {
            print_line!("{:<NAME$} {result}", "");
        }
    }
    print_line!("\ntrain one: ganvas train NAME; take one as a beginning: ganvas config init NAME FILE.toml");
}

/// Writes a shipped experiment as it is, with its comments.
fn init(name: &Path, file: &Path, force: bool) -> anyhow::Result<()> {
    let Some(found) = shipped::by_name(name, shipped::EXPERIMENTS) else {
        // The same words, and the same suggestion, as where it is trained.
        shipped::experiment(name)?;
        let message = format!("{}: is a file, and no experiment that ships with ganvas", quoted(name));
        return Err(UsageError(message).into());
    };
    if !is_stdout(file) && file.extension().is_none_or(|end| end != "toml") {
        return Err(UsageError(format!("{}: expected a name that ends in .toml", quoted(file))).into());
    }
    // The schema lies beside the project's own files only.
    let text = match found.text.split_once('\n') {
        Some((first, rest)) if first.starts_with("#:schema") => rest,
        _ => found.text,
    };
    if is_stdout(file) {
        put(format_args!("{text}"));
        return Ok(());
    }
    let mut destination = Destination::open(file, force)?;
    destination.write_all(text.as_bytes())?;
    destination.finish()?;
    print_line!(
        "{}: a copy of `{}`; train it: ganvas train {}",
        quoted(file),
        found.name,
        quoted(file)
    );
    Ok(())
}
