//! `ganvas info` and the other verbs' `--json`.

use std::fs;

use serde_json::Value;

use crate::{KIND, desk::Desk};

fn json(desk: &Desk, arguments: &[&str]) -> Value {
    serde_json::from_str(&desk.ok(arguments).stdout).unwrap()
}

#[test]
fn info_says_what_a_run_is_and_how_to_go_on() {
    let desk = Desk::new();
    desk.ok(&[
        "train",
        "tiny.toml",
        "--out",
        "run",
        "--set",
        "checkpoint.every=2",
        "--set",
        "training.max_steps=5",
    ]);
    let found = json(&desk, &["info", "run", "--json"]);
    assert_eq!(found["name"], "tiny");
    assert_eq!(found["network"], "dcgan");
    assert_eq!(found["backend"], KIND);
    assert_eq!(
        (found["saved_step"].as_u64(), found["total_steps"].as_u64()),
        (Some(5), Some(5))
    );
    assert_eq!(found["finished"], true);
    assert_eq!(found["newest"]["step"], 5);
    let steps: Vec<u64> = found["checkpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, [2, 4, 5]);
    let bytes: u64 = fs::read_dir(desk.path("run/checkpoints/step-000005"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(found["checkpoints"][2]["bytes"].as_u64(), Some(bytes));
    let words = desk.ok(&["info", "run"]).stdout;
    for part in [
        "5 of 5 steps, finished",
        "loss/generator",
        "step-000004",
        "ganvas generate run",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("go on with"), "{words}");

    // Epochs count where no number of steps is set.
    desk.ok(&["train", "tiny.toml", "--out", "short", "--set", "training.max_steps=5"]);
    let text = fs::read_to_string(desk.path("short/config.toml")).unwrap();
    fs::write(desk.path("short/config.toml"), text.replace("max_steps = 5\n", "")).unwrap();
    let found = json(&desk, &["info", "short", "--json"]);
    assert_eq!(
        (found["total_steps"].as_u64(), found["finished"].as_bool()),
        (Some(6), Some(false))
    );
    assert!(
        desk.ok(&["info", "short"])
            .stdout
            .contains("ganvas train --resume short")
    );

    let found = json(&desk, &["info", "run/checkpoints/step-000004", "--json"]);
    assert_eq!(found["state"]["step"], 4);
    assert!(found["files"]["generator.safetensors"].as_u64().unwrap() > 100);
    assert!(
        desk.ok(&["info", "run/checkpoints/step-000004"])
            .stdout
            .contains("whole, by their checksums")
    );
    fs::write(desk.path("run/checkpoints/step-000004/generator.safetensors"), "no").unwrap();
    assert_eq!(desk.run(&["info", "run/checkpoints/step-000004"]).code, 1);
    let words = desk.ok(&["info", "run"]).stdout;
    let damaged: Vec<&str> = words.lines().filter(|line| line.contains("damaged")).collect();
    assert_eq!(damaged.len(), 1, "{words}");
    assert!(
        damaged[0].contains("step-000004") && damaged[0].contains("generator.safetensors"),
        "{words}"
    );
    let found = json(&desk, &["info", "run", "--json"]);
    assert!(found["checkpoints"][1]["fault"].is_string());
    assert!(found["checkpoints"][2]["fault"].is_null());
}

#[test]
fn json_is_one_document() {
    let desk = Desk::new();
    let found = json(&desk, &["config", "check", "tiny.toml", "--json"]);
    assert_eq!(
        (
            found["steps"].as_u64(),
            found["epochs"].as_u64(),
            found["batch_size"].as_u64()
        ),
        (Some(6), Some(2), Some(16))
    );
    desk.ok(&["train", "tiny.toml", "--out", "run", "--set", "training.max_steps=1"]);
    let found = json(
        &desk,
        &["generate", "run", "--count", "2", "--out", "two.npy", "--json"],
    );
    assert_eq!(
        (found["count"].as_u64(), found["seed"].as_u64(), found["step"].as_u64()),
        (Some(2), Some(5), Some(1))
    );
    assert_eq!(found["shape"], serde_json::json!([1, 28, 28]));
}
