//! The `ganvas` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ganvas::main()
}
