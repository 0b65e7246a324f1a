//! `ganvas train`

use std::sync::Arc;

use anyhow::bail;
use ganvas_data::{ImageSet, LoadOptions, Split};
use ganvas_training::{DryRun, Experiment, Outcome, RunDirectory, resume_point};
use tracing::{info, warn};

use crate::{
    args::TrainArguments,
    data,
    exit::Ended,
    interrupt,
    output::tell,
    progress::{TrainingProgress, duration},
    work::{self, Work},
};

pub fn train(arguments: &TrainArguments) -> anyhow::Result<Ended> {
    let (experiment, device) = arguments.experiment.load()?;
    if device.software {
        warn!(
            "{} is a software adapter: it computes on the processor, and each step takes 20 to 30 times as long as with \
             the backend flex",
            device.description
        );
    }
    if arguments.dry_run {
        let images = images(&experiment, arguments)?;
        return rehearse(&experiment, &images);
    }

    let out = arguments.out.as_deref();
    let (run, checkpoint, images);
    if arguments.resume {
        run = RunDirectory::open(out, &experiment)?;
        checkpoint = resume_point(&run, &experiment)?;
        match &checkpoint {
            Some(found) => info!("resuming {} from {}", run.path().display(), found.path().display()),
            None => info!("{} has no checkpoint yet: beginning again", run.path().display()),
        }
        images = self::images(&experiment, arguments)?;
    } else {
        RunDirectory::check_free(out)?;
        images = self::images(&experiment, arguments)?;
        run = RunDirectory::create(out, &experiment)?;
        checkpoint = None;
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
            resume: checkpoint.as_ref(),
            observer: &mut progress,
        },
    );
    drop(progress);
    let work::Result::Trained(outcome) = result? else {
        bail!("the training gave no outcome");
    };
    let path = run.path().display();
    match outcome {
        Outcome::Finished { step } => {
            match &checkpoint {
                Some(found) if found.state.step == step => {
                    tell!("nothing left to do, all {step} steps are trained: {path}")
                }
                _ => tell!("trained {step} steps: {path}"),
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

fn images(experiment: &Experiment, arguments: &TrainArguments) -> anyhow::Result<Arc<ImageSet>> {
    data::check_folder(arguments.data_dir.as_deref())?;
    let data = &experiment.data;
    let options = LoadOptions {
        data_dir: arguments.data_dir.clone(),
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

fn rehearse(experiment: &Experiment, images: &Arc<ImageSet>) -> anyhow::Result<Ended> {
    let work::Result::Rehearsed(DryRun {
        plan,
        generator_parameters,
        discriminator_parameters,
        image_bytes,
        images_per_step,
        step_seconds,
        discriminator_loss,
        generator_loss,
    }) = work::run(&experiment.backend, Work::DryRun { experiment, images })?
    else {
        bail!("the rehearsal gave no result");
    };
    let seconds = step_seconds * plan.total_steps as f64;
    tell!("dry run of `{}`: nothing was written", experiment.name);
    tell!("  generator         {} parameters", thousands(generator_parameters));
    tell!("  discriminator     {} parameters", thousands(discriminator_parameters));
    tell!(
        "  images            {}, {} MB",
        thousands(images.len()),
        image_bytes.div_ceil(1_000_000)
    );
    tell!("  first step        D {discriminator_loss:.4}, G {generator_loss:.4}");
    tell!(
        "  step              {step_seconds:.3} s, {:.0} images/s",
        images_per_step as f64 / step_seconds
    );
    tell!(
        "  whole run         {} steps, {} epochs, about {}",
        thousands(plan.total_steps as usize),
        plan.epochs(),
        duration(seconds.round() as u64)
    );
    match peak_memory() {
        Some(bytes) => tell!("  memory            {} MB at most so far", bytes / 1_000_000),
        None => tell!("  memory            not told by this system"),
    }
    Ok(Ended::Done)
}

/// The most memory that this process held, in bytes, where the system tells it (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// 1234567 as `1,234,567`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped_from_the_right() {
        assert_eq!(super::thousands(7), "7");
        assert_eq!(super::thousands(1_234_567), "1,234,567");
        assert_eq!(super::thousands(123_456), "123,456");
    }
}
