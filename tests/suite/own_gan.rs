//! `examples/own_gan`, the crate of a user's own.

use std::{fs, path::Path, process::Command};

use crate::workspace;

/// Trains into `out`, or goes on there, until so many steps.
fn train(out: &Path, steps: &str) {
    let run = Command::new(env!("CARGO_BIN_EXE_own-gan-under-test"))
        .args([out.as_os_str(), steps.as_ref()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    // An image of 12 by 16, of both shades: what it learned from is black and white.
    let printed = String::from_utf8(run.stdout).unwrap();
    let image: Vec<&str> = printed.lines().skip(1).collect();
    assert!(
        image.len() == 12 && image.iter().all(|row| row.len() == 16),
        "{printed}"
    );
    assert!(printed.contains('#') && printed.contains('.'), "{printed}");
}

#[test]
fn networks_and_objective_of_ones_own_are_resumed_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    train(&whole, "200");
    train(&parts, "120");
    train(&parts, "200");
    let sessions = fs::read_to_string(parts.join("sessions.jsonl")).unwrap();
    let begun: Vec<u64> = sessions
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["step"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(begun, [0, 120]);
    for file in [
        "generator.safetensors",
        "discriminator.safetensors",
        "ema_generator.safetensors",
        "optimizer_generator.safetensors",
        "optimizer_discriminator.safetensors",
    ] {
        let [one, other] =
            [&whole, &parts].map(|run| fs::read(run.join("checkpoints/step-000200").join(file)).unwrap());
        assert!(one == other, "{file}");
    }
}

/// The README shows the heart of it: it is that program's own text.
#[test]
fn the_readmes_own_gan_is_the_one_that_runs() {
    let read = |path: &str| fs::read_to_string(workspace().join(path)).unwrap();
    let (readme, example) = (read("README.md"), read("examples/own_gan/src/main.rs"));
    let shown: Vec<&str> = readme
        .split("```rust,ignore\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(shown.len() >= 3);
    for code in shown {
        assert!(example.contains(code), "not in examples/own_gan:\n{code}");
    }
}

/// What the suite builds it with is what its own manifest names, at the versions of the workspace.
#[test]
fn its_manifest_names_the_crates_that_the_suite_builds_it_with() {
    let read = |path: &str| -> toml::Table { fs::read_to_string(workspace().join(path)).unwrap().parse().unwrap() };
    let (own, suite, whole) = (
        read("examples/own_gan/Cargo.toml"),
        read("tests/Cargo.toml"),
        read("Cargo.toml"),
    );
    let names = |table: &toml::Table| -> Vec<String> {
        let names = table["dependencies"].as_table().unwrap().keys();
        names.filter(|name| *name != "ganvas").cloned().collect()
    };
    assert_eq!(names(&own), names(&suite));
    let shared = &whole["workspace"]["dependencies"];
    for name in ["burn", "serde"] {
        assert_eq!(own["dependencies"][name], shared[name]);
    }
}
