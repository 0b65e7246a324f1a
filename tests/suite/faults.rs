//! Second processes, links, changed configurations: a run stops with the reason, and nothing whole is lost.

use std::{
    fs,
    process::{Child, Stdio},
    sync::Arc,
};

use ganvas_data::{ImageSet, ImageSource};
use ganvas_model::{NetworkConfig, ObjectiveConfig};
use ganvas_training::{Checkpoint, Experiment, RunDirectory, TrainingError, resume_point};

use crate::{
    desk::{Desk, wait_for_steps},
    determinism::{begin, experiment, go_on, go_on_with, images},
};

fn settings() -> Experiment {
    experiment(&[
        "training.epochs=2",
        "checkpoint.every=2",
        "checkpoint.keep=1",
        "samples.every=3",
    ])
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
            ganvas_training::parse_experiment::<NetworkConfig, ObjectiveConfig>(text, "test.toml", "test", &overrides)
                .is_err(),
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
    let run = RunDirectory::open(Some(&path), &now.name).unwrap();
    let keys =
        |point: ganvas_training::ResumePoint| point.changes.into_iter().map(|change| change.key).collect::<Vec<_>>();
    let expected = ["logging.every", "optimizer.generator.learning_rate", "training.epochs"];
    assert_eq!(keys(resume_point(&run, &now, &*images(&now)).unwrap()), expected);
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

#[test]
fn other_images_are_refused_with_both_and_the_same_ones_by_another_name_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    begin(&settings(), &path, 2).unwrap();
    let before: Vec<_> = fs::read_dir(path.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let own = images(&settings());
    let pixels: Vec<u8> = (0..40)
        .flat_map(|index| own.image(index).unwrap().into_owned())
        .collect();
    let set = |name: &str, pixels: &[u8], shape| -> Arc<dyn ImageSource> {
        Arc::new(ImageSet::new(name, pixels.to_vec(), None, shape).unwrap())
    };
    let mut changed = pixels.clone();
    changed[12_345] ^= 1;
    for (others, now) in [
        (
            set("fewer", &pixels[..39 * 784], [1, 28, 28]),
            "39 of 1×28×28 (fewer, SHA-256 ",
        ),
        (set("other", &changed, [1, 28, 28]), "40 of 1×28×28 (other, SHA-256 "),
        (set("flat", &pixels, [1, 14, 56]), "40 of 1×14×56 (flat, SHA-256 "),
    ] {
        let error = go_on_with(&settings(), &others, &path, u64::MAX).unwrap_err();
        assert!(
            matches!(error, TrainingError::OtherImages { .. }) && error.is_usage(),
            "{error}"
        );
        let text = error.to_string();
        for part in ["40 of 1×28×28 (synthetic, SHA-256 ", now, "begin another run"] {
            assert!(text.contains(part), "{text}");
        }
    }
    let after: Vec<_> = fs::read_dir(path.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(after, before);
    // Labels and names are no part of the images.
    go_on_with(&settings(), &set("same", &pixels, [1, 28, 28]), &path, u64::MAX).unwrap();
}
