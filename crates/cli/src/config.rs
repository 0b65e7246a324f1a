//! `ganvas config`

use crate::{
    args::ConfigCommand,
    exit::Ended,
    output::{print_line, put},
};

pub fn config(command: &ConfigCommand) -> anyhow::Result<Ended> {
    match command {
        ConfigCommand::Show(arguments) => put(format_args!("{}", arguments.load(None)?.experiment.to_toml()?)),
        ConfigCommand::Check(arguments) => {
            arguments.load(None)?;
            print_line!("{}: right", arguments.config.display());
        }
    }
    Ok(Ended::Done)
}
