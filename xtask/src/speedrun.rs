//! `cargo xtask speedrun`: how long a recipe takes from a cold start to a fixed score.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    bench,
    children::Running,
    trainings::{Timings, built_ganvas, make_way},
};

/// Generated images that each evaluation looks at: those of the scores in README.
const IMAGES: u32 = 10_000;

/// Between two looks at a run's log.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct Options {
    /// The experiment: a name of `ganvas config list`, or a file
    #[arg(long, default_value = "mnist")]
    experiment: String,
    /// The line: a run is over where its FID is this or less
    #[arg(long, default_value_t = 2.0)]
    fid: f64,
    /// Runs, with the seeds 1, 2 and so on
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Steps between two evaluations, whose time does not count
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

/// What `ganvas bench --json` says.
#[derive(Deserialize)]
struct Bench {
    step_operations: f64,
}

/// A run that came to the line.
struct Arrived {
    seed: u64,
    step: u64,
    /// Of training, without evaluations, pictures and checkpoints.
    seconds: f64,
    fid: f64,
}

/// Trains with one seed after the other until the line, and prints a table in Markdown; true where all came to it.
pub fn speedrun(options: &Options) -> anyhow::Result<bool> {
    let ganvas = built_ganvas()?;
    let folder = crate::workspace().join("target/speedrun");
    let mut arrived = Vec::new();
    let mut whole = true;
    for seed in 1..=options.seeds {
        let run = folder.join(format!("seed-{seed}"));
        make_way(&run)?;
        println!(
            "training {} with seed {seed} until FID {}",
            options.experiment, options.fid
        );
        match train(&ganvas, options, seed, &run)? {
            Ok(found) => arrived.push(found),
            Err(best) => {
                let best = best.map_or("none was measured".to_owned(), |best| {
                    format!("the least was {best:.3}")
                });
                println!("seed {seed} did not come to FID {}: {best}", options.fid);
                whole = false;
            }
        }
    }
    let operations = operations(&ganvas, &options.experiment)?;
    println!("\n{}\n\n{}", bench::machine(), table(&arrived, operations));
    Ok(whole)
}

/// One run; its least FID where it ended before the line.
fn train(ganvas: &Path, options: &Options, seed: u64, run: &Path) -> anyhow::Result<Result<Arrived, Option<f64>>> {
    let sets = [
        format!("evaluation.every={}", options.every),
        format!("evaluation.count={IMAGES}"),
        "evaluation.metrics=[\"fid\"]".to_owned(),
        "checkpoint.every=0".to_owned(),
        "samples.every=0".to_owned(),
    ];
    let mut command = Command::new(ganvas);
    command
        .current_dir(crate::workspace())
        .args(["train", &options.experiment, "--seed", &seed.to_string(), "--out"]);
    command.arg(run).args(sets.iter().flat_map(|set| ["--set", set]));
    let mut running = Running::start(&mut command)?;
    let metrics = run.join("metrics.jsonl");
    let found = loop {
        let ended = running.child.try_wait().context("cannot wait for ganvas")?.is_some();
        let scores = scores(&metrics);
        if let Some(&(step, fid)) = scores.iter().find(|(_, fid)| *fid <= options.fid) {
            running.interrupt();
            break Ok((step, fid));
        }
        if ended {
            break Err(scores.into_iter().map(|(_, fid)| fid).reduce(f64::min));
        }
        thread::sleep(PAUSE);
    };
    // It saves where it stopped, and says so by its exit status.
    running.wait()?;
    let (step, fid) = match found {
        Ok(found) => found,
        Err(best) => return Ok(Err(best)),
    };
    let timings = Timings::of(run)?;
    // Some steps are made between the score and the stop.
    let seconds = (timings.data + timings.updates + timings.logging) * step as f64 / timings.steps as f64;
    Ok(Ok(Arrived {
        seed,
        step,
        seconds,
        fid,
    }))
}

/// Steps with their FID, as far as the log goes.
fn scores(metrics: &Path) -> Vec<(u64, f64)> {
    let text = fs::read_to_string(metrics).unwrap_or_default();
    let of_line = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some((line["step"].as_u64()?, line["fid"].as_f64()?))
    };
    text.lines().filter_map(of_line).collect()
}

/// Floating-point operations of a step.
fn operations(ganvas: &Path, experiment: &str) -> anyhow::Result<f64> {
    let mut command = Command::new(ganvas);
    command
        .current_dir(crate::workspace())
        .args(["bench", experiment, "--json", "--steps", "1", "--seconds", "0"]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start ganvas")?;
    let bench: Bench = serde_json::from_slice(&output.stdout).context("ganvas bench --json")?;
    Ok(bench.step_operations)
}

/// The runs, and their mean and standard deviation (over N − 1).
fn table(arrived: &[Arrived], operations: f64) -> String {
    let mut text = "| seed | FID | steps | training | GFLOP |\n|---|---|---|---|---|\n".to_owned();
    let gigas = |found: &Arrived| operations * found.step as f64 / 1e9;
    for found in arrived {
        text += &format!(
            "| {} | {:.3} | {} | {:.1} s | {:.0} |\n",
            found.seed,
            found.fid,
            found.step,
            found.seconds,
            gigas(found)
        );
    }
    if arrived.len() > 1 {
        let spread = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            (mean, (squares / (values.len() - 1) as f64).sqrt())
        };
        let (seconds, of_seconds) = spread(arrived.iter().map(|found| found.seconds).collect());
        let (gflop, of_gflop) = spread(arrived.iter().map(gigas).collect());
        let (steps, of_steps) = spread(arrived.iter().map(|found| found.step as f64).collect());
        text += &format!(
            "| mean ± sd | | {steps:.0} ± {of_steps:.0} | {seconds:.1} ± {of_seconds:.1} s | {gflop:.0} ± {of_gflop:.0} |\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_each_run_and_their_spread() {
        let run = |seed: u64, seconds: f64| Arrived {
            seed,
            step: 1000 * seed,
            seconds,
            fid: 0.9,
        };
        let text = table(&[run(1, 10.0), run(2, 14.0)], 2e9);
        assert!(text.contains("| 2 | 0.900 | 2000 | 14.0 s | 4000 |"), "{text}");
        assert!(
            text.contains("| mean ± sd | | 1500 ± 707 | 12.0 ± 2.8 s | 3000 ± 1414 |"),
            "{text}"
        );
        assert!(!table(&[run(1, 10.0)], 2e9).contains("mean"));
    }

    #[test]
    fn scores_are_those_of_whole_lines_that_have_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        assert!(scores(&path).is_empty());
        fs::write(
            &path,
            "{\"step\":1,\"epoch\":1}\n{\"step\":2,\"fid\":3.5}\n{\"step\":3,\"fi",
        )
        .unwrap();
        assert_eq!(scores(&path), [(2, 3.5)]);
    }
}
