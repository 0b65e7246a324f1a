//! `cargo xtask setup`: what backends need besides Rust.

use clap::{Args, ValueEnum};

use crate::{libtorch, vulkan};

#[derive(Args)]
pub struct Options {
    /// What to set up; both where none is named
    #[arg(value_enum)]
    what: Vec<What>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// libtorch 2.9.0, for the backend libtorch
    Libtorch,
    /// A Vulkan adapter, for the backend wgpu
    Vulkan,
}

/// Sets up what is asked for; true where all of it is there in the end.
pub fn set_up(options: &Options) -> anyhow::Result<bool> {
    let wanted = |what| options.what.is_empty() || options.what.contains(&what);
    let mut whole = true;
    if wanted(What::Libtorch) {
        whole &= reported(
            "libtorch",
            libtorch::set_up().map(|found| format!("{} ({})", found.home.display(), found.origin)),
        );
    }
    if wanted(What::Vulkan) {
        whole &= reported(
            "vulkan",
            vulkan::set_up().map(|adapter| {
                let kind = if adapter.software { ", a software adapter" } else { "" };
                format!("{}{kind}", adapter.name)
            }),
        );
    }
    Ok(whole)
}

fn reported(name: &str, result: anyhow::Result<String>) -> bool {
    match &result {
        Ok(found) => println!("{name}: {found}"),
        Err(error) => eprintln!("{name}: {error:#}"),
    }
    result.is_ok()
}
