//! `cargo xtask check`: what can be said without running anything.

use anyhow::{Context, bail};

use crate::{cargo, libtorch, matrix};

/// The crates that know no backend.
const GENERIC: [&str; 7] = [
    "ganvas-cpu",
    "ganvas-data",
    "ganvas-evaluator",
    "ganvas-export",
    "ganvas-metrics",
    "ganvas-model",
    "ganvas-training",
];

/// The crates that are backends.
const BACKENDS: [&str; 11] = [
    "burn-ndarray",
    "burn-flex",
    "burn-tch",
    "burn-wgpu",
    "burn-cuda",
    "burn-rocm",
    "burn-cpu",
    "burn-candle",
    "burn-cubecl",
    "tch",
    "wgpu",
];

/// A name, the arguments for cargo, and the environment.
type Step<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)]);

/// Runs all checks; true where all pass.
pub fn check() -> anyhow::Result<bool> {
    let backends = matrix::read()?.into_iter().filter(|backend| !backend.on_request);
    let (present, absent): (Vec<_>, Vec<_>) =
        backends.partition(|backend| backend.kind != "libtorch" || libtorch::is_at_hand());
    for backend in absent {
        println!(
            "{} is left out: `cargo xtask setup {}` gets what it needs",
            backend.name, backend.kind
        );
    }
    let features = present
        .into_iter()
        .map(|backend| backend.kind)
        .collect::<Vec<_>>()
        .join(",");
    let steps: [Step<'_>; 3] = [
        ("format", &["fmt", "--all", "--check"], &[]),
        (
            "lints",
            &[
                "clippy",
                "--release",
                "--workspace",
                "--all-targets",
                "--features",
                &features,
                "--",
                "-D",
                "warnings",
            ],
            &[],
        ),
        (
            "documentation",
            // With the features of the lints, whose view of third-party crates it then takes.
            &["doc", "--release", "--workspace", "--no-deps", "--features", &features],
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    ];
    let mut passed = true;
    for (name, arguments, environment) in steps {
        println!("── {name} ──");
        let status = cargo()
            .args(arguments)
            .envs(environment.iter().copied())
            .status()
            .context("cannot start cargo")?;
        passed &= status.success();
    }
    println!("── only crates/backend names a backend ──");
    for package in GENERIC {
        let output = cargo()
            .args([
                "tree",
                "--package",
                package,
                "--edges",
                "normal",
                "--prefix",
                "none",
                "--format",
                "{p}",
            ])
            .output()
            .context("cannot start cargo")?;
        if !output.status.success() {
            bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr));
        }
        let tree = String::from_utf8_lossy(&output.stdout).into_owned();
        for backend in BACKENDS {
            if tree.lines().any(|line| line.split_whitespace().next() == Some(backend)) {
                println!("{package} depends on {backend}");
                passed = false;
            }
        }
    }
    println!(
        "{}",
        if passed {
            "all checks passed"
        } else {
            "some checks failed: see above"
        }
    );
    Ok(passed)
}
