//! `ganvas train --dry-run` and `ganvas bench`: steps that are timed and leave nothing behind.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use ganvas_data::ImageSource;
use ganvas_model::ObjectiveSettings;
use ganvas_training::{Benchmark, BenchmarkOptions, counted};
use serde::Serialize;

use crate::{
    args::BenchArguments, ended::Ended, experiment::Loaded, jobs::BenchmarkJob, memory, output::print_line, screen,
    words::duration,
};

/// What `ganvas bench --json` prints; `cargo xtask bench` reads it.
#[derive(Serialize)]
struct Report<'a> {
    experiment: &'a str,
    network: &'a str,
    backend: &'a str,
    device: String,
    batch_size: usize,
    fused_kernels: bool,
    step_seconds: &'a [f64],
    step_operations: f64,
    product_operations_per_second: Option<f64>,
    peak_memory_bytes: Option<u64>,
    /// Seconds since 1970 at the end of the first step.
    first_step_at: f64,
    total_steps: u64,
}

pub fn dry_run(loaded: &Loaded, images: &Arc<dyn ImageSource>) -> anyhow::Result<Ended> {
    let found = measure(loaded, images, BenchmarkOptions::SHORTEST, true)?;
    print_line!("dry run of `{}`: nothing was written", loaded.experiment.name);
    print_sizes(&**images, &found);
    print_line!(
        "  step              {:.3} s, {:.0} images/s",
        found.median_step(),
        images_per_second(&found)
    );
    let experiment = &loaded.experiment;
    print_whole_run(&found, experiment.objective.period(), experiment.evaluation.every);
    Ok(Ended::Done)
}

pub fn bench(arguments: &BenchArguments) -> anyhow::Result<Ended> {
    let loaded = arguments.experiment.load(arguments.data_dir.as_deref())?;
    loaded.warn_of_software();
    loaded.check_fit()?;
    let images = loaded.images()?;
    loaded
        .experiment
        .check_against(&*images, &crate::quality::reports(&loaded.experiment))?;
    let options = BenchmarkOptions {
        warm_up: arguments.warm_up as usize,
        steps: arguments.steps as usize,
        time: Duration::from_secs_f64(arguments.seconds),
        product: true,
    };
    let found = measure(&loaded, &images, options, false)?;
    let (experiment, device) = (&loaded.experiment, loaded.backend.info());
    if arguments.json {
        let report = Report {
            experiment: &experiment.name,
            network: experiment.model.name(),
            backend: loaded.backend.kind().name(),
            device: device.to_string(),
            batch_size: found.plan.batch_size,
            fused_kernels: found.fused_layers,
            step_seconds: &found.step_seconds,
            step_operations: found.step_operations,
            product_operations_per_second: found.product_speed,
            peak_memory_bytes: memory::peak(),
            first_step_at: found.first_step.duration_since(UNIX_EPOCH)?.as_secs_f64(),
            total_steps: found.plan.total_steps,
        };
        print_line!("{}", serde_json::to_string(&report)?);
        return Ok(Ended::Done);
    }

    let (median, steps) = (found.median_step(), &found.step_seconds);
    let extreme = |choose: fn(f64, f64) -> f64| steps.iter().copied().reduce(choose).unwrap_or(f64::NAN);
    let speed = found.step_operations / median;
    print_line!("bench of `{}` on {device}: nothing was written", experiment.name);
    print_sizes(&*images, &found);
    print_line!(
        "  step              {:.1} ms (median of {}; {:.1} to {:.1}), {:.0} images/s",
        median * 1e3,
        steps.len(),
        extreme(f64::min) * 1e3,
        extreme(f64::max) * 1e3,
        images_per_second(&found)
    );
    let share = found.product_speed.map(|product| {
        format!(
            ", {:.0} % of a large matrix product's {:.1}",
            speed / product * 100.0,
            product / 1e9
        )
    });
    print_line!(
        "  speed             {:.1} GFLOP/s{}",
        speed / 1e9,
        share.unwrap_or_default()
    );
    print_whole_run(&found, experiment.objective.period(), 0);
    Ok(Ended::Done)
}

fn measure(
    loaded: &Loaded,
    images: &Arc<dyn ImageSource>,
    options: BenchmarkOptions,
    evaluates: bool,
) -> anyhow::Result<Benchmark> {
    let experiment = &loaded.experiment;
    let job = BenchmarkJob {
        experiment,
        images,
        evaluates,
        quality: loaded.quality.as_ref(),
        options,
    };
    let _timing = screen::spinner("timing steps");
    Ok(loaded.backend.run(job)?)
}

fn images_per_second(found: &Benchmark) -> f64 {
    found.images_per_step as f64 / found.median_step()
}

fn print_sizes(images: &dyn ImageSource, found: &Benchmark) {
    print_line!(
        "  generator         {} parameters",
        thousands(found.generator_parameters)
    );
    print_line!(
        "  discriminator     {} parameters",
        thousands(found.discriminator_parameters)
    );
    print_line!(
        "  images            {}, {} MB",
        thousands(images.len()),
        found.image_bytes.div_ceil(1_000_000)
    );
    print_line!(
        "  kernels           {}",
        match found.fused_layers {
            true => "fused",
            false => "Burn's operations",
        }
    );
    let [of_discriminator, of_generator] = found.first_losses;
    print_line!("  first step        D {of_discriminator:.4}, G {of_generator:.4}");
}

/// The time of a whole run, with an evaluation every so many steps where one was timed.
fn print_whole_run(found: &Benchmark, period: u64, evaluates_every: u64) {
    let plan = &found.plan;
    // Where all steps are alike, the middle one is disturbed least.
    let step = if period > 1 {
        found.mean_step()
    } else {
        found.median_step()
    };
    let mut seconds = step * plan.total_steps as f64;
    let evaluations = plan.total_steps.checked_div(evaluates_every).unwrap_or(0);
    if let Some(one) = found.evaluation_seconds.filter(|_| evaluations > 0) {
        print_line!("  evaluation        {one:.3} s, {}", counted(evaluations, "time"));
        seconds += one * evaluations as f64;
    }
    print_line!(
        "  whole run         {} step{}, {}, about {}",
        thousands(plan.total_steps as usize),
        if plan.total_steps == 1 { "" } else { "s" },
        counted(plan.epochs(), "epoch"),
        duration(seconds.round() as u64)
    );
    match memory::peak() {
        Some(bytes) => print_line!("  memory            {} MB at most so far", bytes / 1_000_000),
        None => print_line!("  memory            not reported by this system"),
    }
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
