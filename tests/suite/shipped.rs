//! The program alone: experiments and backends by name, and files that win over them.

use std::fs;

use crate::{desk::Desk, experiments, workspace};

/// The backend under test by its name, where it ships under that name.
fn backend_name() -> String {
    crate::backend_path()
        .file_stem()
        .unwrap()
        .to_string_lossy()
        .into_owned()
}

#[test]
fn a_lone_binary_trains_by_name() {
    let desk = Desk::new();
    let name = backend_name();
    let set = [
        "--set",
        "training.max_steps=2",
        "--set",
        "data.count=64",
        "--set",
        "model.base_channels=4",
    ];
    let run = desk.ok(&[&["train", "quickstart", "--out", "run", "--backend", &name][..], &set].concat());
    assert!(run.stdout.contains("trained 2 steps"), "{}", run.stdout);
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    assert!(config.contains("name = \"quickstart\""), "{config}");
    desk.ok(&["generate", "run", "--count", "1", "--backend", &name]);
    let list = desk.ok(&["config", "list"]).stdout;
    for path in experiments() {
        let experiment = path.file_stem().unwrap().to_str().unwrap();
        assert!(list.contains(experiment), "{list}");
        let arguments = |config: &str| desk.ok(&["config", "show", config, "--backend", &name]).stdout;
        assert_eq!(arguments(experiment), arguments(&path.display().to_string()));
    }
}

#[test]
fn a_file_of_that_name_wins_and_that_is_said() {
    let desk = Desk::new();
    fs::copy(desk.path("tiny.toml"), desk.path("mnist")).unwrap();
    let run = desk.ok(&["config", "show", "mnist"]);
    assert!(run.stdout.contains("latent_size = 8"), "{}", run.stdout);
    assert!(run.stderr.contains("`mnist` is a file here"), "{}", run.stderr);
    // A data set's folder is none.
    fs::create_dir(desk.path("mlp")).unwrap();
    let run = desk.run(&["config", "show", "mlp", "--backend", &backend_name()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn an_experiment_is_taken_as_a_beginning() {
    let desk = Desk::new();
    desk.ok(&["config", "init", "mlp", "mine.toml"]);
    let mine = fs::read_to_string(desk.path("mine.toml")).unwrap();
    // All but the line by which an editor finds the schema beside the project's own files.
    let shipped = fs::read_to_string(workspace().join("configs/mlp.toml")).unwrap();
    assert_eq!(mine, shipped.split_once('\n').unwrap().1);
    assert_eq!(desk.ok(&["config", "init", "mlp", "-"]).stdout, mine);
    for (arguments, part) in [
        (&["config", "init", "mlp", "mine.toml"][..], "mine.toml: exists"),
        (&["config", "init", "mlp", "mine.yaml"], "ends in .toml"),
        (&["config", "init", "mpl", "other.toml"], "did you mean `mlp`?"),
        (&["config", "init", "MLP", "other.toml"], "did you mean `mlp`?"),
        (
            &["config", "init", "tiny.toml", "other.toml"],
            "no experiment that ships",
        ),
    ] {
        let run = desk.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(part), "{arguments:?}: {}", run.stderr);
    }
    assert!(!desk.path("other.toml").exists());
}

#[test]
fn keys_that_are_set_often_have_flags() {
    let desk = Desk::new();
    let show = |arguments: &[&str]| {
        desk.ok(&[&["config", "show", "tiny.toml"][..], arguments].concat())
            .stdout
    };
    let shown = show(&["--epochs", "7", "--seed", "11", "--batch-size", "9"]);
    for line in ["epochs = 7", "seed = 11", "batch_size = 9"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    for rate in ["2e-3", "2e-5"] {
        let shown = show(&["--set", "optimizer.generator.learning_rate=1", "--learning-rate", rate]);
        let of_both: f64 = rate.parse().unwrap();
        let rates = shown.lines().filter_map(|line| line.strip_prefix("learning_rate = "));
        let rates: Vec<f64> = rates.map(|rate| rate.parse().unwrap()).collect();
        // The third is what `[schedule]` falls to.
        assert_eq!(rates[..2], [of_both; 2], "{shown}");
    }
    // Epochs that are typed decide.
    let shown = show(&["--set", "training.max_steps=3", "--epochs", "7"]);
    assert!(shown.contains("epochs = 7") && !shown.contains("max_steps"), "{shown}");
    let run = desk.ok(&[
        "config",
        "show",
        "tiny.toml",
        "--set",
        "training.max_steps=3",
        "--set",
        "training.epochs=7",
    ]);
    assert!(run.stderr.contains("training.epochs has no say"), "{}", run.stderr);
    for (arguments, part) in [
        (&["--epochs", "0"][..], "expected 1 to"),
        (
            &["--batch-size", "70000"],
            "--batch-size 70000: `data.batch_size`: expected at most",
        ),
        (
            &["--learning-rate", "-1"],
            "--learning-rate -1.0: `optimizer.generator.learning_rate`: expected",
        ),
        (&["--learning-rate", "high"], "'high'"),
    ] {
        let run = desk.run(&[&["config", "show", "tiny.toml"][..], arguments].concat());
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}
