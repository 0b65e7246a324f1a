//! The experiments and backends of `configs/`, embedded in the program and taken by name.

use std::path::Path;

use ganvas_training::{BackendFile, ConfigError, ConfigText, nearest};
use tracing::info;

/// A file of `configs/` or `configs/backends/`.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// The file's name without `.toml`.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

/// One array of files, from their names.
macro_rules! shipped {
    ($folder:literal: $($name:literal)*) => {
        &[$(Shipped { name: $name, text: include_str!(concat!("../../../configs/", $folder, $name, ".toml")) }),*]
    };
}

/// The experiments, the one to begin with first.
pub const EXPERIMENTS: &[Shipped] = shipped!("": "quickstart" "mnist" "mnist-conditional" "fashion-mnist" "stacked-mnist" "wgan-gp" "r3gan" "dcgan"
        "mlp" "blog");

/// The backends.
pub const BACKENDS: &[Shipped] =
    shipped!("backends/": "ndarray" "flex" "libtorch" "libtorch-cuda" "wgpu" "vulkan" "metal" "cuda" "rocm" "cpu");

impl Shipped {
    /// What it is, in one line: the first sentence of its comments.
    pub fn description(&self) -> &'static str {
        let comments = self.text.lines().filter_map(|line| line.strip_prefix("# "));
        comments.map(str::trim).next().unwrap_or_default()
    }

    /// What came of an experiment, in one line, where its comments say that: score, floor and time.
    pub fn result(&self) -> Option<&'static str> {
        self.text.lines().find_map(|line| line.strip_prefix("# Result: "))
    }

    /// The text, and what errors call it.
    fn config_text(&self) -> ConfigText {
        ConfigText {
            text: self.text.to_owned(),
            source: format!("{} (shipped with ganvas)", self.name),
            name: self.name.to_owned(),
        }
    }
}

/// The experiment that an argument means: a file, or else one of [`EXPERIMENTS`] by name.
pub fn experiment(argument: &Path) -> Result<ConfigText, ConfigError> {
    find(argument, EXPERIMENTS, "ganvas config list")
}

/// The backend that an argument means: a file, or else one of [`BACKENDS`] by name.
pub fn backend(argument: &Path) -> Result<BackendFile, ConfigError> {
    BackendFile::parse(&find(argument, BACKENDS, "ganvas backends")?)
}

/// Whether an argument is the name of a shipped experiment.
pub fn is_experiment(argument: &Path) -> bool {
    by_name(argument, EXPERIMENTS).is_some()
}

/// A shipped file by its name.
pub fn by_name(argument: &Path, shipped: &'static [Shipped]) -> Option<&'static Shipped> {
    shipped.iter().find(|file| argument.as_os_str() == file.name)
}

fn find(argument: &Path, shipped: &'static [Shipped], list: &str) -> Result<ConfigText, ConfigError> {
    let known = by_name(argument, shipped);
    if argument.is_file() {
        if known.is_some() {
            let name = argument.display();
            info!("`{name}` is a file here, which is taken instead of what ships with ganvas under that name");
        }
        return ConfigText::read(argument);
    }
    if let Some(file) = known {
        return Ok(file.config_text());
    }
    let failure = match ConfigText::read(argument) {
        Ok(text) => return Ok(text),
        Err(failure) => failure,
    };
    // A name, and not a path that leads somewhere.
    let is_name = argument.components().count() == 1 && !argument.is_dir();
    if !is_name {
        return Err(failure);
    }
    let stem = argument.file_stem().unwrap_or_default().to_string_lossy();
    let names = || shipped.iter().map(|file| file.name);
    let same = names().find(|name| name.eq_ignore_ascii_case(&stem)).map(str::to_owned);
    Err(ConfigError {
        message: format!("no such file, and nothing that ships with ganvas has this name; `{list}` lists what does",),
        suggestion: same.or(failure.suggestion).or_else(|| nearest(&stem, names())),
        source: failure.source,
        is_override: false,
        line: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;

    #[test]
    fn every_file_of_the_project_is_embedded() {
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
        for (folder, shipped) in [("", EXPERIMENTS), ("backends", BACKENDS)] {
            let names: BTreeSet<String> = fs::read_dir(configs.join(folder))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
                .collect();
            assert_eq!(names, shipped.iter().map(|file| file.name.to_owned()).collect());
            for file in shipped {
                assert!(!file.description().is_empty(), "{}", file.name);
                // Beside a column of names, within the 80 columns of a terminal.
                for line in [file.description(), file.result().unwrap_or_default()] {
                    assert!(folder == "backends" || line.chars().count() <= 61, "{line}");
                }
            }
        }
    }

    /// `12 ± 3` and `1 min 02 s` of a line.
    fn numbers(line: &str) -> Vec<String> {
        let words: Vec<&str> = line
            .split_whitespace()
            .map(|word| word.trim_matches(['(', ')', ',', ';', '%']))
            .collect();
        let spreads = words.windows(3).filter(|words| words[1] == "±");
        let times = words.windows(4).filter(|words| words[1] == "min" && words[3] == "s");
        spreads
            .map(|words| words.join(" "))
            .chain(times.map(|words| words.join(" ")))
            .collect()
    }

    #[test]
    fn the_readme_has_the_results_of_the_experiments() {
        let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
        for file in EXPERIMENTS {
            let result = numbers(file.result().unwrap());
            assert!(result.len() >= 2, "{}: {result:?}", file.name);
            let start = format!("| `{}`", file.name);
            let mut rows = readme.lines().filter(|row| row.starts_with(&start));
            let has_all = |row: &str| result.iter().all(|number| row.contains(number));
            assert!(rows.any(has_all), "no row of README has {}'s {result:?}", file.name);
        }
    }
}
