//! Disks that fill up, second processes, links: a run stops with the reason, and nothing whole is lost.

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
};

use ganvas_data::disk::faults::FullDisk;
use ganvas_training::{Checkpoint, Experiment, RunDirectory, TrainingError, resume_point};

use crate::{
    ON_CUBECL,
    desk::{Desk, Run, wait_for_steps},
    determinism::{assert_same_run, begin, experiment, go_on},
};

fn settings() -> Experiment {
    experiment(&[
        "training.epochs=2",
        "checkpoint.every=2",
        "checkpoint.keep=1",
        "samples.every=3",
    ])
}

/// Everything under a final name is whole.
fn assert_whole(run: &Path) {
    for entry in fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("step-") {
            Checkpoint::find(&entry.path()).unwrap();
        }
    }
    for picture in fs::read_dir(run.join("samples")).into_iter().flatten().flatten() {
        if picture.file_name().to_string_lossy().starts_with("step-") {
            let file = std::io::BufReader::new(fs::File::open(picture.path()).unwrap());
            let mut reader = png::Decoder::new(file).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
        }
    }
}

#[test]
fn a_disk_that_fills_up_at_any_write_stops_the_run_and_spares_what_was_whole() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let operations = {
        let disk = FullDisk::after(u64::MAX, &whole);
        begin(&settings(), &whole, u64::MAX).unwrap();
        disk.operations()
    };
    // Three checkpoints of seven files, each created, written and synchronized, are more than sixty of them.
    assert!(operations > 100, "{operations}");
    // A software adapter takes half a second for a step.
    let stride = if ON_CUBECL { operations as usize / 4 } else { 1 };
    for after in (0..operations).step_by(stride) {
        let path = folder.path().join(format!("full-{after}"));
        let error = {
            let _disk = FullDisk::after(after, &path);
            begin(&settings(), &path, u64::MAX).unwrap_err()
        };
        let text = error.to_string();
        assert!(!error.is_usage(), "{after}: {text}");
        assert!(text.contains(&path.display().to_string()), "{after}: {text}");
        assert!(text.contains("no storage space"), "{after}: {text}");
        assert_whole(&path);

        // With room again the run ends as if nothing had been.
        match path.join("config.toml").exists() {
            true => go_on(&settings(), &path, u64::MAX).unwrap(),
            false => begin(&settings(), &path, u64::MAX).unwrap(),
        };
        assert_same_run(&whole, &path);
        assert!(path.join("comparison.png").is_file());
        fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
#[cfg(unix)]
fn a_limit_of_the_system_is_told_like_a_full_disk() {
    let desk = Desk::new();
    // In blocks of 512 bytes: enough for the configuration and the log, not for weights.
    let script = "ulimit -f 24; trap '' XFSZ; exec \"$0\" train tiny.toml --out run --set checkpoint.every=2";
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_ganvas-under-test")])
        .current_dir(desk.folder.path());
    let run = Run::from(command.output().unwrap(), &["train"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("error: cannot write run/checkpoints/"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("File too large"), "{}", run.stderr);
    assert!(!desk.path("run/checkpoints/step-000002").exists());
    desk.ok(&["train", "tiny.toml", "--resume", "--out", "run"]);
    assert_whole(&desk.path("run"));
}

/// Starts a training that lasts until it is stopped.
fn long_training(desk: &Desk, out: &str) -> Child {
    let child = desk
        .command(&["train", "tiny.toml", "--out", out, "--set", "training.epochs=1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_steps(&desk.path(out).join("metrics.jsonl"), 3);
    child
}

#[test]
#[cfg(unix)]
fn a_second_process_is_refused_and_a_dead_one_holds_nothing() {
    let desk = Desk::new();
    let mut first = long_training(&desk, "run");
    let resume = ["train", "run/config.toml", "--resume", "--out", "run"];
    let second = desk.run(&resume);
    assert_eq!(second.code, 1, "{}", second.stderr);
    assert!(
        second
            .stderr
            .contains(&format!("another process (process {})", first.id())),
        "{}",
        second.stderr
    );
    first.kill().unwrap();
    first.wait().unwrap();
    desk.ok(&[&resume[..], &["--set", "training.epochs=2"]].concat());
}

#[test]
#[cfg(unix)]
fn a_second_signal_stops_at_once_and_leaves_the_run_whole() {
    let desk = Desk::new();
    for signal in ["-INT", "-TERM"] {
        let out = format!("run{signal}");
        let child = long_training(&desk, &out);
        let twice = format!("kill {signal} {0}; kill {signal} {0} 2>&1 || true", child.id());
        let sent = std::process::Command::new("sh").args(["-c", &twice]).status().unwrap();
        assert!(sent.success());
        let run = Run::from(child.wait_with_output().unwrap(), &["train"]);
        assert_eq!(run.code, 130, "{}", run.stderr);
        assert_whole(&desk.path(&out));
        let resume = [
            "train",
            "tiny.toml",
            "--resume",
            "--out",
            &out,
            "--set",
            "training.epochs=100",
        ];
        let again = desk.run(&resume);
        // It may have been beyond the hundredth epoch already.
        assert!(
            again.code == 0 || again.stderr.contains("are already trained"),
            "{}",
            again.stderr
        );
    }
}

#[test]
#[cfg(unix)]
fn links_and_names_do_not_lead_out_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join(".thesis.tmp"), "years of work").unwrap();
    for part in ["checkpoints", "samples"] {
        let run = folder.path().join(part);
        begin(&settings(), &run, 2).unwrap();
        fs::remove_dir_all(run.join(part)).unwrap();
        std::os::unix::fs::symlink(&elsewhere, run.join(part)).unwrap();
        let error = go_on(&settings(), &run, u64::MAX).unwrap_err();
        assert!(matches!(error, TrainingError::Link { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
    }
    // The lock file is written too.
    let run = folder.path().join("lock");
    begin(&settings(), &run, 2).unwrap();
    fs::remove_file(run.join(".lock")).unwrap();
    std::os::unix::fs::symlink(elsewhere.join(".thesis.tmp"), run.join(".lock")).unwrap();
    let error = go_on(&settings(), &run, u64::MAX).unwrap_err();
    assert!(matches!(error, TrainingError::Link { .. }), "{error}");
    assert_eq!(
        fs::read_to_string(elsewhere.join(".thesis.tmp")).unwrap(),
        "years of work"
    );

    // A log that is a link is replaced by a file, not written through.
    let run = folder.path().join("log");
    begin(&settings(), &run, 2).unwrap();
    let outside = folder.path().join("outside.jsonl");
    fs::write(&outside, "mine\n").unwrap();
    fs::remove_file(run.join("metrics.jsonl")).unwrap();
    std::os::unix::fs::symlink(&outside, run.join("metrics.jsonl")).unwrap();
    go_on(&settings(), &run, u64::MAX).unwrap();
    assert_eq!(fs::read_to_string(&outside).unwrap(), "mine\n");

    // Names in a checkpoint's own list.
    let checkpoint = Checkpoint::find(&run).unwrap().path().to_owned();
    let sums = fs::read_to_string(checkpoint.join("SHA256SUMS")).unwrap();
    for name in ["../../config.toml", "/etc/passwd", "a/b", "..", ".hidden"] {
        fs::write(checkpoint.join("SHA256SUMS"), sums.replace("state.json", name)).unwrap();
        let error = Checkpoint::find(&checkpoint).unwrap_err();
        assert!(
            matches!(error, TrainingError::DamagedCheckpoint { .. }),
            "{name}: {error}"
        );
    }
    for name in ["../run", "/tmp/run", ".run", "a/b"] {
        let overrides = ganvas_training::Overrides {
            backend: None,
            set: vec![format!("name={name}")],
        };
        let text = "[model]\nnetwork = \"mlp\"\n";
        assert!(
            ganvas_training::parse_experiment(text, "test.toml", "test", &overrides).is_err(),
            "{name}"
        );
    }
}

#[test]
fn what_may_change_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    begin(&settings(), &path, 2).unwrap();
    let mut now = settings();
    now.training.epochs = 3;
    now.optimizer.generator.learning_rate = 1e-5;
    now.logging.every = 1;
    let run = RunDirectory::open(Some(&path), &now).unwrap();
    let keys =
        |point: ganvas_training::ResumePoint| point.changes.into_iter().map(|change| change.key).collect::<Vec<_>>();
    let expected = ["logging.every", "optimizer.generator.learning_rate", "training.epochs"];
    assert_eq!(keys(resume_point(&run, &now).unwrap()), expected);
    drop(run);
    go_on(&now, &path, u64::MAX).unwrap();
    let sessions: Vec<ganvas_training::Session> = fs::read_to_string(path.join("sessions.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(sessions.len(), 2);
    assert_eq!((sessions[0].step, sessions[1].step), (0, 2));
    assert!(sessions[0].changes.is_empty());
    let epochs = sessions[1]
        .changes
        .iter()
        .find(|change| change.key == "training.epochs")
        .unwrap();
    assert_eq!((epochs.before.as_str(), epochs.now.as_str()), ("2", "3"));
}
