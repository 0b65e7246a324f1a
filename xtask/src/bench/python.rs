//! A Python that has PyTorch.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::{children::Running, libtorch};

/// PyTorch's own index of packages for processors: a tenth of the size of what PyPI has for Linux.
const CPU_PACKAGES: &str = "https://download.pytorch.org/whl/cpu";

/// The named Python, or that of the workspace's virtual environment, made where it is missing.
pub fn find(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(python) = named {
        if !has_pytorch(python) {
            bail!("{} cannot import torch", python.display());
        }
        return Ok(python.to_owned());
    }
    let folder = crate::workspace().join(".cache/pytorch");
    let python = if cfg!(windows) {
        folder.join("Scripts/python.exe")
    } else {
        folder.join("bin/python")
    };
    if has_pytorch(&python) {
        return Ok(python);
    }
    println!("PyTorch is not here: installing it into {}", folder.display());
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .context("cannot make a virtual environment; on Debian and Ubuntu, `apt-get install python3-venv`")?;
    let install = |index: &[&str]| {
        let package = format!("torch=={}", libtorch::VERSION);
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--quiet",
                &package,
            ])
            .args(index))
    };
    if let Err(error) = install(&["--index-url", CPU_PACKAGES, "--retries", "1"]) {
        println!("PyTorch's own index of packages could not be used ({error:#}); taking PyPI's package");
        install(&[])?;
    }
    // With these the suite compares what `ganvas export` writes; for the bench they are not needed.
    let others = [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--quiet",
        "numpy",
        "safetensors",
    ];
    run(Command::new(&python).args(others))?;
    if !has_pytorch(&python) {
        bail!("{} cannot import torch after it was installed", python.display());
    }
    Ok(python)
}

fn has_pytorch(python: &Path) -> bool {
    Command::new(python)
        .args(["-c", "import torch"])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    if Running::start(command)?.wait()? {
        return Ok(());
    }
    bail!("{} failed", command.get_program().display())
}
