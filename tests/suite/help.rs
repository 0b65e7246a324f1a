//! Help, version, completions, manual pages, and what is printed for programs.

use std::{collections::BTreeSet, fs, process::Command};

use ganvas_backend::BackendKind;
use ganvas_model::fused_layers_in_use;

use crate::{
    B, KIND,
    desk::{Desk, run_with_data},
    device, workspace,
};

/// The verbs that the help of a command lists, `help` left out.
fn verbs(desk: &Desk, of: &[&str]) -> Vec<String> {
    let help = desk.ok(&[of, &["--help"]].concat()).stdout;
    let listed = help
        .split("Commands:\n")
        .nth(1)
        .map(|rest| rest.split("\n\n").next().unwrap());
    let names = listed
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

/// Every verb, and those below it, as they are typed.
fn all_verbs(desk: &Desk) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for verb in verbs(desk, &[]) {
        for below in verbs(desk, &[&verb]) {
            all.push(vec![verb.clone(), below]);
        }
        all.push(vec![verb]);
    }
    assert!(all.len() >= 14, "{all:?}");
    all
}

#[test]
fn the_help_of_every_verb_has_an_example_that_can_be_typed() {
    let desk = Desk::new();
    for verb in all_verbs(&desk) {
        let words: Vec<&str> = verb.iter().map(String::as_str).collect();
        let help = desk.ok(&[&words[..], &["--help"]].concat()).stdout;
        let start = format!("  ganvas {}", words.join(" "));
        let examples: Vec<&str> = help.lines().filter(|line| line.starts_with(&start)).collect();
        assert!(!examples.is_empty(), "{verb:?}: {help}");
        // What an example types is understood: with help asked for, nothing is done.
        for example in examples {
            let typed = example.split(" > ").next().unwrap().split_whitespace().skip(1);
            let typed: Vec<&str> = typed.chain(["--help"]).collect();
            desk.ok(&typed);
            for path in typed.iter().filter(|word| word.starts_with("configs/")) {
                assert!(workspace().join(path).is_file(), "{example}");
            }
        }
    }
}

#[test]
fn examples_parse_without_help() {
    let desk = Desk::new();
    // Run where there is nothing, and no data set: whatever they say is about files, and not about arguments.
    for verb in all_verbs(&desk) {
        let words: Vec<&str> = verb.iter().map(String::as_str).collect();
        let help = desk.ok(&[&words[..], &["--help"]].concat()).stdout;
        let start = format!("  ganvas {} ", words.join(" "));
        for example in help.lines().filter(|line| line.starts_with(&start)) {
            let typed: Vec<&str> = example
                .split(" > ")
                .next()
                .unwrap()
                .split_whitespace()
                .skip(1)
                .collect();
            // What trains by a name that ships would do so.
            let works = ["man", "train", "bench"].contains(&typed[0]);
            if works || typed[..2] == ["data", "fetch"] {
                continue;
            }
            let run = run_with_data(&desk, desk.path("nothing").to_str(), &typed);
            assert!(!run.stderr.contains("Usage: "), "{example}: {}", run.stderr);
        }
    }
}

#[test]
fn completions_name_every_verb_and_are_read_by_their_shell() {
    let desk = Desk::new();
    let names: BTreeSet<String> = all_verbs(&desk).into_iter().flatten().collect();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.ok(&["completions", shell]).stdout;
        for name in &names {
            assert!(script.contains(name), "{shell} does not complete {name}");
        }
        assert!(script.contains("--dry-run") || script.contains("dry-run"), "{shell}");
        let path = desk.path(shell);
        fs::write(&path, script).unwrap();
        let reader = match shell {
            "powershell" => continue,
            "elvish" => "elvish -compileonly",
            shell => &format!("{shell} -n"),
        };
        let program = reader.split(' ').next().unwrap();
        let is_here = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .unwrap();
        if is_here.status.success() {
            let checked = Command::new("sh")
                .args(["-c", &format!("{reader} {}", path.display())])
                .status();
            assert!(checked.unwrap().success(), "{shell} does not read its completions");
        } else {
            assert_ne!(shell, "bash", "there is no bash to read the completions with");
        }
    }
    assert_eq!(desk.run(&["completions", "dos"]).code, 2);
}

#[test]
fn there_is_a_manual_page_for_every_verb() {
    let desk = Desk::new();
    let said = desk.ok(&["man", "pages"]).stdout;
    let mut expected: BTreeSet<String> = all_verbs(&desk)
        .iter()
        .map(|verb| format!("ganvas-{}.1", verb.join("-")))
        .collect();
    expected.insert("ganvas.1".to_owned());
    let found: BTreeSet<String> = fs::read_dir(desk.path("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, expected);
    assert!(said.contains(&format!("{} manual pages", found.len())), "{said}");
    let train = fs::read_to_string(desk.path("pages/ganvas-train.1")).unwrap();
    for part in [
        ".TH ganvas-train 1",
        ".SH SYNOPSIS",
        "dry\\-run",
        "ganvas train quickstart",
    ] {
        assert!(train.contains(part), "{part}: {train}");
    }
    // Where there is a program that lays pages out, it finds nothing to warn of.
    if let Ok(output) = Command::new("groff")
        .args(["-man", "-Tutf8", "-ww", "pages/ganvas-train.1"])
        .current_dir(desk.folder.path())
        .output()
    {
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("ganvas-train"), "{text}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
    // Where they cannot be written, the reason is given.
    fs::write(desk.path("file"), "").unwrap();
    let run = desk.run(&["man", "file"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("file"), "{}", run.stderr);
}

#[test]
fn the_long_version_says_what_the_program_is_made_of() {
    let desk = Desk::new();
    assert_eq!(
        desk.ok(&["-V"]).stdout,
        format!("ganvas {}\n", env!("CARGO_PKG_VERSION"))
    );
    let long = desk.ok(&["--version"]).stdout;
    let mut lines = long.lines();
    assert_eq!(lines.next(), Some(&*format!("ganvas {}", env!("CARGO_PKG_VERSION"))));
    let commit = lines.next().unwrap().strip_prefix("commit: ").unwrap();
    // Of this very tree, where it is git's.
    let git = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(workspace())
        .output();
    match git.ok().filter(|output| output.status.success()) {
        Some(output) => assert_eq!(commit, &String::from_utf8(output.stdout).unwrap()[..12]),
        None => assert!(commit.starts_with("unknown") || commit.len() == 12, "{commit}"),
    }
    let backends = lines.next().unwrap().strip_prefix("backends: ").unwrap();
    let fused = matches!(KIND, "ndarray" | "flex" | "libtorch");
    let kernels = if fused { "fused kernels" } else { "Burn's operations" };
    assert!(backends.contains(&format!("{KIND} ({kernels})")), "{backends}");
    assert_eq!(lines.next(), None);
}

#[test]
fn a_backend_has_fused_kernels_where_it_says_so() {
    let kind: BackendKind = KIND.parse().unwrap();
    let in_use = fused_layers_in_use::<B>(&device());
    // libtorch has them on processors only.
    assert!(
        in_use == kind.has_fused_kernels() || KIND == "libtorch",
        "{KIND}: {in_use}"
    );
}

#[test]
fn backends_are_listed_for_programs() {
    let desk = Desk::new();
    let text = desk.ok(&["backends", "--json"]).stdout;
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["default"], "ndarray");
    let backends = document["backends"].as_array().unwrap();
    assert_eq!(backends.len(), BackendKind::ALL.len());
    for backend in backends {
        let name = backend["name"].as_str().unwrap();
        let is_tested = name == KIND;
        assert_eq!(backend["compiled"], is_tested, "{backend}");
        assert_eq!(backend["usable"], is_tested, "{backend}");
        assert_eq!(backend["reason"].is_null(), is_tested, "{backend}");
        assert_eq!(backend["default"], name == "ndarray", "{backend}");
        assert!(!backend["description"].as_str().unwrap().is_empty(), "{backend}");
        let devices = backend["devices"].as_array().unwrap();
        assert_eq!(devices.is_empty(), !is_tested, "{backend}");
        for device in devices {
            assert!(!device["name"].as_str().unwrap().is_empty(), "{device}");
            assert!(
                device["description"].is_string() && device["software"].is_boolean(),
                "{device}"
            );
        }
    }
}

#[test]
fn one_is_singular() {
    let desk = Desk::new();
    let one = [
        "--set",
        "data.count=1",
        "--set",
        "data.batch_size=1",
        "--set",
        "training.epochs=1",
    ];
    let run = desk.ok(&[&["train", "tiny.toml", "--out", "run"][..], &one].concat());
    assert!(run.stdout.contains("trained 1 step: run"), "{}", run.stdout);
    for part in ["synthetic: 1 image of ", "training: 1 step, 1 epoch of 1 batch of 1"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    let bench = desk.ok(&[&["bench", "tiny.toml", "--seconds", "0", "--steps", "1"][..], &one].concat());
    assert!(
        bench.stdout.contains("whole run         1 step, 1 epoch, about"),
        "{}",
        bench.stdout
    );
    let preview = desk.ok(&["data", "preview", "synthetic", "--count", "1", "--out", "one.png"]);
    assert!(preview.stdout.contains("1 image: one.png"), "{}", preview.stdout);
}
