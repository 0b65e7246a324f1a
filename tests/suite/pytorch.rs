//! Checkpoints in PyTorch, where it is at hand.

use std::{path::PathBuf, process::Command};

use crate::{ON_CUBECL, desk::Desk, workspace};

/// A Python with torch: the one that `cargo xtask bench --with-pytorch` made, or the system's.
fn python() -> Option<PathBuf> {
    let own = workspace().join(".cache/pytorch/bin/python");
    [own, "python3".into()].into_iter().find(|python| {
        Command::new(python)
            .args(["-c", "import tomllib, torch"])
            .output()
            .is_ok_and(|output| output.status.success())
    })
}

#[test]
fn pytorch_makes_the_same_images_of_a_checkpoint() {
    let Some(python) = python() else {
        println!("no Python with torch is at hand: nothing was compared");
        return;
    };
    let networks: [(&str, &[&str]); 7] = [
        ("dcgan", &["ema.decay=0.9"]),
        (
            "resnet",
            &[
                "model.network=resnet",
                "model.base_channels=3",
                "model.most_channels=6",
                "model.blocks=2",
            ],
        ),
        (
            "dcgan28",
            &["model.generator_convolutions=2", "model.generator_normalization=layer"],
        ),
        ("dcgan32", &["data.image_size=32"]),
        ("dcgan64", &["data.image_size=64"]),
        ("mlp", &["model.network=mlp", "model.hidden_sizes=[12, 16]"]),
        ("blog", &["model.network=blog", "model.latent_size=100"]),
    ];
    let desk = Desk::new();
    // A software adapter takes long for the blog's network.
    for (name, set) in networks.into_iter().take(if ON_CUBECL { 2 } else { 7 }) {
        let text = std::fs::read_to_string(desk.path("tiny.toml")).unwrap();
        let text = match name {
            "dcgan" | "dcgan28" | "dcgan32" | "dcgan64" => text,
            _ => text.replace("base_channels = 4\n", ""),
        };
        let text = text.replace(
            "network = \"dcgan\"",
            &format!("network = \"{}\"", name.trim_end_matches(char::is_numeric)),
        );
        std::fs::write(desk.path("network.toml"), text).unwrap();
        let set: Vec<&str> = set
            .iter()
            .filter(|key| !key.starts_with("model.network"))
            .flat_map(|&key| ["--set", key])
            .collect();
        let train = ["train", "network.toml", "--out", name, "--set", "training.max_steps=2"];
        desk.ok(&[&train[..], &set].concat());
        desk.ok(&[
            "generate",
            name,
            "--count",
            "9",
            "--out",
            "images.npy",
            "--save-noise",
            "z.npy",
        ]);
        let output = Command::new(&python)
            .current_dir(desk.folder.path())
            .arg(
                workspace()
                    .canonicalize()
                    .unwrap()
                    .join("examples/generator_in_pytorch.py"),
            )
            .args([&format!("{name}/checkpoints/step-000002"), "z.npy", "images.npy"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let difference: f64 = text.trim().rsplit(' ').next().unwrap().parse().unwrap();
        assert!(text.starts_with("9 images") && difference < 1e-4, "{name}: {text}");
    }
}
