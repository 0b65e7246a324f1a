//! Automation of the ganvas workspace: `cargo xtask --help`.

mod bench;
mod check;
mod children;
mod download;
mod libtorch;
mod matrix;
mod packages;
mod setup;
mod speedrun;
mod suite;
mod table;
mod trainings;
mod vulkan;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    about = "Automation of the ganvas workspace"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs the libraries' own tests, then the suite once for each backend in configs/backends
    TestAllBackends(suite::Options),
    /// Gets what backends need besides Rust: libtorch, a Vulkan driver
    Setup(setup::Options),
    /// Times training steps on each backend, network and batch size, beside PyTorch where asked
    Bench(bench::Options),
    /// Trains the experiments that ship, whole, and prints how long each took
    Trainings(trainings::Options),
    /// Trains a recipe from a cold start until a fixed FID, with several seeds, and prints how long that took
    Speedrun(speedrun::Options),
    /// Format, lints, documentation and the rule that only crates/backend names a backend
    Check,
}

fn main() -> ExitCode {
    let task = Arguments::parse().task;
    let result = children::end_with_us().and_then(|()| match task {
        Task::TestAllBackends(options) => suite::test_all_backends(&options),
        Task::Setup(options) => setup::set_up(&options),
        Task::Bench(options) => bench::bench(&options),
        Task::Trainings(options) => trainings::trainings(&options),
        Task::Speedrun(options) => speedrun::speedrun(&options),
        Task::Check => check::check(),
    });
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
    // What `cargo run` says of xtask. Build scripts (ring's) that look at variables of these names would run anew, and all that stands on them be
    // compiled again, whenever cargo is started from here after it was started from a shell, or the other way round.
    for (name, _) in std::env::vars_os() {
        let is_of_xtask = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(is_of_xtask) {
            command.env_remove(name);
        }
    }
    command
}
