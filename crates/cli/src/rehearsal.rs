//! `ganvas train --dry-run` and `ganvas bench`: steps that are timed and leave nothing behind.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::bail;
use ganvas_data::ImageSet;
use ganvas_training::{Experiment, Rehearsal, RehearsalOptions};
use serde::Serialize;

use crate::{
    args::BenchArguments,
    exit::Ended,
    output::tell,
    progress::duration,
    train,
    work::{self, Work},
};

/// What `ganvas bench --json` prints; `cargo xtask bench` reads it.
#[derive(Serialize)]
struct Report<'a> {
    experiment: &'a str,
    network: &'a str,
    backend: &'a str,
    device: String,
    batch_size: usize,
    step_seconds: &'a [f64],
    step_operations: f64,
    product_operations_per_second: Option<f64>,
    peak_memory_bytes: Option<u64>,
    /// Seconds since 1970 at the end of the first step.
    first_step_at: f64,
    total_steps: u64,
}

pub fn dry_run(experiment: &Experiment, images: &Arc<ImageSet>) -> anyhow::Result<Ended> {
    let rehearsal = rehearse(experiment, images, RehearsalOptions::SHORTEST)?;
    tell!("dry run of `{}`: nothing was written", experiment.name);
    tell_sizes(images, &rehearsal);
    tell!(
        "  step              {:.3} s, {:.0} images/s",
        rehearsal.median_step(),
        images_per_second(&rehearsal)
    );
    tell_whole_run(&rehearsal);
    Ok(Ended::Done)
}

pub fn bench(arguments: &BenchArguments) -> anyhow::Result<Ended> {
    let (experiment, device) = arguments.experiment.load()?;
    train::warn_of_software(&device);
    let images = train::images(&experiment, arguments.data_dir.as_deref())?;
    let options = RehearsalOptions {
        warm_up: arguments.warm_up as usize,
        steps: arguments.steps as usize,
        time: Duration::from_secs_f64(arguments.seconds),
        product: true,
    };
    let rehearsal = rehearse(&experiment, &images, options)?;
    if arguments.json {
        let report = Report {
            experiment: &experiment.name,
            network: experiment.model.network.name(),
            backend: &experiment.backend.kind,
            device: device.to_string(),
            batch_size: rehearsal.plan.batch_size,
            step_seconds: &rehearsal.step_seconds,
            step_operations: rehearsal.step_operations,
            product_operations_per_second: rehearsal.product_speed,
            peak_memory_bytes: peak_memory(),
            first_step_at: rehearsal.first_step.duration_since(UNIX_EPOCH)?.as_secs_f64(),
            total_steps: rehearsal.plan.total_steps,
        };
        tell!("{}", serde_json::to_string(&report)?);
        return Ok(Ended::Done);
    }

    let (median, steps) = (rehearsal.median_step(), &rehearsal.step_seconds);
    let extreme = |choose: fn(f64, f64) -> f64| steps.iter().copied().reduce(choose).unwrap_or(f64::NAN);
    let speed = rehearsal.step_operations / median;
    tell!("bench of `{}` on {device}: nothing was written", experiment.name);
    tell_sizes(&images, &rehearsal);
    tell!(
        "  step              {:.1} ms (median of {}; {:.1} to {:.1}), {:.0} images/s",
        median * 1e3,
        steps.len(),
        extreme(f64::min) * 1e3,
        extreme(f64::max) * 1e3,
        images_per_second(&rehearsal)
    );
    let share = rehearsal.product_speed.map(|product| {
        format!(
            ", {:.0} % of a large matrix product's {:.1}",
            speed / product * 100.0,
            product / 1e9
        )
    });
    tell!(
        "  speed             {:.1} GFLOP/s{}",
        speed / 1e9,
        share.unwrap_or_default()
    );
    tell_whole_run(&rehearsal);
    Ok(Ended::Done)
}

fn rehearse(experiment: &Experiment, images: &Arc<ImageSet>, options: RehearsalOptions) -> anyhow::Result<Rehearsal> {
    let rehearsal = Work::Rehearse {
        experiment,
        images,
        options,
    };
    match work::run(&experiment.backend, rehearsal)? {
        work::Result::Rehearsed(rehearsal) => Ok(rehearsal),
        _ => bail!("the rehearsal gave no result"),
    }
}

fn images_per_second(rehearsal: &Rehearsal) -> f64 {
    rehearsal.images_per_step as f64 / rehearsal.median_step()
}

fn tell_sizes(images: &ImageSet, rehearsal: &Rehearsal) {
    tell!(
        "  generator         {} parameters",
        thousands(rehearsal.generator_parameters)
    );
    tell!(
        "  discriminator     {} parameters",
        thousands(rehearsal.discriminator_parameters)
    );
    tell!(
        "  images            {}, {} MB",
        thousands(images.len()),
        rehearsal.image_bytes.div_ceil(1_000_000)
    );
    tell!(
        "  first step        D {:.4}, G {:.4}",
        rehearsal.discriminator_loss,
        rehearsal.generator_loss
    );
}

fn tell_whole_run(rehearsal: &Rehearsal) {
    let plan = &rehearsal.plan;
    let seconds = rehearsal.median_step() * plan.total_steps as f64;
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
