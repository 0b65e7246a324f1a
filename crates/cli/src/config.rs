//! `ganvas config`

use ganvas_backend::BackendKind;

use crate::{args::ConfigCommand, exit::Ended};

pub fn config(command: &ConfigCommand) -> anyhow::Result<Ended> {
    match command {
        ConfigCommand::Show(arguments) => print!("{}", arguments.load()?.to_toml()?),
        ConfigCommand::Check(arguments) => {
            let experiment = arguments.load()?;
            let kind: BackendKind = experiment.backend.kind.parse()?;
            ganvas_backend::check(kind, &experiment.backend.device)?;
            println!("{}: right", arguments.config.display());
        }
    }
    Ok(Ended::Done)
}
