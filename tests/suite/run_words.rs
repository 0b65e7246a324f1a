//! The words for runs and checkpoints: what `--resume`, `generate` and `info` take, and what becomes of what is newer.

use std::{fs, path::Path, process::Stdio};

use ganvas_training::{Checkpoint, Experiment};

use crate::{
    ON_CUBECL,
    desk::{Desk, Run, wait_for_steps},
    determinism::assert_same_run,
    device,
};

const STEPS: [&str; 4] = ["--set", "checkpoint.every=2", "--set", "checkpoint.keep=9"];

fn train(desk: &Desk, out: &str, set: &[&str]) -> Run {
    desk.ok(&[&["train", "tiny.toml", "--out", out][..], &STEPS, set].concat())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_goes_on_by_its_own_configuration() {
    let desk = Desk::new();
    train(&desk, "run", &["--set", "training.max_steps=3"]);
    // What was set at the start holds, without being typed again.
    let run = desk.ok(&["train", "--resume", "run"]);
    assert!(
        run.stdout.contains("nothing left to do after 3 steps"),
        "{}",
        run.stdout
    );
    let run = desk.ok(&["train", "--resume", "run", "--set", "training.max_steps=5"]);
    assert!(run.stdout.contains("trained 5 steps: run"), "{}", run.stdout);
    assert!(
        run.stderr.contains("`training.max_steps` was 3 and is 5"),
        "{}",
        run.stderr
    );
    // `max_steps` alone decides: tiny.toml's two epochs have 6 steps.
    let run = desk.ok(&["train", "--resume", "run", "--set", "training.max_steps=8"]);
    assert!(run.stdout.contains("trained 8 steps"), "{}", run.stdout);

    // The older forms: the experiment beside the run.
    for form in [
        &["train", "tiny.toml", "--resume", "run"][..],
        &["train", "tiny.toml", "--resume", "--out", "run"],
        &["train", "--resume", "tiny.toml", "--out", "run"],
        &["train", "--resume", "--out", "run"],
        &["train", "run", "--resume"],
    ] {
        let run = desk.ok(&[form, &STEPS, &["--set", "training.max_steps=8"]].concat());
        assert!(run.stdout.contains("nothing left to do"), "{form:?}: {}", run.stdout);
    }
}

#[test]
fn a_run_goes_on_from_an_older_checkpoint_and_sets_the_newer_ones_aside() {
    let desk = Desk::new();
    train(&desk, "whole", &[]);
    train(&desk, "run", &[]);
    let before = fs::read(desk.path("run/checkpoints/step-000002/config.toml")).unwrap();
    let run = desk.ok(&["train", "--resume", "run/checkpoints/step-000002"]);
    assert!(run.stdout.contains("trained 6 steps: run"), "{}", run.stdout);
    for part in ["step-000004 is newer", "step-000006 is newer", "aside-metrics.jsonl"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert_same_run(&desk.path("whole"), &desk.path("run"));
    let expected = [
        "aside-step-000004",
        "aside-step-000006",
        "latest",
        "step-000002",
        "step-000004",
        "step-000006",
    ];
    assert_eq!(names(&desk.path("run/checkpoints")), expected);
    assert_eq!(
        fs::read(desk.path("run/checkpoints/step-000002/config.toml")).unwrap(),
        before
    );
    let aside = fs::read_to_string(desk.path("run/aside-metrics.jsonl")).unwrap();
    assert_eq!(aside.lines().count(), 4);
    assert!(aside.starts_with("{\"step\":3,"), "{aside}");

    // Again, by the run's name and the step, and by the pointer's.
    desk.ok(&["train", "--resume", "run", "--checkpoint", "4"]);
    assert_same_run(&desk.path("whole"), &desk.path("run"));
    assert!(desk.path("run/checkpoints/aside-2-step-000006").is_dir());
    let run = desk.ok(&["train", "--resume", "run/checkpoints/latest"]);
    assert!(run.stdout.contains("nothing left to do"), "{}", run.stdout);
    let run = desk.ok(&["train", "--resume", "run/checkpoints"]);
    assert!(run.stdout.contains("nothing left to do"), "{}", run.stdout);
}

#[test]
fn what_cannot_be_gone_on_with_is_an_error_and_left_alone() {
    let desk = Desk::new();
    train(&desk, "run", &[]);
    fs::create_dir(desk.path("folder")).unwrap();
    fs::copy(desk.path("tiny.toml"), desk.path("folder/config.toml")).unwrap();
    let copy = |from: &str, to: &str| {
        fs::create_dir_all(desk.path(to)).unwrap();
        for entry in fs::read_dir(desk.path(from)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, desk.path(to).join(path.file_name().unwrap())).unwrap();
        }
    };
    copy("run/checkpoints/step-000004", "copied");
    let before = names(&desk.path("folder"));
    for (arguments, part) in [
        (&["train", "--resume", "folder"][..], "holds no run"),
        (&["train", "tiny.toml", "--resume", "--out", "folder"], "holds no run"),
        (&["train", "--resume", "nowhere"], "nowhere: no such folder"),
        (&["train", "--resume", "copied"], "a checkpoint outside of a run"),
        (
            &["train", "--resume", "run", "--checkpoint", "3"],
            "no checkpoint of step 3; there are those of 2, 4, 6",
        ),
        (
            &["train", "--resume", "run", "--checkpoint", "best"],
            "names no best checkpoint",
        ),
        (
            &["train", "--resume", "run", "--checkpoint", "newest"],
            "expected `latest`, `best`, or a step",
        ),
        (&["train", "--resume", "run", "--out", "other"], "both name a run"),
        (
            &["train", "--resume", "run/checkpoints/step-000004", "--checkpoint", "6"],
            "names a checkpoint, and --checkpoint 6 another",
        ),
        (&["train", "--resume"], "expected the run to go on with"),
        (&["train", "run", "--resume", "run"], "run is a run, or a checkpoint"),
        (&["train", "--checkpoint", "4", "tiny.toml"], "--resume"),
        (&["train"], "<CONFIG>"),
        (&["train", "--resume", "run/samples"], "holds no run"),
        (&["generate", "folder"], "holds no run"),
        (&["generate", "run", "--checkpoint", "5"], "no checkpoint of step 5"),
        (&["info", "folder"], "holds no run"),
    ] {
        let run = desk.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(
            run.stderr.contains(part),
            "{arguments:?} does not report {part}: {}",
            run.stderr
        );
    }
    assert_eq!(names(&desk.path("folder")), before);
    assert_eq!(
        names(&desk.path("run/checkpoints")),
        ["latest", "step-000002", "step-000004", "step-000006"]
    );
    // A copy can be sampled, though not gone on with.
    desk.ok(&["generate", "copied", "--count", "1", "--out", "one.png"]);
}

#[test]
fn the_best_and_every_kept_checkpoint_can_be_named() {
    let desk = Desk::new();
    let best = ["--set", "checkpoint.best={metric=\"loss/generator\", goal=\"min\"}"];
    train(&desk, "run", &best);
    let of = |choice: &[&str], out: &str| {
        let made = desk.ok(&[&["generate", "run", "--count", "2", "--json", "--out", out][..], choice].concat());
        let report: serde_json::Value = serde_json::from_str(&made.stdout).unwrap();
        report["step"].as_u64().unwrap()
    };
    assert_eq!(of(&["--checkpoint", "2"], "a.npy"), 2);
    assert_eq!(of(&["--checkpoint", "step-000004"], "b.npy"), 4);
    assert_eq!(of(&["--checkpoint", "latest"], "c.npy"), 6);
    assert_eq!(of(&[], "d.npy"), 6);
    let lines: Vec<serde_json::Value> = fs::read_to_string(desk.path("run/metrics.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let loss = |step: u64| lines[step as usize - 1]["loss/generator"].as_f64().unwrap();
    let lowest = [2, 4, 6]
        .into_iter()
        .min_by(|&a, &b| loss(a).total_cmp(&loss(b)))
        .unwrap();
    assert_eq!(of(&["--checkpoint", "best"], "e.npy"), lowest);
    let info = desk.ok(&["info", "run"]).stdout;
    let line = info.lines().find(|line| line.ends_with("best")).unwrap();
    assert!(line.contains(&format!("step-{lowest:06}")), "{info}");
}

#[test]
fn a_run_that_lost_its_configuration_goes_on_by_its_checkpoints() {
    let desk = Desk::new();
    train(&desk, "whole", &[]);
    train(&desk, "run", &["--set", "training.max_steps=4"]);
    // Some file systems leave an empty file where the power went.
    fs::write(desk.path("run/config.toml"), "").unwrap();
    assert_eq!(desk.run(&["generate", "run", "--count", "1"]).code, 0);
    let empty = desk.run(&["train", "--resume", "run", "--set", "seed=6"]);
    assert_eq!(empty.code, 2, "{}", empty.stderr);
    assert!(
        empty
            .stderr
            .contains("config.toml is empty; run/checkpoints/step-000004/config.toml is taken"),
        "{}",
        empty.stderr
    );
    fs::remove_file(desk.path("run/config.toml")).unwrap();
    let run = desk.ok(&["train", "--resume", "run", "--set", "training.max_steps="]);
    assert!(
        run.stderr
            .contains("config.toml is missing; run/checkpoints/step-000004/config.toml is taken"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("trained 6 steps"), "{}", run.stdout);
    assert_same_run(&desk.path("whole"), &desk.path("run"));
    assert!(desk.path("run/config.toml").is_file());
}

/// A training that keeps one checkpoint removes what a reader has begun to read.
#[test]
fn a_reader_is_not_disturbed_by_a_training_that_removes() {
    let desk = Desk::new();
    let set = [
        "checkpoint.every=1",
        "checkpoint.keep=1",
        "training.max_steps=1000000",
        "samples.every=0",
    ];
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let mut child = desk
        .command(&[&["train", "tiny.toml", "--out", "run"][..], &set].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !desk.path("run/checkpoints/latest").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let experiment: Experiment = Checkpoint::find(&desk.path("run")).unwrap().experiment().unwrap();
    let mut steps = std::collections::BTreeSet::new();
    let mut reads = 0;
    // However slow the training is beside the other tests: until it has removed a few under the reader.
    let begun = std::time::Instant::now();
    while steps.len() < 5 || reads < if ON_CUBECL { 20 } else { 300 } {
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(300),
            "the training did not go on: {steps:?}"
        );
        reads += 1;
        let found = Checkpoint::find(&desk.path("run")).unwrap();
        found
            .sampling_generator::<crate::B, _>(&experiment.model, &device())
            .unwrap();
        steps.insert(found.state.step);
    }
    assert!(child.try_wait().unwrap().is_none(), "the training ended");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_in_the_place_of_an_experiment_is_shown_the_way() {
    let desk = Desk::new();
    train(&desk, "run", &["--set", "training.max_steps=2"]);
    for path in ["run", "run/checkpoints/step-000002"] {
        let run = desk.run(&["train", path]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(
            run.stderr.contains(&format!("`ganvas train --resume {path}`")),
            "{}",
            run.stderr
        );
    }
    // Any other folder is no run.
    let run = desk.run(&["train", "run/samples"]);
    assert!(run.code == 2 && !run.stderr.contains("--resume"), "{}", run.stderr);
}

#[test]
fn starts_in_one_second_get_folders_of_their_own() {
    let desk = Desk::new();
    let children: Vec<_> = (0..3)
        .map(|seed| {
            desk.command(&[
                "train",
                "tiny.toml",
                "--seed",
                &seed.to_string(),
                "--set",
                "training.max_steps=1",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
        })
        .collect();
    for child in children {
        let run = Run::from(child.wait_with_output().unwrap(), &["train"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    assert_eq!(names(&desk.path("runs")).len(), 3);
}

/// The line that a stopped run prints is pasted into a shell as it is, whatever the folder is called.
#[cfg(unix)]
#[test]
fn the_printed_command_goes_on_from_any_folder() {
    let desk = Desk::new();
    for name in ["sp ace/it's", "li\nne", "-dash", "$HOME`x`\"q\"", "ünï"] {
        if let Some((above, _)) = name.split_once('/') {
            fs::create_dir_all(desk.path(above)).unwrap();
        }
        let out = format!("--out={name}");
        let child = desk
            .command(&[
                "train",
                "tiny.toml",
                &out,
                "--set",
                "training.epochs=100000",
                "--set",
                "samples.every=0",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_steps(&desk.path(name).join("metrics.jsonl"), 3);
        let pid = child.id();
        let kill = std::process::Command::new("sh")
            .args(["-c", &format!("kill -INT {pid}")])
            .status();
        assert!(kill.unwrap().success());
        let run = Run::from(child.wait_with_output().unwrap(), &["train"]);
        assert_eq!(run.code, 130, "{name:?}: {}", run.stderr);
        let command = run
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("go on with: ganvas "))
            .unwrap();
        let binary = env!("CARGO_BIN_EXE_ganvas-under-test");
        let shell = std::process::Command::new("bash")
            .args(["-c", &format!("{binary} {command} --set training.max_steps=1000000 --set logging.every=1000000 --verbose & sleep 2; kill -TERM $!; wait $!")])
            .current_dir(desk.folder.path())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&shell.stderr).into_owned();
        assert!(stderr.contains("going on after step"), "{name:?}: {command}: {stderr}");
    }
}
