//! A folder to run the command in.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use crate::KIND;

/// A folder for one test, with a small experiment in it.
pub struct Desk {
    pub folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.toml"), tiny()).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ganvas-under-test"));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .env_remove("RUST_LOG")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::from(self.command(arguments).output().unwrap(), arguments)
    }

    /// Runs what must succeed.
    pub fn ok(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        run
    }
}

pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn from(output: Output, arguments: &[&str]) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let run = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: without_adapter(&text(output.stderr)),
        };
        assert!(!run.stderr.contains("panicked"), "{arguments:?}: {}", run.stderr);
        run
    }
}

/// What a command says beside the warning of a software adapter, which every one that computes gives there.
pub fn without_adapter(stderr: &str) -> String {
    let lines = stderr.split_inclusive('\n');
    lines
        .filter(|line| !line.contains(" is a software adapter: "))
        .collect()
}

fn tiny() -> String {
    format!(
        "seed = 5\n[backend]\nkind = \"{KIND}\"\n[data]\nbatch_size = 16\ncount = 40\n[model]\nnetwork = \"dcgan\"\n\
         latent_size = 8\nbase_channels = 4\n[training]\nepochs = 2\n[logging]\nevery = 1\n[samples]\nevery = 3\n"
    )
}

/// Waits until a run has logged some steps.
#[cfg(unix)]
pub fn wait_for_steps(metrics: &Path, steps: usize) {
    let start = Instant::now();
    while fs::read_to_string(metrics).map_or(0, |text| text.lines().count()) < steps {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "no step was logged in two minutes"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command with `GANVAS_DATA` as given, and with a cache folder that is empty.
#[cfg(feature = "ndarray")]
pub fn run_with_data(desk: &Desk, data: Option<&str>, arguments: &[&str]) -> Run {
    let mut command = desk.command(arguments);
    command.env("XDG_CACHE_HOME", desk.path("cache"));
    command.env("HOME", desk.path("home"));
    match data {
        Some(data) => command.env("GANVAS_DATA", data),
        None => command.env_remove("GANVAS_DATA"),
    };
    Run::from(command.output().unwrap(), arguments)
}

/// Holds a command to its exit code, and to parts of what it said.
#[cfg(feature = "ndarray")]
#[track_caller]
pub fn says(run: &Run, code: i32, parts: &[&str]) {
    let text = format!("{}{}", run.stdout, run.stderr);
    assert_eq!(run.code, code, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}
