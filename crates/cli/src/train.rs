//! `ganvas train`

use std::{path::Path, sync::Arc};

use anyhow::bail;
use ganvas_backend::DeviceInfo;
use ganvas_data::{ImageSet, LoadOptions, Split};
use ganvas_training::{Experiment, Outcome, RunDirectory, resume_point};
use tracing::{info, warn};

use crate::{
    args::TrainArguments,
    data,
    exit::Ended,
    interrupt,
    output::tell,
    progress::TrainingProgress,
    rehearsal,
    work::{self, Work},
};

pub fn train(arguments: &TrainArguments) -> anyhow::Result<Ended> {
    let (experiment, device) = arguments.experiment.load()?;
    warn_of_software(&device);
    if arguments.dry_run {
        let images = images(&experiment, arguments.data_dir.as_deref())?;
        return rehearsal::dry_run(&experiment, &images);
    }

    let out = arguments.out.as_deref();
    let (run, resume, images);
    if arguments.resume {
        run = RunDirectory::open(out, &experiment)?;
        let point = resume_point(&run, &experiment)?;
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
        resume = Some(point);
        images = self::images(&experiment, arguments.data_dir.as_deref())?;
    } else {
        RunDirectory::check_free(out)?;
        images = self::images(&experiment, arguments.data_dir.as_deref())?;
        run = RunDirectory::create(out, &experiment)?;
        resume = None;
    }
    interrupt::listen()?;
    info!(
        "backend {} on {device}, run directory {}",
        experiment.backend.kind,
        run.path().display()
    );

    let mut progress = TrainingProgress::new();
    let result = work::run(
        &experiment.backend,
        Work::Train {
            experiment: &experiment,
            images: &images,
            run: &run,
            resume: resume.as_ref(),
            observer: &mut progress,
        },
    );
    drop(progress);
    let work::Result::Trained(outcome) = result? else {
        bail!("the training gave no outcome");
    };
    let path = run.path().display();
    let begun_at = resume.and_then(|point| point.checkpoint).map(|found| found.state.step);
    match outcome {
        Outcome::Finished { step } => {
            if begun_at == Some(step) {
                tell!("nothing left to do, all {step} steps are trained: {path}");
            } else {
                tell!("trained {step} steps: {path}");
            }
            tell!("real beside generated: {}", run.comparison_path().display());
            tell!("more images: ganvas generate {path} --count 100 --out digits.png");
            Ok(Ended::Done)
        }
        Outcome::Stopped { step } => {
            tell!("stopped and saved after step {step}: {path}");
            // The run's own configuration has whatever was set or laid over.
            let data = arguments
                .data_dir
                .as_ref()
                .map(|dir| format!(" --data-dir {}", dir.display()));
            tell!(
                "go on with: ganvas train {} --resume --out {path}{}",
                run.config_path().display(),
                data.unwrap_or_default()
            );
            Ok(Ended::Interrupted)
        }
    }
}

/// Says what to expect of a software adapter.
pub fn warn_of_software(device: &DeviceInfo) {
    if device.software {
        warn!(
            "{} is a software adapter: it computes on the processor, and each step takes 20 to 50 times as long as with \
             the backend ndarray",
            device.description
        );
    }
}

/// The images that an experiment trains on.
pub fn images(experiment: &Experiment, data_dir: Option<&Path>) -> anyhow::Result<Arc<ImageSet>> {
    data::check_folder(data_dir)?;
    let data = &experiment.data;
    let options = LoadOptions {
        data_dir: data_dir.map(Path::to_owned),
        seed: experiment.seed,
        count: data.count,
    };
    let mut images = ganvas_data::load(data.dataset, Split::Train, &options)?;
    if let Some(side) = data.image_size {
        images = images.padded_to(side)?;
    }
    let [channels, height, width] = images.shape();
    info!(
        "{}: {} images of {channels}×{height}×{width}",
        data.dataset,
        images.len()
    );
    Ok(Arc::new(images))
}
