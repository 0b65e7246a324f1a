//! `ganvas config`

use crate::{
    args::ConfigCommand,
    exit::Ended,
    explain,
    output::{print_line, put},
};

pub fn config(command: &ConfigCommand) -> anyhow::Result<Ended> {
    match command {
        ConfigCommand::Show(arguments) => put(format_args!("{}", arguments.load(None)?.experiment.to_toml()?)),
        ConfigCommand::Check(arguments) => {
            arguments.load(None)?;
            print_line!("{}: right", arguments.config.display());
        }
        ConfigCommand::Explain(arguments) => return explain::explain(arguments),
        ConfigCommand::Schema { backend_file } => return explain::schema(*backend_file),
    }
    Ok(Ended::Done)
}
