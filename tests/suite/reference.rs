use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

use crate::{KIND, desk::Desk, workspace};

fn committed(path: &str) -> String {
    fs::read_to_string(workspace().join(path))
        .unwrap()
        .replace("\r\n", "\n")
}

#[test]
fn the_committed_reference_is_what_the_program_says() {
    let desk = Desk::new();
    for (arguments, path) in [
        (&["config", "explain", "--markdown"][..], "docs/configuration.md"),
        (&["config", "schema"], "configs/schema.json"),
        (&["config", "schema", "--backend-file"], "configs/backend.schema.json"),
    ] {
        let said = desk.ok(arguments).stdout;
        assert!(said.len() > 1000, "{said}");
        assert_eq!(
            said,
            committed(path),
            "{path} is old: cargo run --release -- {} > {path}",
            arguments.join(" ")
        );
    }
}

#[test]
fn every_file_names_its_schema() {
    for (folder, schema) in [
        ("configs", "./schema.json"),
        ("configs/backends", "../backend.schema.json"),
    ] {
        let folder = workspace().join(folder);
        assert!(folder.join(schema).is_file());
        let files: Vec<PathBuf> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .collect();
        assert!(files.len() >= 4);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            assert_eq!(
                text.lines().next(),
                Some(&*format!("#:schema {schema}")),
                "{}",
                file.display()
            );
        }
    }
}

/// With Python and its jsonschema, where they are at hand: the schemas take the project's files and whole configurations, and
/// refuse mistakes.
#[test]
fn an_independent_validator_takes_the_files_and_refuses_mistakes() {
    let python = Command::new("python3")
        .args(["-c", "import jsonschema, tomllib"])
        .output();
    if !python.is_ok_and(|output| output.status.success()) {
        println!("no Python with jsonschema and tomllib: the schemas are compared with the committed ones only");
        return;
    }
    let desk = Desk::new();
    let mut shown = Vec::new();
    for network in ["dcgan", "mlp", "blog"] {
        let set = format!("model={{network=\"{network}\"}}");
        let best = "checkpoint.best={metric=\"loss/generator\", goal=\"min\"}";
        let arguments = ["config", "show", "tiny.toml", "--set", &set, "--set", best];
        let path = desk.path(&format!("{network}.toml"));
        fs::write(&path, desk.ok(&arguments).stdout).unwrap();
        shown.push(path);
    }
    let script = workspace().join("tests/reference/schema_check.py");
    let output = Command::new("python3").arg(script).args(shown).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("0 failures"), "{text}");
}

#[test]
fn keys_and_sections_are_explained_within_80_columns() {
    let desk = Desk::new();
    let all = desk.ok(&["config", "explain"]).stdout;
    assert!(all.lines().all(|line| line.chars().count() < 80), "{all}");
    for part in [
        "[optimizer.generator]",
        "batch_size = 64  (whole number)",
        "base_channels = 64  (whole number; network = \"dcgan\")",
        "network  (one of these; has to be given)",
        "max_steps  (whole number; not given by default)",
        "\"hinge\": The discriminator minimizes",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let key = desk.ok(&["config", "explain", "training.max_steps"]).stdout;
    assert!(key.contains("max_steps") && !key.contains("epochs ="), "{key}");
    let section = desk.ok(&["config", "explain", "optimizer"]).stdout;
    assert_eq!(section.matches("learning_rate").count(), 2, "{section}");
    assert!(!section.contains("[training]"), "{section}");

    let json: Value = serde_json::from_str(&desk.ok(&["config", "explain", "ema", "--json"]).stdout).unwrap();
    assert_eq!(json[0]["keys"][0]["key"], "ema.decay");
    let run = desk.run(&["config", "explain", "training.epoch"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("did you mean `training.epochs`?"), "{}", run.stderr);
}

/// The defaults that are explained are those that an experiment without a key gets.
#[test]
fn the_defaults_are_those_of_an_experiment_that_gives_none() {
    let desk = Desk::new();
    let explained = desk.ok(&["config", "explain", "--json"]).stdout;
    let explained: Value = serde_json::from_str(&explained).unwrap();
    let keys: Vec<&Value> = explained
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|section| section["keys"].as_array().unwrap())
        .collect();
    for network in ["dcgan", "mlp", "blog"] {
        let text = format!("name = \"bare\"\n[backend]\nkind = \"{KIND}\"\n[model]\nnetwork = \"{network}\"\n");
        fs::write(desk.path("bare.toml"), text).unwrap();
        let resolved = desk.ok(&["config", "show", "bare.toml"]).stdout;
        let mut compared = 0;
        for key in &keys {
            let families = key["families"].as_array().unwrap();
            let (Some(default), true) = (
                key["default"].as_str(),
                families.is_empty() || families.iter().any(|family| family == network),
            ) else {
                continue;
            };
            let name = key["key"].as_str().unwrap();
            // The file gives these two; of all others, setting the default changes nothing.
            if ["name", "backend.kind"].contains(&name) {
                continue;
            }
            let set = format!("{name}={default}");
            let again = desk.ok(&["config", "show", "bare.toml", "--set", &set]).stdout;
            assert_eq!(again, resolved, "{set}");
            compared += 1;
        }
        assert!(compared >= 25, "{compared} keys of {network}");
    }
}

/// Values of a wrong type in the file's words, not in Rust's.
#[test]
fn wrong_types_are_reported_in_the_words_of_the_file() {
    let desk = Desk::new();
    for (set, expected) in [
        ("training.epochs=1.5", "expected a whole number, 0 or more, found 1.5"),
        ("training.epochs=-1", "expected a whole number, 0 or more, found -1"),
        (
            "training.epochs=[1]",
            "expected a whole number, 0 or more, found a list",
        ),
        (
            "training.epochs={a=1}",
            "expected a whole number, 0 or more, found a section",
        ),
        ("training.update=3", "expected text in quotes, found 3"),
        ("training=3", "expected a section"),
        ("model=3", "expected a section"),
        ("model.network=3", "expected text in quotes, found 3"),
        ("model={network=\"mlp\", hidden_sizes=3}", "expected a list, found 3"),
        ("ema.decay=x", "expected a number, found \"x\""),
        ("checkpoint.best={}", "`checkpoint.best.metric` is missing"),
    ] {
        let run = desk.run(&["config", "check", "tiny.toml", "--set", set]);
        assert_eq!(run.code, 2, "{set}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{set}: {}", run.stderr);
        for word in [
            "u64", "usize", "f64", "variant", "sequence", "enum", "struct", "field", "Config",
        ] {
            assert!(!run.stderr.contains(word), "{set}: {}", run.stderr);
        }
    }
}
