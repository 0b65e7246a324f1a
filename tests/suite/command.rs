//! Every verb of the command, run as a process.

use std::{fs, path::Path};

use crate::{KIND, backend_path, desk::Desk, experiments};

fn png_size(path: &Path) -> (u32, u32) {
    let reader = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()))
        .read_info()
        .unwrap();
    (reader.info().width, reader.info().height)
}

#[test]
fn train_then_generate_in_every_format() {
    let desk = Desk::new();
    let run = desk.ok(&["train", "tiny.toml", "--out", "run"]);
    assert!(run.stdout.contains("trained 6 steps: run"), "{}", run.stdout);
    assert!(run.stdout.contains("run/comparison.png"), "{}", run.stdout);
    // Piped, the progress comes as plain lines.
    assert!(run.stderr.contains("step 6/6"), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    assert_eq!(
        fs::read_to_string(desk.path("run/metrics.jsonl"))
            .unwrap()
            .lines()
            .count(),
        6
    );

    desk.ok(&["generate", "run", "--count", "7", "--seed", "3", "--out", "seven.png"]);
    let (width, height) = png_size(&desk.path("seven.png"));
    assert!(width >= 3 * 3 * 28 && height >= 3 * 3 * 28, "{width}×{height}");

    desk.ok(&["generate", "run", "--count", "7", "--seed", "3", "--out", "seven.npy"]);
    let npy = fs::read(desk.path("seven.npy")).unwrap();
    assert_eq!(&npy[..8], b"\x93NUMPY\x01\x00");
    let header = String::from_utf8_lossy(&npy[10..128]).into_owned();
    assert!(
        header.contains("'descr': '<f4'") && header.contains("(7, 1, 28, 28)"),
        "{header}"
    );
    assert_eq!(npy.len(), 128 + 7 * 784 * 4);

    desk.ok(&[
        "generate",
        "run/checkpoints/step-000006",
        "--count",
        "7",
        "--seed",
        "3",
        "--out",
        "seven.idx",
    ]);
    let idx = ganvas_data::idx::read_images(&desk.path("seven.idx")).unwrap();
    assert_eq!((idx.count, idx.rows, idx.columns), (7, 28, 28));
    // Both files hold the same images.
    for (byte, four) in idx.pixels.iter().zip(npy[128..].chunks_exact(4)) {
        assert_eq!(
            *byte,
            ganvas_data::denormalize(f32::from_le_bytes(four.try_into().unwrap()))
        );
    }

    // The name says what was drawn when no other is given.
    desk.ok(&["generate", "run", "--count", "1"]);
    assert!(desk.path("run-step-000006-seed-5.png").is_file());
}

#[test]
fn a_run_directory_is_never_overwritten_and_gets_a_name_of_its_own() {
    let desk = Desk::new();
    desk.ok(&["train", "tiny.toml", "--set", "training.max_steps=1"]);
    let runs: Vec<_> = fs::read_dir(desk.path("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(runs.len(), 1);
    assert!(runs[0].to_string_lossy().ends_with("-tiny"), "{runs:?}");
    let again = desk.run(&["train", "tiny.toml", "--out", &runs[0].display().to_string()]);
    assert_eq!(again.code, 2);
    assert!(
        again.stderr.contains("not empty") && again.stderr.contains("--resume"),
        "{}",
        again.stderr
    );
    // Without --out the newest run of this name goes on.
    let run = desk.ok(&["train", "tiny.toml", "--resume"]);
    assert!(run.stdout.contains("trained 6 steps"), "{}", run.stdout);
}

#[test]
fn mistakes_are_reported_with_the_right_word_and_exit_2() {
    let desk = Desk::new();
    fs::write(
        desk.path("wrong.toml"),
        "[model]\nnetwork = \"dcgan\"\n\n[training]\nepoch = 3\n",
    )
    .unwrap();
    fs::write(
        desk.path("odd.toml"),
        "[backend]\nkind = \"ndaray\"\n[model]\nnetwork = \"mlp\"\n",
    )
    .unwrap();
    for (arguments, parts) in [
        (
            &["config", "check", "odd.toml"][..],
            &["odd.toml:2: `backend.kind`: unknown backend `ndaray`"][..],
        ),
        (
            &["train", "wrong.toml"],
            &["wrong.toml:5", "unknown key `epoch`", "did you mean `epochs`?"][..],
        ),
        (
            &["train", "tiny.toml", "--set", "data.dataset=mnits"],
            &["--set data.dataset=mnits", "did you mean `mnist`?"],
        ),
        (
            &["train", "tiny.toml", "--set", "backend.kind=ndaray"],
            &["unknown backend `ndaray`", "did you mean `ndarray`?"],
        ),
        (
            &["train", "tiny.toml", "--set", "backend.device=gpu"],
            &["has no device `gpu`"],
        ),
        (
            &["train", "tiny.toml", "--set", "data.image_size=30"],
            &[
                "--set data.image_size=30: `data.image_size`",
                "`image` is 1×30×30",
                "multiples of 4",
            ],
        ),
        (
            &["train", "tiny.toml", "--set", "data.image_size=20"],
            &[
                "--set data.image_size=20: `data.image_size`",
                "cannot pad the 28 × 28 images",
            ],
        ),
        (
            &[
                "train",
                "tiny.toml",
                "--set",
                "data.count=10",
                "--set",
                "data.drop_last=true",
            ],
            &["cannot cut 10 images into batches of 16"],
        ),
        (
            &[
                "train",
                "tiny.toml",
                "--set",
                "checkpoint.best={metric=\"loss/generatr\", goal=\"min\"}",
            ],
            &[
                "`checkpoint.best.metric`: expected one of loss/discriminator",
                "did you mean `loss/generator`?",
            ],
        ),
        (
            &["train", "tiny.toml", "--set", "model.hidden_sizes=[8]"],
            &["`model.hidden_sizes` has no meaning for network = \"dcgan\", only for \"mlp\""],
        ),
        (&["train", "tyni.toml"], &["no such file", "did you mean `tiny.toml`?"]),
        (
            &["train", "tiny.toml", "--resume", "--out", "nowhere"],
            &["nowhere: no such folder", "expected a run's folder"],
        ),
        (&["generate", "nowhere"], &["nowhere: no such folder"]),
        (&["generate", "."], &["holds no run"]),
        (&["config", "check", "wrong.toml"], &["wrong.toml:5"]),
        (
            &["train", "tiny.toml", "--resume", "--dry-run"],
            &["cannot be used with"],
        ),
        (
            &["generate", "run", "--count", "0"],
            &["expected 1 to 4294967295, found 0"],
        ),
        (&["data", "fetch", "imagenet"], &["imagenet"]),
        (&["frobnicate"], &["unrecognized subcommand"]),
    ] {
        let run = desk.run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        for part in parts {
            assert!(
                run.stderr.contains(part),
                "{arguments:?} does not report {part}: {}",
                run.stderr
            );
        }
    }
    assert_eq!(
        fs::read_dir(desk.folder.path()).unwrap().count(),
        3,
        "a mistake left something behind"
    );
}

#[test]
fn failures_exit_1() {
    let desk = Desk::new();
    let run = desk.run(&[
        "train",
        "tiny.toml",
        "--set",
        "data.dataset=kmnist",
        "--set",
        "data.count=40",
        "--data-dir",
        ".",
    ]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("ganvas data fetch kmnist"), "{}", run.stderr);
    assert_eq!(
        fs::read_dir(desk.folder.path()).unwrap().count(),
        1,
        "a failed start left something behind"
    );

    let wild = [
        "train",
        "tiny.toml",
        "--out",
        "wild",
        "--set",
        "optimizer.generator.learning_rate=1e38",
    ];
    let run = desk.run(&wild);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("at step"), "{}", run.stderr);

    desk.ok(&["train", "tiny.toml", "--out", "run"]);
    fs::write(
        desk.path("run/checkpoints/step-000006/generator.safetensors"),
        "not weights",
    )
    .unwrap();
    let run = desk.run(&["generate", "run"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("generator.safetensors is damaged"),
        "{}",
        run.stderr
    );
}

#[test]
fn config_shows_what_it_checks() {
    let desk = Desk::new();
    let shown = desk
        .ok(&["config", "show", "tiny.toml", "--set", "training.max_steps=9"])
        .stdout;
    assert!(
        shown.contains("max_steps = 9") && shown.contains("name = \"tiny\""),
        "{shown}"
    );
    fs::write(desk.path("shown.toml"), &shown).unwrap();
    assert_eq!(desk.ok(&["config", "show", "shown.toml"]).stdout, shown);
    desk.ok(&["config", "check", "shown.toml"]);
}

#[test]
fn every_experiment_of_the_project_is_right_on_this_backend() {
    let desk = Desk::new();
    let backend = fs::canonicalize(backend_path()).unwrap();
    let files = experiments();
    assert!(files.len() >= 4, "found {} experiments", files.len());
    for path in files {
        desk.ok(&[
            "config",
            "check",
            &path.display().to_string(),
            "--backend",
            &backend.display().to_string(),
        ]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with('#'),
            "{} does not open with its command, time and result",
            path.display()
        );
    }
}

#[test]
fn backends_are_listed() {
    let desk = Desk::new();
    let stdout = desk.ok(&["backends"]).stdout;
    let mut lines = stdout.lines().skip_while(|line| !line.starts_with(KIND));
    assert!(lines.next().unwrap().contains("yes"), "{stdout}");
    // The device's name, by which it can be chosen.
    let device = lines.next().unwrap().trim_start_matches([' ', '·']);
    let device = device.split(' ').next().unwrap();
    desk.ok(&[
        "config",
        "check",
        "tiny.toml",
        "--set",
        &format!("backend.device={device}"),
    ]);

    // This build has one backend; of the others it says how to get them, when listing and when asked for one.
    let other = if KIND == "rocm" { "cuda" } else { "rocm" };
    assert!(
        stdout.contains(&format!("build it with --features {other}")),
        "{stdout}"
    );
    let run = desk.run(&["train", "tiny.toml", "--set", &format!("backend.kind={other}")]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains(&format!("--features {other}")), "{}", run.stderr);
}

#[test]
fn data_sets_are_listed_verified_and_shown() {
    let desk = Desk::new();
    let list = desk.ok(&["data", "list", "--data-dir", "."]).stdout;
    for part in ["synthetic", "fashion-mnist", "ganvas data fetch mnist"] {
        assert!(list.contains(part), "{part}: {list}");
    }
    desk.ok(&["data", "preview", "synthetic", "--count", "5", "--out", "five.png"]);
    assert!(png_size(&desk.path("five.png")).0 >= 3 * 3 * 28);

    fs::create_dir(desk.path("mnist")).unwrap();
    fs::write(desk.path("mnist/train-labels-idx1-ubyte.gz"), "no labels").unwrap();
    let run = desk.run(&["data", "verify", "mnist", "--data-dir", "."]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("missing") && run.stdout.contains("expected MD5 d53e105e"),
        "{}",
        run.stdout
    );

    // A mirror that nobody serves: port 9 is discard, and closed.
    let run = desk.run(&[
        "data",
        "fetch",
        "mnist",
        "--data-dir",
        "got",
        "--mirror",
        "http://127.0.0.1:9/",
    ]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("http://127.0.0.1:9/"), "{}", run.stderr);
}

#[test]
fn help_and_version_are_there() {
    let desk = Desk::new();
    assert!(desk.ok(&["--help"]).stdout.contains("ganvas train quickstart"));
    assert!(desk.ok(&["--version"]).stdout.contains(env!("CARGO_PKG_VERSION")));
    for verb in ["train", "generate", "data", "config", "backends"] {
        assert!(desk.ok(&[verb, "--help"]).stdout.contains("Usage: ganvas"), "{verb}");
    }
}
