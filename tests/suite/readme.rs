//! README's lines about one's own images and about images out, run as they stand there, cut short.

use std::fs;

use crate::{desk::Desk, own_images::write_picture, workspace};

/// The words of each line of the code under the paragraph that begins so, with some of them replaced.
fn lines(paragraph: &str, replaced: &[(&str, &str)]) -> Vec<Vec<String>> {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let start = readme.find(&format!("**{paragraph}**")).unwrap();
    let code = readme[start..].split("```").nth(1).unwrap();
    let mut code = code.strip_prefix("sh\n").unwrap().to_owned();
    for (words, others) in replaced {
        assert!(code.contains(words), "{words}: {code}");
        code = code.replace(words, others);
    }
    let lines: Vec<Vec<String>> = code
        .lines()
        .map(|line| line.split_whitespace().skip(1).map(str::to_owned).collect())
        .collect();
    assert_eq!(lines.len(), 6, "{code}");
    lines
}

fn run(desk: &Desk, line: &[String]) {
    let arguments: Vec<&str> = line.iter().map(String::as_str).collect();
    let mut command = desk.command(&arguments);
    command.env("XDG_CACHE_HOME", desk.path("cache"));
    let run = crate::desk::Run::from(command.output().unwrap(), &arguments);
    assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
}

#[test]
fn images_get_out() {
    let desk = Desk::new();
    desk.ok(&["train", "tiny.toml", "--out", "run"]);
    for line in lines(
        "Get images out",
        &[("runs/2026-01-31-120000-mnist", "run"), ("60000", "600")],
    ) {
        run(&desk, &line);
    }
    for out in [
        "digits.png",
        "digits/seed0040.png",
        "digits.npz",
        "morph.gif",
        "training.gif",
        "generator/generator.onnx",
    ] {
        assert!(fs::metadata(desk.path(out)).unwrap().len() > 100, "{out}");
    }
}

#[test]
fn own_images_are_trained_on() {
    let desk = Desk::new();
    for number in 0..24 {
        let class = ["ant", "bee", "cat"][number as usize % 3];
        write_picture(&desk.path(&format!("photos/{class}/{number:02}.png")), [48, 40], number);
    }
    fs::create_dir(desk.path("runs")).unwrap();
    for line in lines(
        "Train on your own images",
        &[("--epochs 100", "--epochs 1"), ("--epochs 200", "--epochs 2")],
    ) {
        run(&desk, &line);
    }
    for out in ["preview.png", "photos.png", "runs/photos/comparison.png"] {
        assert!(fs::metadata(desk.path(out)).unwrap().len() > 100, "{out}");
    }
}
