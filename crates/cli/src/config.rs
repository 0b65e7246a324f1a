//! `ganvas config`

use crate::{
    args::ConfigCommand,
    exit::Ended,
    output::{put, tell},
};

pub fn config(command: &ConfigCommand) -> anyhow::Result<Ended> {
    match command {
        ConfigCommand::Show(arguments) => put(format_args!("{}", arguments.load(None)?.experiment.to_toml()?)),
        ConfigCommand::Check(arguments) => {
            arguments.load(None)?;
            tell!("{}: right", arguments.config.display());
        }
    }
    Ok(Ended::Done)
}
