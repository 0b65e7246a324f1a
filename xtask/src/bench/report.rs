//! The table and the file.

use std::{fs, path::Path};

use anyhow::Context;
use serde::Serialize;

use crate::bench::{Case, Contender, Sample, Shares};

/// All that was measured of one contender on one case.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The experiment's name.
    pub experiment: String,
    /// Images of a batch.
    pub batch_size: usize,
    /// The backend, or PyTorch.
    pub contender: String,
    /// Where it computed.
    pub device: String,
    /// The timed steps of each round.
    pub rounds: Vec<Vec<f64>>,
    /// The most over all rounds.
    pub peak_memory_bytes: Option<u64>,
    /// Seconds from start to first finished step, the least of all rounds.
    pub first_step_seconds: f64,
    step_operations: Option<f64>,
    product_operations_per_second: Option<f64>,
}

/// Adds what one process reported.
pub fn add(rows: &mut Vec<Row>, case: &Case, contender: &Contender, sample: Sample) {
    let experiment = case
        .experiment
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let name = contender.to_string();
    let place = rows
        .iter()
        .position(|row| row.experiment == experiment && row.batch_size == case.batch_size && row.contender == name);
    let place = place.unwrap_or_else(|| {
        rows.push(Row {
            experiment,
            batch_size: case.batch_size,
            contender: name,
            device: sample.device,
            rounds: Vec::new(),
            peak_memory_bytes: None,
            first_step_seconds: f64::INFINITY,
            step_operations: sample.step_operations,
            product_operations_per_second: None,
        });
        rows.len() - 1
    });
    let row = &mut rows[place];
    row.rounds.push(sample.step_seconds);
    row.peak_memory_bytes = row.peak_memory_bytes.max(sample.peak_memory_bytes);
    row.first_step_seconds = row.first_step_seconds.min(sample.first_step_seconds);
    let faster = |speed: f64| {
        row.product_operations_per_second
            .map_or(speed, |other| other.max(speed))
    };
    row.product_operations_per_second = sample.product_operations_per_second.map(faster);
}

impl Row {
    fn steps(&self) -> Vec<f64> {
        self.rounds.iter().flatten().copied().collect()
    }

    fn is_same_case(&self, other: &Self) -> bool {
        self.experiment == other.experiment && self.batch_size == other.batch_size
    }

    /// The step as a multiple of another's, round by round, so that a slow minute of the machine slows both; the middle one.
    fn relative_to(&self, other: &Self) -> f64 {
        let pairs = self.rounds.iter().zip(&other.rounds);
        median(
            pairs
                .map(|(ours, theirs)| median(ours.clone()) / median(theirs.clone()))
                .collect(),
        )
    }
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// Prints the table, in Markdown.
pub fn print(rows: &[Row], shares: &[(String, Shares)]) {
    println!("\n{}", machine());
    println!();
    println!(
        "| experiment | batch | on | step, ms (least to most) | images/s | GFLOP/s | of peak | memory, MB | first step, s | PyTorch = 1 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut sorted: Vec<&Row> = rows.iter().collect();
    // Cases stay in the order in which they were first measured; sorting by position is stable.
    sorted.sort_by_key(|row| rows.iter().position(|other| other.is_same_case(row)));
    for row in sorted {
        println!("{}", line(row, rows));
    }
    if !shares.is_empty() {
        println!(
            "\n| `quickstart.toml`, 1000 steps | data | logging | samples | checkpoints | written beside the steps |"
        );
        println!("|---|---|---|---|---|---|");
        for (name, shares) in shares {
            let [data, logging, sampling, saving, writing] =
                shares.shares().map(|share| format!("{:.2} %", share * 100.0));
            println!("| {name} | {data} | {logging} | {sampling} | {saving} | {writing} |");
        }
    }
}

fn line(row: &Row, rows: &[Row]) -> String {
    let steps = row.steps();
    let step = median(steps.clone());
    let extreme = |choose: fn(f64, f64) -> f64| steps.iter().copied().reduce(choose).unwrap_or(f64::NAN) * 1e3;
    // PyTorch does the same operations, and is measured against the same peak where it has the same device.
    let operations = rows
        .iter()
        .filter(|other| row.is_same_case(other))
        .find_map(|other| other.step_operations);
    let peak = rows
        .iter()
        .filter(|other| other.device == row.device)
        .filter_map(|other| other.product_operations_per_second)
        .reduce(f64::max);
    let speed = operations.map(|operations| operations / step);
    let figure = |value: Option<f64>, digits: usize, unit: &str| {
        value.map_or_else(|| "".to_owned(), |value| format!("{value:.digits$}{unit}"))
    };
    let pytorch = rows
        .iter()
        .find(|other| row.is_same_case(other) && other.contender == "PyTorch");
    format!(
        "| {} | {} | {} | {:.1} ({:.1} to {:.1}) | {:.0} | {} | {} | {} | {:.1} | {} |",
        row.experiment,
        row.batch_size,
        row.contender,
        step * 1e3,
        extreme(f64::min),
        extreme(f64::max),
        row.batch_size as f64 / step,
        figure(speed.map(|speed| speed / 1e9), 0, ""),
        figure(speed.zip(peak).map(|(speed, peak)| speed / peak * 100.0), 0, " %"),
        figure(row.peak_memory_bytes.map(|bytes| bytes as f64 / 1e6), 0, ""),
        row.first_step_seconds,
        figure(pytorch.map(|pytorch| row.relative_to(pytorch)), 2, ""),
    )
}

/// Processor and number of cores, where the system reports them.
pub fn machine() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, {}", std::env::consts::OS)
}

/// Writes every figure.
pub fn write(path: &Path, rows: &[Row], shares: &[(String, Shares)]) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct File<'a> {
        machine: String,
        rows: &'a [Row],
        training: std::collections::BTreeMap<&'a str, &'a Shares>,
    }
    let file = File {
        machine: machine(),
        rows,
        training: shares.iter().map(|(name, shares)| (name.as_str(), shares)).collect(),
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(path, serde_json::to_string_pretty(&file)?).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(contender: &str, rounds: &[&[f64]]) -> Row {
        Row {
            experiment: "blog".into(),
            batch_size: 2,
            contender: contender.into(),
            device: "cpu".into(),
            rounds: rounds.iter().map(|steps| steps.to_vec()).collect(),
            peak_memory_bytes: Some(3_000_000),
            first_step_seconds: 0.5,
            step_operations: (contender == "flex").then_some(4e9),
            product_operations_per_second: (contender == "flex").then_some(10e9),
        }
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        // The machine is twice as slow in the second round, and stalls PyTorch in the third.
        let ours = row("flex", &[&[1.0, 1.0, 9.0], &[2.0], &[1.0]]);
        let theirs = row("PyTorch", &[&[2.0], &[4.0], &[100.0]]);
        assert_eq!(ours.relative_to(&theirs), 0.5);
    }

    #[test]
    fn a_line_has_every_figure_and_pytorch_borrows_the_operations() {
        let rows = [row("flex", &[&[1.0, 3.0, 2.0]]), row("PyTorch", &[&[4.0]])];
        assert_eq!(
            line(&rows[0], &rows),
            "| blog | 2 | flex | 2000.0 (1000.0 to 3000.0) | 1 | 2 | 20 % | 3 | 0.5 | 0.50 |"
        );
        assert_eq!(
            line(&rows[1], &rows),
            "| blog | 2 | PyTorch | 4000.0 (4000.0 to 4000.0) | 0 | 1 | 10 % | 3 | 0.5 | 1.00 |"
        );
    }
}
