//! The `ganvas` command, built with the backend that the suite tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    ganvas::main(include_str!(env!("GANVAS_COMMIT_FILE")))
}
