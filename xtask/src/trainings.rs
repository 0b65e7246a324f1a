//! `cargo xtask trainings`: how long the experiments that ship really take, from their first step to their last picture.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;

use crate::{bench, cargo, children::Running};

#[derive(Args)]
pub struct Options {
    /// Trains only these [default: all on synthetic digits and MNIST]
    #[arg(value_name = "NAME")]
    experiments: Vec<String>,
}

/// What `ganvas info --json` says of a run.
#[derive(Deserialize)]
struct Info {
    finished: bool,
    saved_step: u64,
    backend: String,
}

/// `timings.json` of a run, in seconds.
#[derive(Deserialize)]
pub struct Timings {
    pub steps: u64,
    pub data: f64,
    pub updates: f64,
    pub logging: f64,
}

impl Timings {
    /// Those of the latest session of a run.
    pub fn of(run: &Path) -> anyhow::Result<Self> {
        let path = run.join("timings.json");
        let timings = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&timings).with_context(|| path.display().to_string())
    }
}

/// The command, built as users build it.
pub fn built_ganvas() -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    if !Running::start(build.args(["build", "--release"]))?.wait()? {
        bail!("ganvas did not build: see above");
    }
    Ok(crate::workspace().join("target/release/ganvas"))
}

/// Removes a run of before.
pub fn make_way(run: &Path) -> anyhow::Result<()> {
    match run.exists() {
        true => fs::remove_dir_all(run).with_context(|| format!("cannot remove {}", run.display())),
        false => Ok(()),
    }
}

/// Trains one after the other and prints a table in Markdown; true where all ended well.
pub fn trainings(options: &Options) -> anyhow::Result<bool> {
    let workspace = crate::workspace();
    let names: Vec<&str> = match options.experiments.as_slice() {
        [] => vec![
            "quickstart",
            "mnist",
            "mnist-conditional",
            "stacked-mnist",
            "wgan-gp",
            "r3gan",
            "dcgan",
            "mlp",
            "blog",
        ],
        named => named.iter().map(String::as_str).collect(),
    };
    let ganvas = built_ganvas()?;
    let folder = workspace.join("target/trainings");
    let mut table = "| experiment | backend | steps | a step | whole command |\n|---|---|---|---|---|\n".to_owned();
    let mut whole = true;
    for name in names {
        let run = folder.join(name);
        make_way(&run)?;
        println!("training {name}");
        let start = Instant::now();
        let mut train = Command::new(&ganvas);
        train.current_dir(&workspace).args(["train", name, "--out"]).arg(&run);
        let ended = Running::start(&mut train)?.wait()?;
        let seconds = start.elapsed().as_secs_f64();
        if !ended {
            println!("{name} did not end well: see above");
            whole = false;
            continue;
        }
        table += &row(name, seconds, &ganvas, &run)?;
    }
    println!("\n{}\n\n{table}", bench::machine());
    let path = folder.join("table.md");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::write(&path, &table).with_context(|| format!("cannot write {}", path.display()))?;
    println!("in {}, with the runs", folder.display());
    Ok(whole)
}

/// A line of the table.
fn row(name: &str, seconds: f64, ganvas: &Path, run: &Path) -> anyhow::Result<String> {
    let info = Command::new(ganvas)
        .args(["info", "--json"])
        .arg(run)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start ganvas")?;
    let info: Info = serde_json::from_slice(&info.stdout).context("ganvas info --json")?;
    if !info.finished {
        bail!("{name} is not finished");
    }
    let timings = Timings::of(run)?;
    Ok(format!(
        "| `{name}` | {} | {} | {:.1} ms | {} |\n",
        info.backend,
        info.saved_step,
        timings.updates / info.saved_step as f64 * 1e3,
        duration(seconds)
    ))
}

/// `42 s`, `3 min 05 s`.
fn duration(seconds: f64) -> String {
    match seconds.round() as u64 {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}
