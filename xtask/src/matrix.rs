//! Which backends there are: one TOML file each.

use std::{ffi::OsString, fs, path::PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;

use crate::{libtorch, vulkan};

/// A backend of `configs/backends/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// The file's name without `.toml`, by which it is chosen.
    pub name: String,
    /// The cargo feature.
    pub kind: String,
    /// Where it computes.
    pub device: String,
    /// True where it is tested only when it is named.
    pub on_request: bool,
    /// The file.
    pub path: PathBuf,
}

/// What it takes to build and run the suite on a backend that is ready.
pub struct Ready {
    /// The cargo features.
    pub features: String,
    /// Where it computes, for the table.
    pub device: String,
    /// Set for cargo and the tests.
    pub environment: Vec<(&'static str, OsString)>,
}

impl Backend {
    /// Sees to what the backend needs besides Rust.
    pub fn prepare(&self) -> anyhow::Result<Ready> {
        let mut ready = Ready {
            features: self.kind.clone(),
            device: self.device.clone(),
            environment: Vec::new(),
        };
        let mut on_gpu = !matches!(self.kind.as_str(), "ndarray" | "flex" | "libtorch" | "cpu");
        match self.kind.as_str() {
            "libtorch" => {
                let found = libtorch::set_up()?;
                println!("libtorch: {} ({})", found.home.display(), found.origin);
                if cfg!(windows) {
                    // Elsewhere cargo finds the link that setup made, and programs have the path written into them.
                    let path = std::env::var_os("PATH").unwrap_or_default();
                    let folders = std::iter::once(found.home.join("lib")).chain(std::env::split_paths(&path));
                    ready.environment.push(("PATH", std::env::join_paths(folders)?));
                    ready.environment.push(("LIBTORCH", found.home.into()));
                }
            }
            "wgpu" | "vulkan" => {
                let adapter = vulkan::set_up()?;
                println!("vulkan: {}", adapter.name);
                if !adapter.software {
                    ready.features.push_str(",fused");
                }
                on_gpu = !adapter.software;
                ready.device = adapter.name;
                // Without a desktop session, a layer of Mesa prints errors about a screen that nobody wants.
                if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
                    ready.environment.push(("NODEVICE_SELECT", "1".into()));
                }
            }
            _ => {}
        }
        if on_gpu {
            // It is shared by the tests that run side by side, each of which has kernels tuned by their times.
            ready.environment.push(("RUST_TEST_THREADS", "1".into()));
        }
        Ok(ready)
    }
}

/// What of the file matters here; the suite reads and checks the whole.
#[derive(Deserialize)]
struct File {
    backend: Section,
    #[serde(default)]
    tests: Tests,
}

#[derive(Default, Deserialize)]
struct Tests {
    #[serde(default)]
    on_request: bool,
}

#[derive(Deserialize)]
struct Section {
    kind: String,
    #[serde(default = "default_device")]
    device: String,
}

/// Each backend has one.
fn default_device() -> String {
    "default".into()
}

/// Reads every file of `configs/backends/`, `ndarray` first: it compiles fastest, so a mistake shows soonest.
pub fn read() -> anyhow::Result<Vec<Backend>> {
    let folder = crate::workspace().join("configs/backends");
    let mut backends = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file: File = toml::from_str(&text).with_context(|| path.display().to_string())?;
        backends.push(Backend {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            kind: file.backend.kind,
            device: file.backend.device,
            on_request: file.tests.on_request,
            path,
        });
    }
    if backends.is_empty() {
        bail!(
            "{}: expected a TOML file for each backend, found none",
            folder.display()
        );
    }
    backends.sort_by_key(|backend| (backend.kind != "ndarray", backend.name.clone()));
    Ok(backends)
}

/// Which of them a command takes.
#[derive(Args)]
pub struct Choice {
    /// Takes only this backend; can be given again
    #[arg(long, value_name = "NAME")]
    pub backend: Vec<String>,
    /// Leaves this backend out; can be given again
    #[arg(long, value_name = "NAME")]
    pub skip: Vec<String>,
}

impl Choice {
    /// Takes the backends named, all that need not be where none is named, without those skipped.
    pub fn choose(&self, all: Vec<Backend>) -> anyhow::Result<Vec<Backend>> {
        let Self { backend: named, skip } = self;
        let known: Vec<&str> = all.iter().map(|backend| backend.name.as_str()).collect();
        if let Some(stranger) = named.iter().chain(skip).find(|name| !known.contains(&name.as_str())) {
            bail!("unknown backend `{stranger}`, expected one of {}", known.join(", "));
        }
        Ok(all
            .into_iter()
            .filter(|backend| named.contains(&backend.name) || (named.is_empty() && !backend.on_request))
            .filter(|backend| !skip.contains(&backend.name))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(named: &[&str], skipped: &[&str]) -> anyhow::Result<Vec<String>> {
        let own = |list: &[&str]| list.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let choice = Choice {
            backend: own(named),
            skip: own(skipped),
        };
        Ok(choice
            .choose(read()?)?
            .into_iter()
            .map(|backend| backend.name)
            .collect())
    }

    #[test]
    fn backends_are_chosen_and_skipped_by_name() {
        assert_eq!(names(&[], &[]).unwrap()[0], "ndarray");
        assert_eq!(names(&["flex"], &[]).unwrap(), ["flex"]);
        assert_eq!(names(&[], &[]).unwrap(), ["ndarray", "flex", "libtorch", "wgpu"]);
        assert_eq!(names(&["cuda"], &[]).unwrap(), ["cuda"]);
        assert!(!names(&[], &["flex"]).unwrap().contains(&"flex".to_owned()));
        assert!(
            names(&["flxe"], &[])
                .unwrap_err()
                .to_string()
                .contains("unknown backend `flxe`")
        );
    }
}
