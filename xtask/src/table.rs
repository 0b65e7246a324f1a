//! The table at the end.

use std::time::Duration;

/// How one build of tests went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that were not run.
    pub ignored: u64,
}

impl Counts {
    /// Takes up a line of cargo's test harness: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub fn add_line(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        for part in rest.split(['.', ';']) {
            let mut words = part.split_whitespace();
            if let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) {
                match what {
                    "passed" => self.passed += number,
                    "failed" => self.failed += number,
                    "ignored" => self.ignored += number,
                    _ => {}
                }
            }
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// The backend, or `libraries`.
    pub name: String,
    /// Where it computed.
    pub device: String,
    /// What the harness counted.
    pub counts: Counts,
    /// Building included.
    pub time: Duration,
    /// Why it could not run to its end, where it could not.
    pub reason: Option<String>,
}

impl Row {
    /// True where tests ran and none failed.
    pub fn is_green(&self) -> bool {
        self.reason.is_none() && self.counts.failed == 0 && self.counts.passed > 0
    }
}

/// Prints the table and its sum.
pub fn print(rows: &[Row]) {
    let width = |of: fn(&Row) -> &str, least: usize| {
        let widest = rows.iter().map(|row| of(row).chars().count()).max();
        widest.unwrap_or_default().max(least)
    };
    let (name, device) = (width(|row| &row.name, 9), width(|row| &row.device, 6));
    println!();
    println!(
        "{:<name$}  {:<device$} {:>7} {:>7} {:>8} {:>8}",
        "backend", "device", "passed", "failed", "ignored", "seconds"
    );
    println!("{}", "─".repeat(name + device + 36));
    let mut sum = Counts::default();
    for row in rows {
        let Counts {
            passed,
            failed,
            ignored,
        } = row.counts;
        sum.passed += passed;
        // What could not run to its end has failed, whatever it had counted by then.
        sum.failed += failed + u64::from(failed == 0 && !row.is_green());
        sum.ignored += ignored;
        println!(
            "{:<name$}  {:<device$} {passed:>7} {failed:>7} {ignored:>8} {:>8}",
            row.name,
            row.device,
            row.time.as_secs()
        );
        if let Some(reason) = &row.reason {
            println!("  └ {reason}");
        }
    }
    println!(
        "\n{} passed, {} failed, {} skipped",
        sum.passed, sum.failed, sum.ignored
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_lines_add_up() {
        let mut counts = Counts::default();
        counts
            .add_line("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.5s");
        counts
            .add_line("test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s");
        counts.add_line("test some::test ... ok");
        assert_eq!(
            counts,
            Counts {
                passed: 14,
                failed: 4,
                ignored: 1
            }
        );
    }
}
