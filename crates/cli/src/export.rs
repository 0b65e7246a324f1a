//! `ganvas export`

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, bail};
use ganvas_model::{Graph, to_safetensors};
use ganvas_training::{Checkpoint, Experiment, Weights, counted};
use tracing::info;

use crate::{
    args::ExportArguments,
    ended::{Ended, UsageError},
    export_readme::{Facts, readme},
    generate::{run_name, select},
    jobs::GraphJob,
    output::print_line,
    outputs::{Destination, check_free, is_stdout},
    quoting::quoted,
};

/// What is written, in this order: the page that explains the others comes when they are there.
const FILES: [&str; 4] = ["generator.safetensors", "generator.py", "generator.onnx", "README.md"];

pub fn export(arguments: &ExportArguments) -> anyhow::Result<Ended> {
    let out = &arguments.out;
    check_folder(out, arguments.force)?;
    let checkpoint = Checkpoint::choose(&arguments.source, arguments.checkpoint)?;
    let experiment: Experiment = checkpoint.experiment()?;
    let (backend, selected) = select(arguments.backend.as_deref(), &experiment)?;
    let weights = Weights::from(arguments.weights);
    info!("reading {} with backend {}", quoted(checkpoint.path()), backend.kind);
    let graph = selected.run(GraphJob {
        checkpoint: &checkpoint,
        networks: &experiment.model,
        weights,
    })?;
    let facts = Facts {
        run: on_one_line(&run_name(&arguments.source, &checkpoint)?),
        step: checkpoint.state.step,
        is_raw: weights == Weights::Trained,
        is_averaged: weights == Weights::Averaged && checkpoint.has_average(),
        graph: &graph,
        classes: match graph.classes {
            0 => Vec::new(),
            _ => checkpoint
                .state
                .images
                .classes
                .as_ref()
                .map(|classes| classes.names.iter().map(|name| on_one_line(name)).collect())
                .unwrap_or_default(),
        },
    };
    let contents = [
        // One pair, which PyTorch's own readers look for: more come in another order each time.
        to_safetensors(&graph.tensors, [("format".to_owned(), "pt".to_owned())])?,
        ganvas_export::pytorch(&graph, &facts.title())?.into_bytes(),
        ganvas_export::onnx(&graph, facts.metadata())?,
        readme(&facts).into_bytes(),
    ];
    if !out.is_dir() {
        fs::create_dir(out).with_context(|| format!("cannot create {}", quoted(out)))?;
    }
    // Each is whole or not there; none takes its name before all are written.
    let mut written = Vec::new();
    for (name, bytes) in FILES.iter().zip(&contents) {
        let mut destination = Destination::open(&out.join(name), arguments.force)?;
        destination
            .write_all(bytes)
            .with_context(|| format!("cannot write {}", quoted(&out.join(name))))?;
        written.push(destination);
    }
    for destination in written {
        destination.finish()?;
    }
    let values: usize = graph.tensors.iter().map(|tensor| tensor.values.len()).sum();
    print_line!("{}: {}, {}", quoted(out), FILES.join(", "), counted(values, "value"));
    Ok(Ended::Done)
}

/// Refuses what is no folder, one in which one of the files is, and a checkpoint, whose files have the same names.
fn check_folder(out: &Path, force: bool) -> anyhow::Result<()> {
    if is_stdout(out) {
        bail!(UsageError("-: a folder cannot be standard output; name one".into()));
    }
    match fs::metadata(out) {
        Ok(found) if !found.is_dir() => bail!(UsageError(format!("{}: expected a folder, found a file", quoted(out)))),
        Ok(_) if out.join("SHA256SUMS").exists() => bail!(UsageError(format!(
            "{}: expected a folder for the generator alone, found a checkpoint",
            quoted(out)
        ))),
        Ok(_) => {
            for name in FILES {
                check_free(&out.join(name), force)?;
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => check_free(out, force)?,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", quoted(out))),
    }
    Ok(())
}

/// A name in which nothing ends a line.
fn on_one_line(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

impl Facts<'_> {
    /// For the file that has room for pairs of words.
    fn metadata(&self) -> BTreeMap<String, String> {
        let Graph { latent_size, image, .. } = self.graph;
        let mut pairs = vec![
            ("run", self.run.clone()),
            ("step", self.step.to_string()),
            ("weights", self.weights().to_owned()),
            ("latent_size", latent_size.to_string()),
            ("image", image.to_string()),
            ("values", "-1..1".to_owned()),
        ];
        if !self.classes.is_empty() {
            // A list in JSON: names may have any character.
            pairs.push(("classes", serde_json::json!(self.classes).to_string()));
        }
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}
