//! Numbers of quality while training: `[evaluation] metrics`.

use serde_json::Value;

use crate::{
    desk::{Desk, says},
    determinism,
};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_run_is_judged_on_its_way_and_a_resumed_one_alike() {
    let desk = Desk::new();
    let set = [
        "--set",
        "evaluation.every=2",
        "--set",
        "evaluation.count=50",
        "--set",
        "evaluation.metrics=[\"fid\", \"kid\", \"recall\", \"memorized\"]",
        "--set",
        "checkpoint.every=2",
        "--set",
        "checkpoint.best={metric = \"fid\", goal = \"min\"}",
    ];
    let train = [&["train", "tiny.toml"][..], &set].concat();
    desk.ok(&[&train[..], &["--out", "whole"]].concat());
    desk.ok(&[&train[..], &["--out", "parts", "--set", "training.max_steps=3"]].concat());
    desk.ok(&[&train[..], &["--out", "parts", "--resume"]].concat());
    determinism::assert_same_run(&desk.path("whole"), &desk.path("parts"));
    let lines = determinism::metrics(&desk.path("whole"));
    let evaluated: Vec<_> = lines.iter().filter(|line| line.get("fid").is_some()).collect();
    assert_eq!(evaluated.iter().map(|line| line.step).collect::<Vec<_>>(), [2, 4, 6]);
    for line in &evaluated {
        for name in ["kid", "kid_sd", "recall", "memorized", "pixels/mean_error"] {
            assert!(line.get(name).is_some(), "{name}: {line:?}");
        }
    }
    let least = evaluated
        .iter()
        .min_by(|one, other| one.get("fid").partial_cmp(&other.get("fid")).unwrap());
    let info = parsed(&desk.ok(&["info", "whole", "--json"]).stdout);
    let best = info["checkpoints"]
        .as_array()
        .unwrap()
        .iter()
        .find(|checkpoint| checkpoint["best"] == true);
    assert_eq!(best.unwrap()["step"], least.unwrap().step);
}

/// A run that goes on with another number of images is told that the numbers do not compare, and remembers the floor of each.
#[test]
fn a_run_remembers_who_judged_it_and_says_where_that_changes() {
    let desk = Desk::new();
    let set = [
        "--set",
        "evaluation.every=2",
        "--set",
        "evaluation.metrics=[\"fid\"]",
        "--set",
        "evaluation.count=50",
    ];
    let train = [&["train", "tiny.toml", "--out", "run"][..], &set].concat();
    let begun = desk.ok(&[&train[..], &["--set", "training.max_steps=2"]].concat());
    let hash = ganvas_evaluator::standard_evaluator("mnist")
        .unwrap()
        .unwrap()
        .file
        .name_and_hash();
    let by = format!("{hash}, 50 images against 10000 of synthetic (test)");
    assert!(begun.stderr.contains(&by), "{}", begun.stderr);
    let resume = ["train", "--resume", "run", "--set"];
    let same = desk.ok(&[&resume[..], &["training.max_steps=4"]].concat());
    assert!(!same.stderr.contains("do not compare"), "{}", same.stderr);
    let longer = ["evaluation.count=60", "--set", "training.max_steps=6"];
    let other = desk.ok(&[&resume[..], &longer].concat());
    for part in ["do not compare", &by, "60 images", "until step 4"] {
        assert!(other.stderr.contains(part), "{part}: {}", other.stderr);
    }
    let info = parsed(&desk.ok(&["info", "run", "--json"]).stdout);
    let sessions = info["sessions"].as_array().unwrap();
    let of_fid = |session: &Value| {
        let mut evaluators = session["evaluators"].as_array().unwrap().iter();
        let found = evaluators.find(|judged| judged["numbers"][0] == "fid").unwrap();
        (
            found["by"].as_str().unwrap().to_owned(),
            found["floor"]["fid"].as_f64().unwrap(),
        )
    };
    let found: Vec<_> = sessions.iter().map(of_fid).collect();
    assert_eq!((found.len(), &found[0]), (3, &found[1]));
    assert!(found[0].0 == by && found[2].0 != by, "{found:?}");
    // More images are nearer to real ones.
    assert!(found[2].1 < found[0].1, "{found:?}");
    let said = desk.ok(&["info", "run"]).stdout;
    assert!(said.contains("floor") && said.contains(&found[2].0), "{said}");
    let of_scores = |line: &&str| line.contains("floor") || line.contains("judged by");
    assert!(
        said.lines().filter(of_scores).all(|line| line.chars().count() <= 80),
        "{said}"
    );
}

#[test]
fn what_cannot_be_evaluated_on_the_way_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    let best = [
        "--set",
        "evaluation.every=3",
        "--set",
        "evaluation.metrics=[\"fid\"]",
        "--set",
        "checkpoint.every=4",
        "--set",
        "checkpoint.best={metric = \"fid\", goal = \"min\"}",
    ];
    let train = [&["train", "tiny.toml", "--out", "refused"][..], &best].concat();
    says(
        &desk.run(&train),
        2,
        &["`checkpoint.every`", "multiple of `evaluation.every`, 3"],
    );
    for (set, parts) in [
        (
            "evaluation.metrics=[\"fdi\"]",
            &["evaluation.metrics", "did you mean `fid`?"][..],
        ),
        ("evaluation.metrics=[\"fid\", \"fid\"]", &["twice"]),
        ("evaluation.metrics=\"fid\"", &["evaluation.metrics"]),
        ("evaluation.evaluator=nobody", &["evaluation.evaluator", "nobody"]),
        (
            "checkpoint.best={metric = \"kid\", goal = \"min\"}",
            &["checkpoint.best"],
        ),
        ("evaluation.count=3", &["evaluation.count", "10"]),
        (
            "evaluation.metrics=[\"modes\"]",
            &["evaluation.metrics", "stacked-mnist"],
        ),
        ("evaluation.patience=3", &["evaluation.patience", "[checkpoint.best]"]),
    ] {
        let metrics = ["--set", "evaluation.every=2", "--set", "evaluation.metrics=[\"fid\"]"];
        let train = [
            &["train", "tiny.toml", "--out", "refused"][..],
            &metrics,
            &["--set", set],
        ]
        .concat();
        says(&desk.run(&train), 2, parts);
        assert!(!desk.path("refused").exists());
    }
}
