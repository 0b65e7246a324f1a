//! Ctrl-C and SIGTERM, once and twice.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    ON_CUBECL,
    checkpoints::assert_whole,
    desk::{Desk, Run, wait_for_steps},
};

fn send(signal: &str, child: &Child) {
    let kill = format!("kill {signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

#[test]
fn ctrl_c_saves_and_a_resumed_run_ends_like_an_uninterrupted_one() {
    let desk = Desk::new();
    // Long enough not to end before the signal comes, and not longer: a software adapter takes half a second for a step.
    let epochs = if ON_CUBECL { 8 } else { 40 };
    let epochs_set = format!("training.epochs={epochs}");
    let long = ["--set", &epochs_set, "--set", "checkpoint.every=0"];
    for signal in ["-INT", "-TERM"] {
        let out = format!("stopped{signal}");
        let child = desk
            .command(&[&["train", "tiny.toml", "--out", &out][..], &long].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_steps(&desk.path(&out).join("metrics.jsonl"), 3);
        send(signal, &child);
        let run = Run::from(child.wait_with_output().unwrap(), &["train"]);
        assert_eq!(run.code, 130, "{}", run.stderr);
        assert!(
            run.stdout.contains(&format!("ganvas train --resume {out}")),
            "{}",
            run.stdout
        );
        desk.ok(&[&["train", "tiny.toml", "--resume", "--out", &out][..], &long].concat());
    }
    desk.ok(&[&["train", "tiny.toml", "--out", "whole"][..], &long].concat());
    let newest = format!("checkpoints/step-{:06}/generator.safetensors", 3 * epochs);
    let weights = |run: &str| fs::read(desk.path(run).join(&newest)).unwrap();
    assert!(weights("stopped-INT") == weights("whole"));
    assert!(weights("stopped-TERM") == weights("whole"));
}

#[test]
fn a_second_signal_stops_at_any_moment_and_leaves_the_run_whole() {
    let desk = Desk::new();
    // A software adapter takes seconds to start.
    let moments = if ON_CUBECL { 1 } else { 8 };
    // Two of the same kind at once count as one.
    let pairs = [("-INT", "-TERM"), ("-TERM", "-INT")];
    for (number, (first, second)) in pairs.into_iter().cycle().take(2 * moments).enumerate() {
        let out = format!("run-{number}");
        let long = ["--set", "training.epochs=1000000", "--set", "checkpoint.every=2"];
        let child = desk
            .command(&[&["train", "tiny.toml", "--out", &out][..], &long].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_steps(&desk.path(&out).join("metrics.jsonl"), 3);
        // The first may have been enough by the time the second comes.
        let twice = format!("kill {first} {0}; kill {second} {0} 2>&1 || true", child.id());
        assert!(Command::new("sh").args(["-c", &twice]).status().unwrap().success());
        let run = Run::from(child.wait_with_output().unwrap(), &["train"]);
        assert_eq!(run.code, 130, "{}", run.stderr);
        assert_whole(&desk.path(&out), None);
        let resume = ["train", "tiny.toml", "--resume", "--out", &out];
        let again = desk.run(
            &[
                &resume[..],
                &["--set", "training.epochs=20", "--set", "checkpoint.every=2"],
            ]
            .concat(),
        );
        // It may have been beyond the twentieth epoch already.
        assert!(
            again.code == 0 || again.stderr.contains("are already trained"),
            "{}",
            again.stderr
        );
    }
}

#[test]
fn the_first_signal_waits_for_the_step_and_the_second_does_not() {
    let desk = Desk::new();
    // A step of many seconds, whatever the machine.
    let slow = [
        "training.discriminator_steps=1000",
        "training.epochs=1000000",
        "model.base_channels=32",
        "data.batch_size=40",
    ];
    let set = slow.iter().flat_map(|&set| ["--set", set]).collect::<Vec<_>>();
    for signal in ["-INT", "-TERM"] {
        let out = format!("run{signal}");
        let mut child = desk
            .command(&[&["train", "tiny.toml", "--out", &out][..], &set].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        // The last line before the first step.
        assert!(lines.any(|line| line.contains("training: ")));
        send(signal, &child);
        assert!(lines.any(|line| line.contains("once more to stop at once")));
        std::thread::sleep(Duration::from_secs(1));
        assert!(
            child.try_wait().unwrap().is_none(),
            "one {signal} stopped it in the middle of a step"
        );
        send(signal, &child);
        let sent = Instant::now();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let waited = sent.elapsed();
        assert!(waited < Duration::from_secs(2), "{waited:?}");
        // It did not end the step after all.
        assert!(
            fs::read_to_string(desk.path(&out).join("metrics.jsonl"))
                .unwrap()
                .is_empty()
        );
        assert!(!desk.path(&out).join("checkpoints").exists());
    }
}
