//! Generators for other programs.

use std::{fs, path::PathBuf, process::Command};

use ganvas_model::from_safetensors;

use crate::{ON_CUBECL, desk::Desk, workspace};

/// A Python that can make images of what is exported: the one that `cargo xtask bench --with-pytorch` made, or the system's.
fn python() -> Option<PathBuf> {
    let own = workspace().join(".cache/pytorch/bin/python");
    [own, "python3".into()].into_iter().find(|python| {
        let has_any =
            "import importlib.util, numpy; exit(not any(map(importlib.util.find_spec, ['onnxruntime', 'torch'])))";
        let output = Command::new(python).args(["-c", has_any]).output();
        output.is_ok_and(|output| output.status.success())
    })
}

/// Trains a moment, with these lines in the place of tiny.toml's `[model]`.
fn train(desk: &Desk, name: &str, model: &str, set: &[&str]) {
    let text = fs::read_to_string(desk.path("tiny.toml")).unwrap();
    let network = text.split_once("[model]\n").unwrap();
    let rest = network.1.find("\n[").map_or("", |end| &network.1[end..]);
    fs::write(
        desk.path("network.toml"),
        format!("{}[model]\n{model}{rest}", network.0),
    )
    .unwrap();
    let train = ["train", "network.toml", "--out", name, "--set", "training.max_steps=2"];
    let set = set.iter().flat_map(|&key| ["--set", key]);
    desk.ok(&train.into_iter().chain(set).collect::<Vec<_>>());
}

#[test]
fn other_programs_make_the_same_images() {
    let python = python();
    let networks: [(&str, &str, &[&str]); 9] = [
        ("dcgan", "network = \"dcgan\"\nbase_channels = 4\n", &["ema.decay=0.9"]),
        (
            "conditional",
            "network = \"dcgan\"\nbase_channels = 4\nconditional = true\ngenerator_convolutions = 1\n",
            &[],
        ),
        (
            "layer-norms",
            "network = \"dcgan\"\nbase_channels = 4\ngenerator_convolutions = 2\ngenerator_normalization = \"layer\"\n",
            &[],
        ),
        (
            "no-norms",
            "network = \"dcgan\"\nbase_channels = 4\ngenerator_normalization = \"none\"\n",
            &["data.image_size=32"],
        ),
        (
            "large",
            "network = \"dcgan\"\nbase_channels = 4\n",
            &["data.image_size=64"],
        ),
        (
            "resnet",
            "network = \"resnet\"\nbase_channels = 3\nmost_channels = 6\nblocks = 2\n",
            &[],
        ),
        (
            "conditional-resnet",
            "network = \"resnet\"\nbase_channels = 4\nmost_channels = 4\nconditional = true\n",
            &[],
        ),
        ("mlp", "network = \"mlp\"\nhidden_sizes = [12, 16]\n", &[]),
        ("blog", "network = \"blog\"\nlatent_size = 100\n", &[]),
    ];
    let desk = Desk::new();
    // A software adapter takes long for the blog's network.
    for (name, model, set) in networks.into_iter().take(if ON_CUBECL { 2 } else { 9 }) {
        train(&desk, name, model, set);
        desk.ok(&["export", name, "--out", "out", "--force"]);
        let weights = from_safetensors(&fs::read(desk.path("out/generator.safetensors")).unwrap()).unwrap();
        assert!(!weights.is_empty());
        let class: &[&str] = if model.contains("conditional") {
            &["--class", "3"]
        } else {
            &[]
        };
        let generate = [
            "generate",
            name,
            "--count",
            "9",
            "--out",
            "images.npy",
            "--save-noise",
            "z.npy",
            "--force",
        ];
        desk.ok(&[&generate[..], class].concat());
        let Some(python) = &python else {
            println!("no Python with NumPy and onnxruntime or torch is at hand: nothing was compared");
            continue;
        };
        let output = Command::new(python)
            .current_dir(desk.folder.path())
            .arg(workspace().canonicalize().unwrap().join("tests/reference/export.py"))
            .args(["out", "z.npy", "images.npy"])
            .args(class.get(1))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !text.is_empty(), "{name}: {errors}");
        for line in text.lines() {
            println!("{name}: {line}");
            let difference: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
            assert!(line.contains(" 9 images") && difference < 1e-5, "{name}: {line}");
        }
    }
}

#[cfg(feature = "ndarray")]
#[test]
fn what_cannot_be_written_is_refused_before_anything_is() {
    type Files = std::collections::BTreeMap<String, Vec<u8>>;
    let desk = Desk::new();
    train(
        &desk,
        "run",
        "network = \"mlp\"\nhidden_sizes = [8]\n",
        &["ema.decay=0.9"],
    );
    let refused = |arguments: &[&str], words: &str| {
        let run = desk.run(&[&["export", "run"], arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    };
    refused(&[], "--out");
    refused(&["--out", "-"], "a folder cannot be standard output");
    refused(&["--out", "tiny.toml"], "expected a folder, found a file");
    refused(&["--out", "no/where"], "there is no folder no; create it first");
    refused(&["--out", "out", "--checkpoint", "77"], "77");
    assert!(!desk.path("out").exists());

    let said = desk.ok(&["export", "run", "--out", "out"]).stdout;
    assert!(
        said.starts_with("out: generator.safetensors, generator.py, generator.onnx, README.md, "),
        "{said}"
    );
    let files = || {
        let files = fs::read_dir(desk.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let files = files.map(|path| (name(&path), fs::read(path).unwrap()));
        files.collect::<Files>()
    };
    let differing = |left: &Files, right: &Files| {
        assert!(left.keys().eq(right.keys()));
        left.keys().filter(|&name| left[name] != right[name]).count()
    };
    let averaged = files();
    assert_eq!(averaged.len(), 4);
    fs::remove_file(desk.path("out/README.md")).unwrap();
    refused(&["--out", "out"], "exists; `--force` replaces it");
    assert_eq!(files().len(), 3);
    // The same is written to the byte.
    desk.ok(&["export", "run", "--out", "out", "--force"]);
    assert_eq!(differing(&files(), &averaged), 0);
    desk.ok(&["export", "run", "--out", "out", "--force", "--weights", "raw"]);
    let raw = files();
    assert_eq!(differing(&raw, &averaged), 4);
    let page = String::from_utf8_lossy(&raw["README.md"]);
    assert!(
        page.contains("The generator of `run` at step 2, weights as trained last"),
        "{page}"
    );
    // What it says makes images to compare with.
    let command = page.split("`ganvas ").nth(1).unwrap().split('`').next().unwrap();
    assert!(command.contains("--checkpoint 2 --weights raw"), "{command}");
    let words: Vec<&str> = command
        .split(' ')
        .map(|word| if word == "RUN" { "run" } else { word })
        .collect();
    desk.ok(&words);
    // A checkpoint is left alone, whatever is asked for.
    let checkpoint = "run/checkpoints/step-000002";
    refused(&["--out", checkpoint, "--force"], "found a checkpoint");
    desk.ok(&["info", checkpoint]);
}
