//! One measurement is one process, so that memory and start are its own.

use std::{
    ffi::OsString,
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::{bench::Case, children::Running, matrix::Backend};

/// Whose steps are timed.
#[derive(Debug, Clone)]
pub enum Contender {
    /// ganvas on a backend.
    Backend {
        /// The name of its file in `configs/backends`.
        name: String,
        /// The file.
        file: PathBuf,
        /// Whether it computes on a software adapter.
        slow: bool,
    },
    /// PyTorch, eager.
    Pytorch {
        /// The Python that has it.
        python: PathBuf,
        /// Its name for a device.
        device: String,
        /// Whether tensors lie in the order that it calls `channels_last`, instead of its default order.
        channels_last: bool,
    },
}

impl fmt::Display for Contender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend { name, .. } => formatter.write_str(name),
            Self::Pytorch { channels_last, .. } => formatter.write_str(if *channels_last {
                "PyTorch, channels last"
            } else {
                "PyTorch"
            }),
        }
    }
}

/// What one process reports.
#[derive(Debug, Clone, Deserialize)]
pub struct Sample {
    /// Where it computed.
    pub device: String,
    /// Of each timed step.
    pub step_seconds: Vec<f64>,
    /// Seconds since 1970 at the end of the first step.
    first_step_at: f64,
    /// The most memory that it held.
    pub peak_memory_bytes: Option<u64>,
    /// Floating-point operations of a step; PyTorch's are those of the same network here.
    pub step_operations: Option<f64>,
    /// Of a large matrix product, a second.
    pub product_operations_per_second: Option<f64>,
    /// Seconds from the start of the process to the end of the first step.
    #[serde(default)]
    pub first_step_seconds: f64,
}

impl Contender {
    /// A backend that is ready.
    pub fn backend(backend: &Backend, device: &str) -> Self {
        Self::Backend {
            name: backend.name.clone(),
            file: backend.path.clone(),
            slow: device.contains("llvmpipe"),
        }
    }

    /// True where a step takes seconds to minutes.
    pub fn is_slow(&self) -> bool {
        matches!(self, Self::Backend { slow: true, .. })
    }

    /// Runs it once.
    pub fn measure(&self, case: &Case, seconds: f64, environment: &[(&str, OsString)]) -> anyhow::Result<Sample> {
        let Case { experiment, batch_size } = case;
        let mut command = match self {
            Self::Backend { file, slow, .. } => {
                let mut command = ganvas(environment);
                command.arg("bench").arg(experiment).arg("--backend").arg(file);
                command
                    .arg("--set")
                    .arg(format!("data.batch_size={batch_size}"))
                    .arg("--json");
                // Any images take the same time; the real ones are taken where they are, so that the start is a real one.
                if std::env::var_os("GANVAS_DATA").is_none() {
                    command.args(["--set", "data.dataset=synthetic"]);
                }
                if *slow {
                    command.args(["--warm-up", "1", "--steps", "2", "--seconds", "0"]);
                } else {
                    command.args(["--steps", "5", "--seconds", &seconds.to_string()]);
                }
                command
            }
            Self::Pytorch {
                python,
                device,
                channels_last,
            } => {
                let script = crate::workspace().join("xtask/src/bench/pytorch_step.py");
                let mut command = Command::new(python);
                command.arg(script).args(networks(experiment)?);
                command.args([
                    "--batch-size",
                    &batch_size.to_string(),
                    "--seconds",
                    &seconds.to_string(),
                ]);
                command.args(["--device", device]);
                if *channels_last {
                    command.arg("--channels-last");
                }
                command
            }
        };
        let start = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
        let text = output(&mut command)?;
        let mut sample: Sample =
            serde_json::from_str(&text).with_context(|| format!("expected figures as JSON, found {text}"))?;
        sample.first_step_seconds = sample.first_step_at - start;
        Ok(sample)
    }
}

/// What share of a real training is not spent in its steps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shares {
    steps: u64,
    data: f64,
    updates: f64,
    logging: f64,
    sampling: f64,
    saving: f64,
    writing: f64,
}

impl Shares {
    /// Trains `configs/quickstart.toml` for 1000 steps, with the samples and the checkpoint that belong to them.
    pub fn measure(backend: &Path, environment: &[(&str, OsString)]) -> anyhow::Result<Self> {
        let folder = crate::workspace().join("target/bench-run");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        let mut command = ganvas(environment);
        command.args([
            "--quiet",
            "train",
            "configs/quickstart.toml",
            "--set",
            "training.max_steps=1000",
        ]);
        command.arg("--backend").arg(backend).arg("--out").arg(&folder);
        output(&mut command)?;
        let path = folder.join("timings.json");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Data, logging, sampling, saving, and the writing that goes on beside the steps, as shares of all.
    pub fn shares(&self) -> [f64; 5] {
        let all = self.data + self.updates + self.logging + self.sampling + self.saving;
        [self.data, self.logging, self.sampling, self.saving, self.writing].map(|part| part / all)
    }
}

/// The command that was built.
fn ganvas(environment: &[(&str, OsString)]) -> Command {
    // Relative to the workspace, as cargo takes it.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let name = format!("release/ganvas{}", std::env::consts::EXE_SUFFIX);
    let mut command = Command::new(crate::workspace().join(target).join(name));
    command
        .current_dir(crate::workspace())
        .envs(environment.iter().map(|(key, value)| (key, value)));
    command
}

/// The keys of `[model]` that PyTorch's script knows.
const KNOWN_TO_PYTORCH: [&str; 5] = [
    "network",
    "latent_size",
    "base_channels",
    "hidden_sizes",
    "initialization",
];

/// What says to PyTorch's script which networks an experiment has: the family, and of `dcgan` its images and channels. Others than it has are refused.
fn networks(experiment: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(experiment).with_context(|| format!("cannot read {}", experiment.display()))?;
    let table: toml::Table = toml::from_str(&text).with_context(|| experiment.display().to_string())?;
    let value = |section: &str, key: &str| table.get(section).and_then(|section| section.get(key));
    let name = value("model", "network")
        .and_then(toml::Value::as_str)
        .with_context(|| format!("{}: expected a key `model.network`", experiment.display()))?;
    let mut arguments = vec!["--network".to_owned(), name.to_owned()];
    let unknown = |section: &str, known: &[&str]| {
        let keys = table
            .get(section)
            .and_then(toml::Value::as_table)
            .into_iter()
            .flat_map(toml::Table::keys);
        let mut keys = keys.filter(|key| !known.contains(&key.as_str()));
        keys.next().map(|key| format!("{section}.{key}"))
    };
    if let Some(key) = unknown("model", &KNOWN_TO_PYTORCH).or_else(|| unknown("objective", &["loss"])) {
        bail!(
            "{}: PyTorch's script has nothing for `{key}`; take an experiment without it, such as configs/dcgan.toml",
            experiment.display()
        );
    }
    if name == "dcgan" {
        // Where no data sets are, synthetic digits stand in, which are grey.
        let is_stacked = value("data", "dataset").and_then(toml::Value::as_str) == Some("stacked-mnist");
        let channels = if is_stacked && std::env::var_os("GANVAS_DATA").is_some() {
            3
        } else {
            1
        };
        let integer = |section, key, default| value(section, key).and_then(toml::Value::as_integer).unwrap_or(default);
        let sizes = [
            ("--image-size", integer("data", "image_size", 28)),
            ("--channels", channels),
            ("--base-channels", integer("model", "base_channels", 64)),
            ("--latent-size", integer("model", "latent_size", 100)),
        ];
        arguments.extend(
            sizes
                .into_iter()
                .flat_map(|(argument, size)| [argument.to_owned(), size.to_string()]),
        );
    }
    Ok(arguments)
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    // Standard error is a few lines, which fit its pipe; it is read after standard output has ended.
    let (mut text, mut complaint) = (String::new(), String::new());
    if let Some(stdout) = &mut running.child.stdout {
        stdout.read_to_string(&mut text).context("cannot read the figures")?;
    }
    if let Some(stderr) = &mut running.child.stderr {
        stderr
            .read_to_string(&mut complaint)
            .context("cannot read the errors")?;
    }
    if !running.wait()? {
        bail!("{} failed: {}", command.get_program().display(), complaint.trim());
    }
    Ok(text)
}
