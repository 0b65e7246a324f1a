//! Automation of the ganvas workspace: `cargo xtask --help`.

mod check;
mod matrix;
mod suite;
mod table;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Automation of the ganvas workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs the libraries' own tests, then the suite once for each backend in configs/backends
    TestAllBackends(suite::Options),
    /// Format, lints, documentation and the rule that only crates/backend names a backend
    Check,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::TestAllBackends(options) => suite::test_all_backends(&options),
        Task::Check => check::check(),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The workspace's folder.
fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// The cargo that runs us.
fn cargo() -> std::process::Command {
    let mut command = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace());
    command
}
