//! `ganvas train`

use ganvas_data::ImageSource;
use ganvas_training::{Experiment, Outcome, ResumePoint, RunDirectory, TrainingError, counted, resume_point};
use tracing::info;

use crate::{
    args::TrainArguments, bench::dry_run, exit::Ended, experiment::evaluator_reports, interrupt, jobs::TrainJob,
    output::print_line, progress::TrainingProgress,
};

pub fn train(arguments: &TrainArguments) -> anyhow::Result<Ended> {
    let loaded = arguments.experiment.load(arguments.data_dir.as_deref())?;
    let experiment = &loaded.experiment;
    loaded.warn_of_software();
    let out = arguments.out.as_deref();
    if !arguments.resume && !arguments.dry_run {
        RunDirectory::check_free(out)?;
    }
    let images = loaded.images()?;
    experiment.check_against(&*images, &evaluator_reports())?;
    if arguments.dry_run {
        return dry_run(&loaded, &images);
    }

    let (run, resume) = match arguments.resume {
        true => {
            let run = RunDirectory::open(out, &experiment.name).map_err(no_run_to_resume)?;
            let point = find_resume_point(&run, experiment, &*images)?;
            (run, Some(point))
        }
        false => (RunDirectory::create(out, &experiment.name)?, None),
    };
    interrupt::listen()?;
    info!(
        "backend {} on {}, run directory {}",
        experiment.backend.kind,
        loaded.backend.info(),
        run.path().display()
    );

    let mut progress = TrainingProgress::new(experiment.checkpoint.best.as_ref().map(|best| best.metric.clone()));
    let outcome = loaded.backend.run(TrainJob {
        experiment,
        images: &images,
        run: &run,
        resume: resume.as_ref(),
        observer: &mut progress,
    });
    drop(progress);
    let outcome = outcome?;
    let path = run.path().display();
    let begun_at = resume.and_then(|point| point.checkpoint).map(|found| found.state.step);
    match outcome {
        Outcome::Finished { step } => {
            if begun_at == Some(step) {
                print_line!("nothing left to do, all {step} steps are trained: {path}");
            } else {
                print_line!("trained {}: {path}", counted(step, "step"));
            }
            print_line!("real beside generated: {}", run.comparison_path().display());
            print_line!("more images: ganvas generate {path} --count 100 --out digits.png");
            Ok(Ended::Done)
        }
        Outcome::Stopped { step } => {
            print_line!("stopped and saved after step {step}: {path}");
            // The run's own configuration has whatever was set or laid over.
            let data = arguments
                .data_dir
                .as_ref()
                .map(|dir| format!(" --data-dir {}", dir.display()));
            print_line!(
                "go on with: ganvas train {} --resume --out {path}{}",
                run.config_path().display(),
                data.unwrap_or_default()
            );
            Ok(Ended::Interrupted)
        }
    }
}

/// Finds where a run goes on, and says so.
fn find_resume_point(
    run: &RunDirectory,
    experiment: &Experiment,
    images: &dyn ImageSource,
) -> Result<ResumePoint, TrainingError> {
    let point = resume_point(run, experiment, images)?;
    match &point.checkpoint {
        Some(found) => info!("resuming {} from {}", run.path().display(), found.path().display()),
        None => info!("{} has no checkpoint yet: beginning again", run.path().display()),
    }
    for change in &point.changes {
        info!(
            "`{}` was {} and is {} from here on",
            change.key, change.before, change.now
        );
    }
    Ok(point)
}

/// What helps where there is no run to resume.
fn no_run_to_resume(error: TrainingError) -> TrainingError {
    match error {
        TrainingError::NotARun { path, reason } => TrainingError::NotARun {
            path,
            reason: format!("{reason}; name its folder with `--out`, or leave out `--resume` to begin one"),
        },
        other => other,
    }
}
