//! Memory does not grow with the number of steps.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{KIND, backend_path};

/// Steps after which everything that a run keeps has been made, and those after which nothing more may have come.
const FEW: u64 = 50;
const MANY: u64 = 250;

/// What may come all the same: threads and allocators make equal runs differ by up to 17 MB here. One batch of generated
/// images kept at each step would be 40 MB, the generator's weights 80 MB, a graph more.
const ALLOWANCE: u64 = 25_000_000;

/// The most memory that a training of so many steps held, in bytes.
fn peak(steps: u64) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("memory.toml");
    fs::write(
        &config,
        format!(
            "[backend]\nkind = \"{KIND}\"\n[data]\nbatch_size = 64\ncount = 512\n[model]\nnetwork = \"dcgan\"\n\
             base_channels = 4\nlatent_size = 256\n[training]\nepochs = 1000\nmax_steps = {steps}\n[logging]\nevery = 10\n\
             [ema]\ndecay = 0.99\n[samples]\nevery = 25\n"
        ),
    )
    .unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ganvas-under-test"))
        .args(["--quiet", "train"])
        .arg(&config)
        .arg("--out")
        .arg(folder.path().join("run"))
        .arg("--backend")
        .arg(backend_path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // The kernel keeps the highest level, so the last look before the end is enough.
        if let Some(bytes) = fs::read_to_string(&status).ok().and_then(|text| high_water(&text)) {
            peak = peak.max(bytes);
        }
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success());
            return peak;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux tells a process's peak memory")]
fn memory_does_not_grow_over_200_steps() {
    let (few, many) = (peak(FEW), peak(MANY));
    println!("{} kB after {FEW} steps, {} kB after {MANY}", few / 1024, many / 1024);
    let growth = many.saturating_sub(few);
    assert!(
        growth < ALLOWANCE,
        "{} bytes a step: {few} after {FEW} steps, {many} after {MANY}",
        growth / (MANY - FEW)
    );
}
