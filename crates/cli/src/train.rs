//! `ganvas train`

use std::path::Path;

use ganvas_data::ImageSource;
use ganvas_training::{
    CheckpointChoice, Experiment, Outcome, ResumePoint, RunDirectory, TrainingError, counted, resume_point_at,
};
use tracing::{info, warn};

use crate::{
    args::TrainArguments, bench::dry_run, ended::Ended, interrupt, jobs::TrainJob, output, output::print_line,
    progress::TrainingProgress, quality, quoting::quoted, start::Start,
};

pub fn train(arguments: &TrainArguments) -> anyhow::Result<Ended> {
    let start = Start::new(arguments)?;
    let loaded = arguments.overlay.load(start.text, arguments.data_dir.as_deref())?;
    let experiment = &loaded.experiment;
    loaded.warn_of_software();
    loaded.advise();
    let out = arguments.out.as_deref();
    let run = match &start.resume {
        None if arguments.dry_run => None,
        None => {
            RunDirectory::check_free(out)?;
            None
        }
        Some(resume) => {
            let path = resume.run.as_ref().map(RunDirectory::path);
            Some(RunDirectory::open(path, &experiment.name)?)
        }
    };
    loaded.check_fit()?;
    let images = loaded.images()?;
    experiment.check_against(&*images, &quality::reports(experiment))?;
    if arguments.dry_run {
        return dry_run(&loaded, &images);
    }

    let (run, resume) = match (run, &start.resume) {
        (Some(run), Some(resume)) => {
            let point = find_resume_point(&run, resume.checkpoint, experiment, &*images)?;
            (run, Some(point))
        }
        _ => (RunDirectory::create(out, &experiment.name)?, None),
    };
    interrupt::listen(output::complain)?;
    info!(
        "backend {} on {}, run directory {}",
        experiment.backend.kind,
        loaded.backend.info(),
        quoted(run.path())
    );

    let mut progress = TrainingProgress::new(experiment.checkpoint.best.as_ref().map(|best| best.metric.clone()));
    let outcome = loaded.backend.run(TrainJob {
        experiment,
        images: &images,
        quality: loaded.quality.as_ref(),
        run: &run,
        resume: resume.as_ref(),
        observer: &mut progress,
    });
    drop(progress);
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            run.discard_if_unused();
            return Err(error.into());
        }
    };
    let begun_at = resume.and_then(|point| point.checkpoint).map(|found| found.state.step);
    Ok(report(outcome, begun_at, &run, arguments.data_dir.as_deref()))
}

/// Says how a training ended, and what can be done next.
fn report(outcome: Outcome, begun_at: Option<u64>, run: &RunDirectory, data_dir: Option<&Path>) -> Ended {
    let path = quoted(run.path());
    match outcome {
        Outcome::Finished { step } => {
            let steps = counted(step, "step");
            if begun_at == Some(step) {
                print_line!("nothing left to do after {steps}: {path}");
            } else {
                print_line!("trained {steps}: {path}");
            }
            print_line!("real beside generated: {}", quoted(&run.comparison_path()));
            print_line!("more images: ganvas generate {path} --count 100 --out digits.png");
            Ended::Done
        }
        Outcome::OutOfPatience { step } => {
            print_line!("ended early after {}, out of patience: {path}", counted(step, "step"));
            print_line!("real beside generated: {}", quoted(&run.comparison_path()));
            print_line!("the best: ganvas generate {path} --checkpoint best --count 100 --out digits.png");
            Ended::Done
        }
        Outcome::Stopped { step } => {
            print_line!("stopped and saved after step {step}: {path}");
            // The run's own configuration has whatever was set or laid over.
            let data = data_dir.map(|dir| format!(" --data-dir {}", quoted(dir)));
            print_line!("go on with: ganvas train --resume {path}{}", data.unwrap_or_default());
            Ended::Interrupted
        }
    }
}

/// Finds where a run goes on, and says so.
fn find_resume_point(
    run: &RunDirectory,
    checkpoint: CheckpointChoice,
    experiment: &Experiment,
    images: &dyn ImageSource,
) -> Result<ResumePoint, TrainingError> {
    let point = resume_point_at(run, checkpoint, experiment, images)?;
    match &point.checkpoint {
        Some(found) => info!("resuming {} from {}", quoted(run.path()), quoted(found.path())),
        None => warn!("{} has no checkpoint yet: beginning again", quoted(run.path())),
    }
    for change in &point.changes {
        info!(
            "`{}` was {} and is {} from here on",
            change.key, change.before, change.now
        );
    }
    Ok(point)
}
