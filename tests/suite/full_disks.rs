//! Disks that fill up: a run stops with the reason, and nothing whole is lost.

use std::{fs, path::Path};

use ganvas_data::disk::faults::FullDisk;
use ganvas_training::{Checkpoint, Experiment};

use crate::{
    AT_EVERY_PLACE,
    checkpoints::assert_whole,
    desk::{Desk, Run},
    determinism::{assert_same_run, begin, experiment, go_on},
    exchange::copy_run,
};

fn settings() -> Experiment {
    experiment(&[
        "training.epochs=2",
        "checkpoint.every=2",
        "checkpoint.keep=1",
        "samples.every=3",
    ])
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
    let stride = if AT_EVERY_PLACE { 1 } else { operations as usize / 4 };
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
        assert_whole(&path, None);

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
fn a_disk_that_fills_up_while_a_run_is_taken_up_again_spares_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["training.epochs=2", "checkpoint.every=2", "checkpoint.keep=2"];
    let (whole, stopped) = (folder.path().join("whole"), folder.path().join("stopped"));
    begin(&experiment(&set), &whole, u64::MAX).unwrap();
    begin(&experiment(&set), &stopped, 3).unwrap();
    // What a killed process leaves, and a newest checkpoint that has to step aside.
    let checkpoints = stopped.join("checkpoints");
    fs::create_dir(checkpoints.join(".step-000004.partial")).unwrap();
    fs::write(stopped.join(".metrics.jsonl.1-2.tmp"), "{").unwrap();
    fs::rename(
        checkpoints.join("step-000002"),
        checkpoints.join(".step-000002.replaced"),
    )
    .unwrap();
    let damaged = "step-000003";
    fs::write(checkpoints.join(damaged).join("discriminator.safetensors"), "lost").unwrap();

    let resume = |path: &Path, operations: u64| {
        let disk = FullDisk::after(operations, path);
        (go_on(&experiment(&set), path, u64::MAX), disk.operations())
    };
    let path = folder.path().join("again");
    copy_run(&stopped, &path);
    let (result, operations) = resume(&path, u64::MAX);
    result.unwrap();
    assert!(operations > 60, "{operations}");
    fs::remove_dir_all(&path).unwrap();

    let stride = if AT_EVERY_PLACE { 1 } else { operations as usize / 4 };
    for after in (0..operations).step_by(stride) {
        copy_run(&stopped, &path);
        let error = resume(&path, after).0.unwrap_err();
        let text = error.to_string();
        assert!(!error.is_usage(), "{after}: {text}");
        assert!(text.contains(&path.display().to_string()), "{after}: {text}");
        assert!(text.contains("no storage space"), "{after}: {text}");
        assert_whole(&path, Some(damaged));
        go_on(&experiment(&set), &path, u64::MAX).unwrap();
        assert_same_run(&whole, &path);
        assert!(path.join("checkpoints").join(format!("damaged-{damaged}")).is_dir());
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
    assert_whole(&desk.path("run"), None);
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_system_without_room_is_told_and_the_run_goes_on_with_more() {
    let desk = Desk::new();
    // In name spaces of its own, so that nothing stays mounted and no rights are needed. The first of the two trainings has room
    // for a checkpoint or two of 50 kB and more, the third comes to an end in the middle.
    let script = r#"
        mkdir disk && mount -t tmpfs -o size=260k tmpfs disk || exit 77
        set="--set checkpoint.every=1 --set checkpoint.keep=9"
        "$0" train tiny.toml --out disk/run $set; echo "code $?"
        cp -r disk/run full
        mount -o remount,size=64m disk || exit 77
        "$0" train tiny.toml --resume --out disk/run $set; echo "code $?"
        cp -r disk/run again
        "$0" train tiny.toml --out whole $set
    "#;
    let output = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(env!("CARGO_BIN_EXE_ganvas-under-test"))
        .current_dir(desk.folder.path())
        .output();
    let run = match output {
        Ok(output) if output.status.success() => Run::from(output, &["train"]),
        other => {
            println!("no small file system can be mounted here, so none was filled: {other:?}");
            return;
        }
    };
    assert!(
        run.stdout.contains("code 1\n") && run.stdout.contains("code 0\n"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("disk/run/checkpoints/"), "{}", run.stderr);
    assert!(run.stderr.contains("No space left on device"), "{}", run.stderr);
    assert_whole(&desk.path("full"), None);
    assert!(Checkpoint::find(&desk.path("full")).is_ok());
    assert_same_run(&desk.path("whole"), &desk.path("again"));
}
