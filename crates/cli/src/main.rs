//! The `ganvas` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ganvas::main(include_str!(env!("GANVAS_COMMIT_FILE")))
}
