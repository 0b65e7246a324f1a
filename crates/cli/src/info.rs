//! `ganvas info`

use std::{fs, path::Path};

use ganvas_training::{
    Checkpoint, CheckpointSummary, ConfigText, Experiment, MetricsLine, Overrides, RunDirectory, RunLocation, Session,
    TrainingError, counted,
};
use serde_json::{Value, json};

use crate::{args::InfoArguments, ended::Ended, output::print_line, quoting::quoted, words, words::bytes};

pub fn info(arguments: &InfoArguments) -> anyhow::Result<Ended> {
    let location = RunLocation::find(&arguments.source)?;
    match (&location.run, &location.checkpoint) {
        (_, Some(checkpoint)) => of_checkpoint(checkpoint, arguments.json)?,
        (run, None) => of_run(&RunDirectory::at(run.clone().unwrap_or_default()), arguments.json)?,
    }
    Ok(Ended::Done)
}

/// What a run is, as far as its files say; a file that cannot be read takes away no more than what it has.
fn of_run(run: &RunDirectory, as_json: bool) -> anyhow::Result<()> {
    let configuration = run.configuration();
    let experiment: Option<Experiment> = configuration
        .as_ref()
        .ok()
        .and_then(|text: &ConfigText| text.experiment(&Overrides::default()).ok());
    let checkpoints = CheckpointSummary::of(run)?;
    // Each is read whole to be held to its checksums, so only once.
    let opened: Vec<Result<Checkpoint, TrainingError>> = checkpoints
        .iter()
        .map(|checkpoint| Checkpoint::open(&checkpoint.path))
        .collect();
    let faults: Vec<Option<String>> = checkpoints
        .iter()
        .zip(&opened)
        .map(|(checkpoint, opened)| fault(checkpoint, opened.as_ref().err()?))
        .collect();
    let sessions = Session::all_of(run)?;
    let newest = MetricsLine::newest_of(run)?;
    let newest_checkpoint = opened.last().and_then(|opened| opened.as_ref().ok());
    let total = total_steps(experiment.as_ref(), newest_checkpoint);
    let done = checkpoints.last().map_or(0, |newest| newest.step);
    let finished = total.is_some_and(|total| done >= total);
    let holder = run.holder();
    let go_on = format!("ganvas train --resume {}", quoted(run.path()));
    if as_json {
        print_line!(
            "{}",
            json!({
                "run": run.path().to_string_lossy(),
                "name": experiment.as_ref().map(|experiment| &experiment.name),
                "network": experiment.as_ref().map(|experiment| experiment.model.name()),
                "dataset": experiment.as_ref().map(|experiment| &experiment.data.dataset),
                "path": experiment.as_ref().and_then(|experiment| experiment.data.path.as_ref()),
                "backend": experiment.as_ref().map(|experiment| &experiment.backend.kind),
                "seed": experiment.as_ref().map(|experiment| experiment.seed),
                "began": sessions.first().map(|session| &session.began),
                "sessions": sessions,
                "saved_step": done,
                "total_steps": total,
                "finished": finished,
                "training_now": holder,
                "newest": newest,
                "checkpoints": checkpoints.iter().zip(&faults).map(as_value).collect::<Vec<_>>(),
                "go_on": go_on,
            })
        );
        return Ok(());
    }
    print_line!("run {}", quoted(run.path()));
    match &experiment {
        Some(experiment) => {
            print_line!(
                "  experiment        {} ({} on {}, seed {}, batches of {})",
                experiment.name,
                experiment.model.name(),
                experiment.data.path.as_ref().unwrap_or(&experiment.data.dataset),
                experiment.seed,
                experiment.data.batch_size
            );
            print_line!("  backend           {}", experiment.backend.kind);
        }
        None => print_line!("  experiment        its configuration cannot be read by this program"),
    }
    if let (Some(first), Some(last)) = (sessions.first(), sessions.last()) {
        let times = match sessions.len() {
            1 => String::new(),
            2 => format!("; resumed {}", last.began),
            count => format!("; resumed {} times, last {}", count - 1, last.began),
        };
        print_line!("  begun             {}{times}", first.began);
    }
    match total {
        Some(total) => print_line!(
            "  trained           {done} of {}{}",
            counted(total, "step"),
            if finished { ", finished" } else { "" }
        ),
        None => print_line!("  trained           {}", counted(done, "step")),
    }
    if let Some(line) = &newest {
        print_line!("  newest numbers    step {}, epoch {}", line.step, line.epoch);
        for (name, value) in &line.numbers {
            let basis = sessions.iter().rev().find_map(|session| session.basis(name));
            let floor = basis.and_then(|basis| basis.floor.get(name));
            let floor = floor.map(|floor| format!("  floor {}", words::number(*floor)));
            let value = words::number(*value);
            match floor {
                Some(floor) => print_line!("    {name:<28} {value:<9}{floor}"),
                None => print_line!("    {name:<28} {value}"),
            }
        }
        for judged in sessions.last().map_or(&[][..], |session| &session.evaluators) {
            if !judged.basis.by.is_empty() {
                print_line!("  judged by         {}", judged.basis.by);
            }
        }
    }
    print_line!("  checkpoints       {}", checkpoints.len());
    for (checkpoint, fault) in checkpoints.iter().zip(&faults) {
        print_line!(
            "    {:<28} {:>10}{}{}",
            format!("step-{:06}", checkpoint.step),
            bytes(checkpoint.bytes),
            if checkpoint.is_best { "  best" } else { "" },
            fault.as_ref().map(|fault| format!("  {fault}")).unwrap_or_default()
        );
    }
    if let Some(holder) = &holder {
        print_line!("  training now      {holder}");
    } else if !finished {
        print_line!("  go on with        {go_on}");
    }
    if !checkpoints.is_empty() {
        print_line!("  make images with  ganvas generate {}", quoted(run.path()));
    }
    Ok(())
}

fn as_value((checkpoint, fault): (&CheckpointSummary, &Option<String>)) -> Value {
    json!({
        "step": checkpoint.step,
        "path": checkpoint.path.to_string_lossy(),
        "bytes": checkpoint.bytes,
        "best": checkpoint.is_best,
        "fault": fault,
    })
}

/// How many steps the run has in all, where its configuration and the number of its images say so.
fn total_steps(experiment: Option<&Experiment>, newest: Option<&Checkpoint>) -> Option<u64> {
    let experiment = experiment?;
    if let Some(steps) = experiment.training.max_steps {
        return Some(steps);
    }
    experiment
        .plan(newest?.state.images.count)
        .ok()
        .map(|plan| plan.total_steps)
}

/// What is wrong with a checkpoint; nothing with one that a training removed meanwhile.
fn fault(checkpoint: &CheckpointSummary, error: &TrainingError) -> Option<String> {
    checkpoint.path.is_dir().then(|| match error {
        TrainingError::DamagedCheckpoint { path, reason } => {
            let file = path.strip_prefix(&checkpoint.path).unwrap_or(path);
            format!("damaged: {}: {reason}", file.display())
        }
        TrainingError::OtherFormat { found, .. } => {
            format!("of format version {found}, which this program cannot read")
        }
        error => error.to_string(),
    })
}

/// What a checkpoint is.
fn of_checkpoint(path: &Path, as_json: bool) -> anyhow::Result<()> {
    let found = Checkpoint::open(path)?;
    let state = &found.state;
    let mut files = Vec::new();
    for entry in fs::read_dir(path)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        files.push((name, entry.metadata()?.len()));
    }
    files.sort();
    if as_json {
        let files: serde_json::Map<String, Value> =
            files.into_iter().map(|(name, bytes)| (name, bytes.into())).collect();
        print_line!(
            "{}",
            json!({ "checkpoint": path.to_string_lossy(), "state": state, "files": files })
        );
        return Ok(());
    }
    print_line!("checkpoint {}", quoted(path));
    print_line!(
        "  trained           {}, epoch {}",
        counted(state.step, "step"),
        state.epoch
    );
    print_line!(
        "  written by        ganvas {} on {}",
        state.program_version,
        state.backend
    );
    print_line!("  images            {}", state.images);
    if let Some(line) = &state.metrics {
        print_line!("  numbers           as of step {}", line.step);
        for (name, value) in &line.numbers {
            print_line!("    {name:<28} {}", words::number(*value));
        }
    }
    print_line!("  files             whole, by their checksums");
    for (name, size) in files {
        print_line!("    {name:<34} {:>10}", bytes(size));
    }
    print_line!("  go on with        ganvas train --resume {}", quoted(path));
    print_line!("  make images with  ganvas generate {}", quoted(path));
    Ok(())
}
