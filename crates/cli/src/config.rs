//! `ganvas config`

use crate::{args::ConfigCommand, exit::Ended};

pub fn config(command: &ConfigCommand) -> anyhow::Result<Ended> {
    match command {
        ConfigCommand::Show(arguments) => print!("{}", arguments.load()?.to_toml()?),
        ConfigCommand::Check(arguments) => {
            arguments.load()?;
            println!("{}: right", arguments.config.display());
        }
    }
    Ok(Ended::Done)
}
