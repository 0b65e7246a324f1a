//! `cargo xtask test-all-backends`: the same tests on every backend.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::Context;
use clap::Args;

use crate::{
    cargo,
    children::Running,
    matrix::{self, Backend, Choice},
    table::{self, Counts, Row},
};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    choice: Choice,
    /// Runs only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Shows which backends would be tested, and builds nothing
    #[arg(long)]
    list: bool,
}

/// Runs all tests; true where all are green.
pub fn test_all_backends(options: &Options) -> anyhow::Result<bool> {
    let all = matrix::read()?;
    if options.list {
        list(all, options)?;
        return Ok(true);
    }
    let backends = options.choice.choose(all)?;
    if std::env::var_os("GANVAS_DATA").is_none() {
        println!("GANVAS_DATA is not set: where real MNIST would be read, synthetic digits stand in.");
    }
    // Where each backend leaves a run for those after it.
    let exchange = crate::workspace().join("target/suite-exchange");
    if exchange.exists() {
        fs::remove_dir_all(&exchange).with_context(|| format!("cannot empty {}", exchange.display()))?;
    }
    let mut rows = Vec::new();
    // The libraries' own tests name no backend, so once is enough; one backend's tests do not need them.
    if options.choice.backend.is_empty() {
        let libraries = ["--workspace", "--exclude", "ganvas-tests"];
        let command = tests(
            options,
            &[&libraries[..], &["--features", "ganvas-shared-features/computing"]].concat(),
        );
        println!("\n── libraries ──");
        rows.push(run("libraries", "none".into(), command)?);
    }
    for backend in &backends {
        println!("\n── {} ──", backend.name);
        let start = Instant::now();
        rows.push(match backend.prepare() {
            Ok(ready) => {
                let mut command = tests(options, &["--package", "ganvas-tests", "--features", &ready.features]);
                command
                    .env("GANVAS_TEST_BACKEND", &backend.path)
                    .env("GANVAS_TEST_EXCHANGE", &exchange)
                    .envs(ready.environment);
                let row = run(&backend.name, ready.device, command)?;
                Row {
                    time: start.elapsed(),
                    ..row
                }
            }
            Err(error) => Row {
                name: backend.name.clone(),
                device: backend.device.clone(),
                counts: Counts::default(),
                time: start.elapsed(),
                reason: Some(format!("could not run: {error:#}")),
            },
        });
    }
    table::print(&rows);
    Ok(rows
        .iter()
        .all(|row| row.is_green() || (options.filter.is_some() && is_empty(row))))
}

/// Prints every backend, and whether it would be tested.
fn list(all: Vec<Backend>, options: &Options) -> anyhow::Result<()> {
    let chosen = options.choice.choose(all.clone())?;
    println!("{:<14} {:<10} {:<10} tested", "backend", "feature", "device");
    for backend in all {
        let tested = match (chosen.contains(&backend), backend.on_request) {
            (true, _) => "yes",
            (false, true) => "when named: --backend NAME",
            (false, false) => "no",
        };
        println!(
            "{:<14} {:<10} {:<10} {tested}",
            backend.name, backend.kind, backend.device
        );
    }
    Ok(())
}

/// A filter may leave nothing to run in some builds.
fn is_empty(row: &Row) -> bool {
    row.reason.is_none() && row.counts == Counts::default()
}

/// The command instantiates the whole training for its backend, which takes three minutes on two cores with optimizations and half of one without. What
/// computes lies in other packages, which have them.
const NOT_OPTIMIZED: &str = "--config=profile.release.package.ganvas.opt-level=0";

/// The cargo that builds and runs some of the tests.
fn tests(options: &Options, which: &[&str]) -> Command {
    let mut command = cargo();
    // One profile for all, the one that `cargo run --release` uses, so that dependencies are built once.
    command
        .args([
            "test",
            "--release",
            "--no-fail-fast",
            "--no-default-features",
            NOT_OPTIMIZED,
        ])
        .args(which)
        .args(options.filter.as_deref().map(|text| ["--", text]).into_iter().flatten());
    command
}

/// Runs one cargo, passing on what it prints, and counts.
fn run(name: &str, device: String, mut command: Command) -> anyhow::Result<Row> {
    let start = Instant::now();
    let mut running = Running::start(command.stdout(Stdio::piped()))?;
    let mut counts = Counts::default();
    if let Some(stdout) = running.child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("cannot read what cargo prints")?;
            counts.add_line(&line);
            println!("{line}");
        }
    }
    let reason = match (running.wait()?, counts.failed) {
        (true, _) => None,
        (false, 0) => Some("did not build, or was stopped: see above".to_owned()),
        (false, _) => Some("see the failures above".to_owned()),
    };
    Ok(Row {
        name: name.to_owned(),
        device,
        counts,
        time: start.elapsed(),
        reason,
    })
}
