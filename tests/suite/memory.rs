//! Memory does not grow with the number of steps.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{KIND, backend_path};

/// After so many steps, everything that a run keeps has been made.
const SETTLED: usize = 50;

const STEPS: usize = 250;

/// What may come all the same in 200 steps: pools of allocators and drivers still settle, by up to 10 MB here. One batch of
/// generated images kept at each step would be 40 MB, the generator's weights 80 MB, a graph more.
const ALLOWANCE: u64 = 25_000_000;

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux reports a process's peak memory")]
fn memory_does_not_grow_over_200_steps() {
    let folder = tempfile::tempdir().unwrap();
    let (config, run) = (folder.path().join("memory.toml"), folder.path().join("run"));
    fs::write(
        &config,
        format!(
            "[backend]\nkind = \"{KIND}\"\n[data]\nbatch_size = 64\ncount = 512\n[model]\nnetwork = \"dcgan\"\n\
             base_channels = 4\nlatent_size = 256\n[training]\nepochs = 1000\nmax_steps = {STEPS}\n[logging]\nevery = 1\n\
             [ema]\ndecay = 0.99\n[samples]\nevery = 25\n"
        ),
    )
    .unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ganvas-under-test"))
        .args(["--quiet", "train"])
        .arg(&config)
        .arg("--out")
        .arg(&run)
        .arg("--backend")
        .arg(backend_path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    // The highest level until the run had settled, and until its end.
    let (mut settled, mut last) = (None, 0);
    let ended = loop {
        if let Some(bytes) = fs::read_to_string(&status).ok().and_then(|text| high_water(&text)) {
            last = bytes;
        }
        let logged = fs::read_to_string(run.join("metrics.jsonl")).map_or(0, |text| text.lines().count());
        if settled.is_none() && logged >= SETTLED {
            assert!(logged < STEPS - 20, "the run was too fast to be watched");
            settled = Some(last);
        }
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        thread::sleep(Duration::from_millis(2));
    };
    assert!(ended.success());
    let settled = settled.expect("the run logs its steps");
    println!(
        "{} kB after {SETTLED} steps, {} kB after {STEPS}",
        settled / 1024,
        last / 1024
    );
    assert!(
        last - settled < ALLOWANCE,
        "{} bytes a step: {settled} after {SETTLED} steps, {last} after {STEPS}",
        (last - settled) / (STEPS - SETTLED) as u64
    );
}
