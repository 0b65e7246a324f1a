//! `cargo xtask bench`: how long a step takes, on each backend, network and batch size, beside PyTorch.

mod measure;
mod python;
mod report;

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::{
    cargo,
    children::Running,
    matrix::{self, Choice, Ready},
};
use measure::{Contender, Sample, Shares};
use report::Row;
pub use report::machine;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    choice: Choice,
    /// Measures only this experiment; can be given again [default: blog, dcgan and mlp of configs/]
    #[arg(long, value_name = "FILE")]
    experiment: Vec<PathBuf>,
    /// Measures only this batch size; can be given again [default: 64 and 256]
    #[arg(long, value_name = "N")]
    batch_size: Vec<usize>,
    /// How often everything is measured, in turn, so that a busy machine slows all alike
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Seconds that the timed steps of one measurement take at least
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Measures PyTorch beside them; a virtual environment with it is made where it is missing (gigabytes)
    #[arg(long)]
    with_pytorch: bool,
    /// The Python that has PyTorch, instead of a virtual environment of the workspace's own
    #[arg(long, value_name = "FILE", requires = "with_pytorch")]
    python: Option<PathBuf>,
    /// Where PyTorch computes: cpu, cuda, mps
    #[arg(long, value_name = "DEVICE", default_value = "cpu", requires = "with_pytorch")]
    pytorch_device: String,
    /// Leaves out the short trainings that show what data, logging and pictures cost
    #[arg(long)]
    steps_only: bool,
    /// Where the figures go, as JSON
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    out: PathBuf,
}

/// One network at one batch size.
#[derive(Debug, Clone)]
pub struct Case {
    /// The experiment's file.
    pub experiment: PathBuf,
    /// Images of a batch.
    pub batch_size: usize,
}

/// Measures all; true where everything could be measured.
pub fn bench(options: &Options) -> anyhow::Result<bool> {
    let workspace = crate::workspace();
    let chosen = options.choice.choose(matrix::read()?)?;
    let mut contenders = Vec::new();
    let mut whole = true;
    let (mut features, mut environment) = (Vec::new(), Vec::new());
    for backend in chosen {
        match backend.prepare() {
            Ok(Ready {
                environment: of_backend,
                device,
                ..
            }) => {
                features.push(backend.kind.clone());
                environment.extend(of_backend);
                contenders.push(Contender::backend(&backend, &device));
            }
            Err(error) => {
                println!("{} is left out: {error:#}", backend.name);
                whole = false;
            }
        }
    }
    if options.with_pytorch {
        let python = python::find(options.python.as_deref())?;
        contenders.extend([false, true].map(|channels_last| Contender::Pytorch {
            python: python.clone(),
            device: options.pytorch_device.clone(),
            channels_last,
        }));
    }
    if features.is_empty() {
        bail!("no backend is left to measure");
    }
    features.sort();
    features.dedup();
    let mut build = cargo();
    build.args(["build", "--release"]).envs(environment.iter().cloned());
    // What `cargo run` builds has ndarray alone, and is taken as it is.
    if features != ["ndarray"] {
        let features = format!("{},ganvas-shared-features/computing", features.join(","));
        build
            .args(["--package", "ganvas", "--package", "ganvas-shared-features"])
            .args(["--no-default-features", "--features", &features]);
    }
    if !Running::start(&mut build)?.wait()? {
        bail!("ganvas did not build: see above");
    }

    let experiments = match options.experiment.as_slice() {
        [] => ["blog", "dcgan", "mlp"]
            .map(|name| workspace.join(format!("configs/{name}.toml")))
            .to_vec(),
        named => named
            .iter()
            .map(|path| path.canonicalize().with_context(|| path.display().to_string()))
            .collect::<anyhow::Result<_>>()?,
    };
    let batch_sizes = match options.batch_size.as_slice() {
        [] => vec![64, 256],
        named => named.to_vec(),
    };
    let cases: Vec<Case> = experiments
        .iter()
        .flat_map(|experiment| {
            batch_sizes.iter().map(|&batch_size| Case {
                experiment: experiment.clone(),
                batch_size,
            })
        })
        .collect();

    let mut rows: Vec<Row> = Vec::new();
    for round in 1..=options.rounds {
        for (number, case) in cases.iter().enumerate() {
            for contender in &contenders {
                // On a software adapter a step takes seconds to minutes: its time is measured once, at the first batch size.
                if contender.is_slow() && (round > 1 || number % batch_sizes.len() > 0) {
                    continue;
                }
                println!(
                    "round {round}/{}  {}  batch {}  {contender}",
                    options.rounds,
                    case.experiment.file_stem().unwrap_or_default().display(),
                    case.batch_size
                );
                match contender.measure(case, options.seconds, &environment) {
                    Ok(sample) => report::add(&mut rows, case, contender, sample),
                    Err(error) => {
                        println!("  could not be measured: {error:#}");
                        whole = false;
                    }
                }
            }
        }
    }
    let mut shares: Vec<(String, Shares)> = Vec::new();
    if !options.steps_only {
        for contender in contenders.iter().filter(|contender| !contender.is_slow()) {
            if let Contender::Backend { file, .. } = contender {
                println!("a short training  {contender}");
                shares.push((contender.to_string(), Shares::measure(file, &environment)?));
            }
        }
    }
    report::print(&rows, &shares);
    let out = workspace.join(&options.out);
    report::write(&out, &rows, &shares)?;
    println!("\nall figures: {}", out.display());
    Ok(whole)
}
