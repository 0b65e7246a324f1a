//! Memory does not grow with the number of steps.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{KIND, ON_CUBECL, backend_path};

/// After so many steps, everything that a run keeps has been made.
const SETTLED: usize = 50;

const STEPS: usize = 250;

/// In the middle of the steps after that.
const MIDDLE: usize = (SETTLED + STEPS) / 2;

/// What may come all the same in 100 steps. One batch of generated images kept at each step would be 20 MB, the generator's weights 40 MB, a graph
/// more. Pools of allocators and drivers grow in single jumps, by up to 25 MB where other tests take the processors; what is kept at each step
/// shows in both halves.
const ALLOWANCE: u64 = 12_500_000;

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
    // A step of convolutions takes a software adapter two seconds. The images and the weights that could be kept are as large.
    let model = match ON_CUBECL {
        true => "network = \"mlp\"\nhidden_sizes = [64]",
        false => "network = \"dcgan\"\nbase_channels = 4",
    };
    fs::write(
        &config,
        format!(
            "[backend]\nkind = \"{KIND}\"\n[data]\nbatch_size = 64\ncount = 512\n[model]\n{model}\n\
             latent_size = 256\n[training]\nepochs = 1000\nmax_steps = {STEPS}\n[logging]\nevery = 1\n\
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
    // The highest level until the run had settled, until its middle, and until its end.
    let (mut settled, mut middle, mut last) = (None, None, 0);
    let ended = loop {
        if let Some(bytes) = fs::read_to_string(&status).ok().and_then(|text| high_water(&text)) {
            last = bytes;
        }
        let logged = fs::read_to_string(run.join("metrics.jsonl")).map_or(0, |text| text.lines().count());
        if settled.is_none() && logged >= SETTLED {
            assert!(logged < STEPS - 20, "the run was too fast to be watched");
            settled = Some(last);
        }
        if middle.is_none() && logged >= MIDDLE {
            middle = Some(last);
        }
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        thread::sleep(Duration::from_millis(2));
    };
    assert!(ended.success());
    let (settled, middle) = settled.zip(middle).expect("the run logs its steps");
    let levels = format!("{settled} bytes after {SETTLED} steps, {middle} after {MIDDLE}, {last} after {STEPS}");
    println!("{levels}");
    assert!((middle - settled).min(last - middle) < ALLOWANCE, "{levels}");
}
