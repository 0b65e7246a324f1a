//! `ganvas train`

use std::path::Path;

use ganvas_data::ImageSource;
use ganvas_training::{
    CheckpointChoice, ConfigText, Experiment, Outcome, ResumePoint, RunDirectory, RunLocation, TrainingError, counted,
    resume_point_at,
};
use tracing::{info, warn};

use crate::{
    args::TrainArguments,
    bench::dry_run,
    exit::{Ended, UsageError},
    experiment::evaluator_reports,
    interrupt,
    jobs::TrainJob,
    output::print_line,
    progress::TrainingProgress,
    quoting::quoted,
    shipped,
};

/// What is to be trained.
struct Start {
    text: ConfigText,
    resume: Option<Resume>,
}

/// Where a training goes on.
struct Resume {
    /// The run; none for the newest of the experiment.
    run: Option<RunDirectory>,
    checkpoint: CheckpointChoice,
}

pub fn train(arguments: &TrainArguments) -> anyhow::Result<Ended> {
    let start = Start::new(arguments)?;
    let loaded = arguments.overlay.load(start.text, arguments.data_dir.as_deref())?;
    let experiment = &loaded.experiment;
    loaded.warn_of_software();
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
    experiment.check_against(&*images, &evaluator_reports())?;
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
    interrupt::listen()?;
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
        Outcome::Stopped { step } => {
            print_line!("stopped and saved after step {step}: {path}");
            // The run's own configuration has whatever was set or laid over.
            let data = data_dir.map(|dir| format!(" --data-dir {}", quoted(dir)));
            print_line!("go on with: ganvas train --resume {path}{}", data.unwrap_or_default());
            Ended::Interrupted
        }
    }
}

impl Start {
    /// What the arguments mean.
    fn new(arguments: &TrainArguments) -> anyhow::Result<Self> {
        let config = arguments.config.as_deref();
        let out = arguments.out.as_deref();
        let Some(resume) = &arguments.resume else {
            let config =
                config.ok_or_else(|| UsageError("expected an experiment; `ganvas config list` lists some".into()))?;
            return Ok(Self {
                text: shipped::experiment(config)?,
                resume: None,
            });
        };
        // `--resume CONFIG`, the flag before an experiment, is as good as `CONFIG --resume`.
        let (config, named) = match (config, resume.as_deref()) {
            (None, Some(path)) if path.is_file() && !is_pointer(path) => (Some(path), None),
            (None, Some(path)) if !path.exists() && shipped::is_experiment(path) => (Some(path), None),
            (config, named) => (config, named),
        };
        let path = match (named, out) {
            (Some(named), Some(_)) => {
                let message = format!("--resume {} and --out both name a run; give one of them", quoted(named));
                return Err(UsageError(message).into());
            }
            (Some(path), None) | (None, Some(path)) => Some(path),
            (None, None) => None,
        };
        let Some(path) = path else {
            let config = config.ok_or_else(|| {
                UsageError("--resume: expected the run to go on with, such as --resume runs/…".into())
            })?;
            return Ok(Self {
                text: shipped::experiment(config)?,
                resume: Some(Resume {
                    run: None,
                    checkpoint: arguments.checkpoint.unwrap_or(CheckpointChoice::Latest),
                }),
            });
        };
        let location = RunLocation::find(path)?;
        let Some(run) = &location.run else {
            return Err(TrainingError::NotARun {
                path: path.to_owned(),
                reason: "is a checkpoint outside of a run, and a run goes on in its own folder".into(),
            }
            .into());
        };
        let run = RunDirectory::at(run);
        let checkpoint = match (location.step(), arguments.checkpoint) {
            (Some(step), None) => CheckpointChoice::Step(step),
            (Some(step), Some(choice)) if choice == CheckpointChoice::Step(step) => choice,
            (Some(_), Some(choice)) => {
                let message = format!("{} names a checkpoint, and --checkpoint {choice} another", quoted(path));
                return Err(UsageError(message).into());
            }
            (None, choice) => choice.unwrap_or(CheckpointChoice::Latest),
        };
        Ok(Self {
            text: match config {
                Some(config) => shipped::experiment(config)?,
                None => run.configuration()?,
            },
            resume: Some(Resume {
                run: Some(run),
                checkpoint,
            }),
        })
    }
}

/// `checkpoints/latest` is a file and names a checkpoint.
fn is_pointer(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "latest")
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
