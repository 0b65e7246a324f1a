//! What is wrong is named in a person's words, with the right word where there is one, and refused alike by every verb.

use std::fs;

use crate::{
    KIND,
    desk::{Desk, says},
};

#[test]
fn suggestions_are_slips_and_never_other_meanings() {
    let desk = Desk::new();
    fs::write(desk.path("utf16.toml"), b"\xff\xfes\0e\0e\0d\0").unwrap();
    fs::write(
        desk.path("twice.toml"),
        "[model]\nnetwork = \"blog\"\n[training]\nepochs = 2\nepoch = 3\n",
    )
    .unwrap();
    for (arguments, right, wrong) in [
        (&["utf16.toml"][..], "expected text in UTF-8", "did you mean"),
        (
            &["tiny.toml", "--set", "backend.kind=gpu"],
            "unknown backend `gpu`",
            "did you mean `cpu`",
        ),
        (
            &["tiny.toml", "--set", "backend.kind=CUDA"],
            "did you mean `cuda`?",
            "rust",
        ),
        (
            &["tiny.toml", "--set", "model.network=DCGAN"],
            "did you mean `dcgan`?",
            "field",
        ),
        (
            &["tiny.toml", "--set", "model.network=mpl"],
            "did you mean `mlp`?",
            "variant",
        ),
        (&["twice.toml"], "twice.toml:5: unknown key `epoch`", "did you mean"),
        (
            &["tiny.toml", "--set", "training.epoch=3"],
            "unknown key `epoch`",
            "field",
        ),
        (&["tny.toml"], "did you mean `tiny.toml`?", "ganvas config list`?"),
        (&["quikstart"], "did you mean `quickstart`?", "os error"),
        (&["QUICKSTART.toml"], "did you mean `quickstart`?", "os error"),
        (&["tiny.toml", "--backend", "CUDA"], "did you mean `cuda`?", "os error"),
        (
            &["tiny.toml", "--backend", "gpu"],
            "nothing that ships with ganvas",
            "did you mean `cpu`",
        ),
    ] {
        let run = desk.run(&[&["config", "check"][..], arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(
            run.stderr.contains(right),
            "{arguments:?} does not say {right}: {}",
            run.stderr
        );
        assert!(
            !run.stderr.contains(wrong),
            "{arguments:?} says {wrong}: {}",
            run.stderr
        );
    }
}

#[test]
fn no_words_of_rust() {
    let desk = Desk::new();
    let model = "[model]\nnetwork = \"mlp\"\n";
    for (text, right) in [
        ("seed = 3\n".to_owned(), "`model` is missing"),
        (
            "[model]\n".to_owned(),
            "`model.network` is missing: expected one of \"blog\", \"dcgan\", \"mlp\"",
        ),
        ("[model]\nnetwork = 3\n".to_owned(), "w.toml:2: `model.network`"),
        (
            format!("{model}[training]\nupdate = 3\n"),
            "w.toml:4: `training.update`: expected text in quotes",
        ),
        (
            format!("{model}[training]\nepochs = \"two\"\n"),
            "expected a whole number, 0 or more, found \"two\"",
        ),
        (
            format!("{model}[training]\nepochs = 2.5\n"),
            "expected a whole number, 0 or more, found 2.5",
        ),
        (
            format!("{model}[training]\nepochs = -5\n"),
            "expected a whole number, 0 or more, found -5",
        ),
        (
            format!("{model}[ema]\ndecay = \"much\"\n"),
            "expected a number, found \"much\"",
        ),
        (
            format!("{model}[data]\ndrop_last = 1\n"),
            "expected true or false, found 1",
        ),
        (
            format!("training = 3\n{model}"),
            "w.toml:1: `training`: expected a section, found 3",
        ),
        (
            format!("{model}hidden_sizes = 3\n"),
            "`model.hidden_sizes`: expected a list, found 3",
        ),
        (
            format!("{model}[checkpoint.best]\nmetric = \"loss/generator\"\n"),
            "`checkpoint.best.goal` is missing",
        ),
    ] {
        fs::write(desk.path("w.toml"), &text).unwrap();
        let run = desk.run(&["config", "check", "w.toml"]);
        assert_eq!(run.code, 2, "{text}: {}", run.stderr);
        assert!(
            run.stderr.contains(right),
            "{text} does not say {right}: {}",
            run.stderr
        );
        for word in [
            "field",
            "variant",
            "enum",
            "struct",
            "usize",
            "u64",
            "f64",
            "wanted",
            "invalid type",
            "sequence",
        ] {
            assert!(!run.stderr.contains(word), "{text} says {word}: {}", run.stderr);
        }
    }
}

#[test]
fn keys_are_set_in_any_order_and_unset() {
    let desk = Desk::new();
    let check = |set: &[&str]| {
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        desk.run(&[&["config", "show", "tiny.toml"][..], &set].concat())
    };
    // tiny.toml has dcgan's `base_channels`.
    let run = check(&["model.network=mlp", "model.base_channels=", "model.hidden_sizes=[8]"]);
    assert!(
        run.code == 0 && run.stdout.contains("hidden_sizes = [8]"),
        "{}",
        run.stderr
    );
    let run = check(&["model.hidden_sizes=[8]", "model.base_channels=", "model.network=mlp"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = check(&["model.network=mlp"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr
            .contains("`model.base_channels` has no meaning for network = \"mlp\""),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("tiny.toml:10"), "{}", run.stderr);
    let run = check(&["data.count="]);
    assert!(run.code == 0 && !run.stdout.contains("count = 40"), "{}", run.stdout);
    // A key that is not set can be unset, one that is none cannot.
    assert_eq!(check(&["training.max_steps="]).code, 0);
    let run = check(&["training.max_step="]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("did you mean `max_steps`?"), "{}", run.stderr);
}

/// Everything that can be refused is refused alike by the verbs that would train, and leaves nothing.
#[test]
fn every_verb_refuses_the_same_and_leaves_nothing() {
    let desk = Desk::new();
    let device = format!("backend.kind={KIND}");
    for (set, right) in [
        (
            &["data.count=10", "data.drop_last=true"][..],
            "cannot cut 10 images into batches of 16",
        ),
        (&["training.discriminator_steps=50"], "a step takes 50 batches"),
        (&["data.image_size=30"], "multiples of 4"),
        (&["data.count=2000000"], "--set data.count=2000000: `data.count`"),
        (
            &["checkpoint.best={metric=\"fid\", goal=\"min\"}"],
            "`checkpoint.best.metric`",
        ),
    ] {
        let set: Vec<&str> = set
            .iter()
            .chain(&[device.as_str()])
            .flat_map(|set| ["--set", set])
            .collect();
        for verb in [
            &["config", "check", "tiny.toml"][..],
            &["train", "tiny.toml", "--dry-run"],
            &["train", "tiny.toml"],
            &["bench", "tiny.toml"],
        ] {
            let run = desk.run(&[verb, &set].concat());
            assert_eq!(run.code, 2, "{verb:?} {set:?}: {}", run.stderr);
            assert!(run.stderr.contains(right), "{verb:?} {set:?}: {}", run.stderr);
        }
    }
    assert_eq!(
        fs::read_dir(desk.folder.path()).unwrap().count(),
        1,
        "a refused start left something behind"
    );
}

/// Where the backend computes in this machine's memory, what cannot fit is refused by its size, not by the system's killer.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_fit_into_memory_is_refused() {
    if !["ndarray", "flex", "libtorch"].contains(&KIND) || crate::backend_path().ends_with("libtorch-cuda.toml") {
        return;
    }
    let desk = Desk::new();
    for (set, right) in [
        (
            &["data.batch_size=60000", "data.count=60000", "model.base_channels=128"][..],
            "take smaller batches",
        ),
        (
            &[
                "model.base_channels=2048",
                "model.latent_size=4096",
                "data.image_size=512",
            ],
            "model",
        ),
    ] {
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        for verb in [&["config", "check", "tiny.toml"][..], &["train", "tiny.toml"]] {
            let run = desk.run(&[verb, &set].concat());
            assert_eq!(run.code, 2, "{set:?}: {}", run.stderr);
            assert!(
                run.stderr.contains(right) && run.stderr.contains("memory"),
                "{set:?}: {}",
                run.stderr
            );
        }
    }
    assert_eq!(fs::read_dir(desk.folder.path()).unwrap().count(), 1);
}

#[test]
fn numbers_out_of_range_are_reported_with_the_range() {
    let desk = Desk::new();
    for (arguments, expected) in [
        (&["data", "preview", "synthetic", "--count"][..], "1 to 1000000"),
        (&["data", "preview", "synthetic", "--seed"], "0 to 18446744073709551615"),
        (&["generate", "run", "--count"], "1 to 4294967295"),
        (&["generate", "run", "--seed"], "0 to 18446744073709551615"),
        (&["bench", "tiny.toml", "--warm-up"], "0 to 1000000"),
        (&["bench", "tiny.toml", "--steps"], "1 to 1000000"),
    ] {
        let found = desk.run(&[arguments, &["-5"]].concat());
        says(&found, 2, &[&format!("expected {expected}, found -5")]);
        for text in ["1.5", "-1.5", "ten", "99999999999999999999999"] {
            let found = desk.run(&[arguments, &[text]].concat());
            says(&found, 2, &[&format!("{expected}, found {text}")]);
        }
    }
    let found = desk.run(&["bench", "tiny.toml", "--seconds", "-1.5"]);
    says(&found, 2, &["expected a number of seconds, 0 to 86400, found -1.5"]);
}
