//! SIGKILL at random moments.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use ganvas_data::{Purpose, keyed_rng};
use rand::Rng;

use crate::{AT_EVERY_PLACE, ON_CUBECL, desk::Desk, determinism::assert_same_run};

#[test]
fn a_run_killed_at_any_moment_ends_like_one_that_was_not() {
    // A software adapter takes a third of a second for a step, and more than a second to start.
    let epochs = if ON_CUBECL { 3 } else { 20 };
    let kills = if AT_EVERY_PLACE { 50 } else { 12 };
    let desk = Desk::new();
    let epochs = format!("training.epochs={epochs}");
    let set = [
        "--set",
        &epochs,
        "--set",
        "checkpoint.every=2",
        "--set",
        "ema.decay=0.9",
    ];
    desk.ok(&[&["train", "tiny.toml", "--out", "whole"][..], &set].concat());
    // Timed once the libraries are in memory, so that most of the moments lie before the end.
    let start = Instant::now();
    desk.ok(&[&["train", "tiny.toml", "--out", "again"][..], &set].concat());
    let mut whole = start.elapsed().as_micros() as u64;
    assert_same_run(&desk.path("whole"), &desk.path("again"));

    let mut rng = keyed_rng(1, Purpose::Noise, 50);
    let (mut killed, mut finished) = (0, 0);
    let mut moments = Vec::new();
    while killed < kills {
        let out = format!("killed-{finished}");
        let begin = ["train", "tiny.toml", "--out", &out];
        let resume = ["train", "tiny.toml", "--resume", "--out", &out];
        let begun = desk.path(&out).join("config.toml").exists();
        let arguments = if begun { &resume[..] } else { &begin };
        let mut child = desk
            .command(&[arguments, &set].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From before its first line to near its end.
        let moment = rng.random_range(0..=whole);
        std::thread::sleep(Duration::from_micros(moment));
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "after the kills at {moments:?} µs");
                assert_same_run(&desk.path("whole"), &desk.path(&out));
                finished += 1;
                // What the machine did beside the first runs may be over.
                if !begun {
                    whole = whole.min(moment);
                }
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                moments.push(moment);
            }
        }
    }
    let out = format!("killed-{finished}");
    let arguments = match desk.path(&out).join("config.toml").exists() {
        true => ["train", "tiny.toml", "--resume", "--out", &out],
        false => ["train", "tiny.toml", "--verbose", "--out", &out],
    };
    desk.ok(&[&arguments[..], &set].concat());
    assert_same_run(&desk.path("whole"), &desk.path(&out));
}
