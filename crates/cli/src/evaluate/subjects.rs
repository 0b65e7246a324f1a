//! What is judged: the images of checkpoints, or samples of any tool.

use std::path::{Path, PathBuf};

use anyhow::bail;
use ganvas_data::{ImageSet, ImageSource, read_samples};
use ganvas_training::{Checkpoint, CheckpointSummary, Experiment, RunDirectory, RunLocation};
use tracing::{info, warn};

use crate::{args::EvaluateArguments, ended::UsageError, quoting::quoted, screen};

/// A set of images to be judged.
pub enum Subject {
    /// A checkpoint, which makes them.
    Checkpoint {
        /// What it is called in the table.
        label: String,
        /// The folder of its run.
        run: PathBuf,
        checkpoint: Box<Checkpoint>,
        experiment: Box<Experiment>,
    },
    /// Samples that were read.
    Samples {
        /// What they are called in the table.
        label: String,
        images: ImageSet,
    },
}

impl Subject {
    pub fn label(&self) -> &str {
        match self {
            Self::Checkpoint { label, .. } | Self::Samples { label, .. } => label,
        }
    }

    /// The folder of the run of a checkpoint.
    pub fn run(&self) -> Option<&Path> {
        match self {
            Self::Checkpoint { run, .. } => Some(run),
            Self::Samples { .. } => None,
        }
    }

    /// The step of a checkpoint.
    pub fn step(&self) -> Option<u64> {
        match self {
            Self::Checkpoint { checkpoint, .. } => Some(checkpoint.state.step),
            Self::Samples { .. } => None,
        }
    }

    /// What a checkpoint was trained by.
    pub fn experiment(&self) -> Option<&Experiment> {
        match self {
            Self::Checkpoint { experiment, .. } => Some(experiment),
            Self::Samples { .. } => None,
        }
    }

    /// How many images are judged where `count` are asked for.
    pub fn at_most(&self, count: usize) -> usize {
        match self {
            Self::Checkpoint { .. } => count,
            Self::Samples { images, .. } => images.len().min(count),
        }
    }
}

/// Finds what the arguments name, in their order.
pub fn find(arguments: &EvaluateArguments) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for source in &arguments.sources {
        match RunLocation::find(source) {
            Ok(location) => subjects.extend(of_run(source, &location, arguments)?),
            Err(_) if !source.exists() => bail!(UsageError(format!(
                "{}: no such file or folder; expected a run, a checkpoint in it, or samples: .npy, .npz, .idx, or a folder of PNGs",
                quoted(source)
            ))),
            Err(_) => {
                let flag = match (&arguments.checkpoint, arguments.all_checkpoints) {
                    (Some(_), _) => Some("--checkpoint"),
                    (None, true) => Some("--all-checkpoints"),
                    (None, false) => None,
                };
                if let Some(flag) = flag {
                    bail!(UsageError(format!(
                        "{flag} says which checkpoints of a run are judged, and {} is no run",
                        quoted(source)
                    )));
                }
                subjects.push(samples(source, arguments)?);
            }
        }
    }
    Ok(subjects)
}

fn of_run(source: &Path, location: &RunLocation, arguments: &EvaluateArguments) -> anyhow::Result<Vec<Subject>> {
    if arguments.range.is_some() {
        bail!(UsageError(format!(
            "--range says how to read samples, and {} is a run",
            quoted(source)
        )));
    }
    let checkpoints = match (&location.run, arguments.all_checkpoints) {
        (Some(run), true) => {
            let found = CheckpointSummary::of(&RunDirectory::at(run))?;
            // One that is damaged, or that the training removes meanwhile, keeps nobody from the others.
            let whole = found
                .iter()
                .filter_map(|summary| match Checkpoint::choose(&summary.path, None) {
                    Ok(checkpoint) => Some(checkpoint),
                    Err(error) => {
                        warn!("left out: {error}");
                        None
                    }
                });
            whole.collect()
        }
        _ => vec![Checkpoint::choose(source, arguments.checkpoint)?],
    };
    if checkpoints.is_empty() {
        // Says why there is none.
        Checkpoint::choose(source, None)?;
    }
    let name = location.run.as_deref().unwrap_or(source);
    // By whatever way it was named; a checkpoint that lies alone is its own.
    let run = name.canonicalize().unwrap_or_else(|_| name.to_owned());
    checkpoints
        .into_iter()
        .map(|checkpoint| {
            Ok(Subject::Checkpoint {
                label: format!("{}, step {}", quoted(name), checkpoint.state.step),
                run: run.clone(),
                experiment: Box::new(checkpoint.experiment()?),
                checkpoint: Box::new(checkpoint),
            })
        })
        .collect()
}

fn samples(source: &Path, arguments: &EvaluateArguments) -> anyhow::Result<Subject> {
    let reading = screen::spinner("reading samples");
    let samples = read_samples(source, arguments.range)?;
    drop(reading);
    info!("{}", samples.origin);
    Ok(Subject::Samples {
        label: quoted(source).to_string(),
        images: samples.images,
    })
}
