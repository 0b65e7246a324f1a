//! How good images are: scores of runs and of samples in every form, on every backend, and while training.

use burn::tensor::backend::Backend;
use ganvas_data::{ImageSet, ImageSource, Split, synthetic_digits};
use ganvas_evaluator::{Judge, Metric, Reference, standard_evaluator};
use serde_json::Value;

use crate::{Inner, KIND, assert_near, desk::Desk, device};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What the evaluator of MNIST sees on a backend in synthetic digits, and in noisy ones.
fn scores<B: Backend>(device: &B::Device) -> Vec<(&'static str, f64)> {
    let found = standard_evaluator("mnist").unwrap().unwrap();
    let judge: Judge<B> = found.file.judge(&found.path, device).unwrap();
    let seen = |images: &ImageSet| judge.observe_all(images, &mut |_| ()).unwrap();
    let training = synthetic_digits(3, Split::Train, 200);
    let reference =
        Reference::new(seen(&synthetic_digits(1, Split::Test, 150))).with_training(seen(&training).features);
    let others = synthetic_digits(2, Split::Test, 120);
    // Every third row is black.
    let rows = others.pixels().chunks_exact(28).enumerate();
    let pixels = rows.flat_map(|(row, pixels)| {
        if row % 3 == 0 {
            [0; 28].to_vec()
        } else {
            pixels.to_vec()
        }
    });
    let damaged = ImageSet::new("damaged", pixels.collect(), None, others.shape()).unwrap();
    reference.measure(&seen(&damaged), &Metric::ALL, 7).unwrap()
}

/// Taken once on ndarray: scores of the same samples must not depend on the backend.
#[test]
fn the_same_samples_have_the_same_scores_on_every_backend() {
    let expected = [
        ("fid", 24.912_001_85),
        ("kid", 0.939_387_188_5),
        ("kid_sd", 0.054_696_561_86),
        ("precision", 52.0 / 120.0),
        ("recall", 11.0 / 150.0),
        ("density", 0.253_333_333_3),
        ("coverage", 42.0 / 150.0),
        ("score", 5.131_122_390_5),
        ("class_entropy", 2.086_522_185_3),
        ("class_distance", 0.258_333_333_3),
        ("class_recall", 8.666_666_666_666_667e-2),
        ("class_recall_min", 0.0),
        ("memorized", 0.0),
    ];
    let found = scores::<Inner>(&device());
    let names = |numbers: &[(&'static str, f64)]| numbers.iter().map(|&(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected));
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        assert_near(name, *found, expected, f64::abs(expected), 1e-3);
    }
}

#[test]
fn a_run_and_its_images_in_every_form_have_the_same_scores() {
    let desk = Desk::new();
    desk.ok(&["train", "tiny.toml", "--out", "run"]);
    let generate = ["generate", "run", "--count", "60"];
    for out in ["made.npy", "made.idx.gz", "made/"] {
        desk.ok(&[&generate[..], &["--seed", "0", "--out", out]].concat());
    }
    desk.ok(&[&generate[..], &["--seed", "9", "--out", "real.npy"]].concat());
    let judged = [
        "--real",
        "real.npy",
        "--evaluator",
        "mnist",
        "--count",
        "60",
        "--backend",
        KIND,
    ];
    let evaluate = [&["evaluate", "run", "made.npy", "made.idx.gz", "made"][..], &judged].concat();
    let report = parsed(&desk.ok(&[&evaluate[..], &["--json"]].concat()).stdout);
    let evaluations = report["evaluations"].as_array().unwrap();
    assert_eq!(evaluations.len(), 4);
    let hash = standard_evaluator("mnist").unwrap().unwrap().file.hash();
    for found in evaluations {
        for name in [
            "fid",
            "kid",
            "kid_sd",
            "precision",
            "recall",
            "density",
            "coverage",
            "score",
            "class_entropy",
        ] {
            assert!(found[name].is_f64(), "{name}: {found}");
            assert_eq!(found[name], evaluations[0][name], "{name}: {found}");
            assert_eq!(report["sd"][name], 0.0, "{report}");
            assert!(report["mean"][name].is_f64(), "{report}");
        }
        // Nothing is known of training images.
        assert!(found["memorized"].is_null(), "{found}");
        assert_eq!((&found["count"], &found["floor"]["count"]), (&60.into(), &30.into()));
        assert!(found["floor"]["fid"].as_f64().unwrap() > 0.0, "{found}");
        assert!(found["floor"]["kid"].is_f64(), "{found}");
        assert_eq!(found["evaluator"]["name"], "mnist");
        assert_eq!(found["evaluator"]["hash"], hash.as_str());
        assert!(found["evaluator"]["accuracy"].as_f64().unwrap() > 0.99);
        assert_eq!(found["real"]["count"], 60);
        assert_eq!(found["backend"], KIND);
    }
    assert_eq!(
        (&evaluations[0]["step"], &evaluations[1]["step"]),
        (&6.into(), &Value::Null)
    );

    // People get the same, and all that a score needs.
    let table = desk.ok(&evaluate).stdout;
    for part in [
        &hash[..8],
        "99.",
        "real.npy",
        "60 images",
        "floor",
        "mean",
        "± sd",
        "FID",
        "run, step 6",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");

    // One source is one object; fewer images, and only the numbers that are asked for.
    let one = [
        &["evaluate", "made.npy", "--json", "--metrics", "fid,score"][..],
        &judged,
    ]
    .concat();
    let one = parsed(&desk.ok(&one).stdout);
    assert_eq!(one["fid"], evaluations[0]["fid"]);
    assert!(one["kid"].is_null() && one["score"].is_f64(), "{one}");
}

/// Synthetic digits as the training and the test images of a data set in the desk, few of them: a real one's take half a minute each time.
#[cfg(feature = "ndarray")]
fn write_digits(desk: &Desk, dataset: &str, counts: [usize; 2]) {
    use ganvas_data::idx;
    for (split, count) in [Split::Train, Split::Test].into_iter().zip(counts) {
        let digits = synthetic_digits(1, split, count);
        let (images, labels) = split.file_names();
        let folder = desk.path(dataset);
        idx::write_images(&folder.join(images), digits.pixels(), 28, 28).unwrap();
        idx::write_labels(&folder.join(labels), digits.labels().unwrap()).unwrap();
    }
}

#[cfg(feature = "ndarray")]
#[test]
fn stacked_digits_are_trained_on_and_their_modes_are_counted() {
    let desk = Desk::new();
    write_digits(&desk, "mnist", [300, 200]);
    let data = ["--data-dir", "."];
    let stacked = ["--set", "data.dataset=stacked-mnist"];
    desk.ok(&[&["train", "tiny.toml", "--out", "run"][..], &stacked, &data].concat());
    desk.ok(&["generate", "run", "--count", "300", "--seed", "0", "--out", "some/"]);
    let evaluate = [
        "evaluate",
        "run",
        "some",
        "--real",
        "stacked-mnist",
        "--count",
        "300",
        "--json",
    ];
    let report = parsed(&desk.ok(&[&evaluate[..], &data].concat()).stdout);
    let evaluations = report["evaluations"].as_array().unwrap();
    assert_eq!(evaluations.len(), 2);
    for found in evaluations {
        assert!(
            found["modes"].as_f64().unwrap() >= 1.0 && found["modes_kl"].as_f64().unwrap() > 3.0,
            "{found}"
        );
        assert!(
            found["fid"].is_f64() && found["kid"].is_f64() && found["recall"].is_null(),
            "{found}"
        );
        // A perfect sampler of 300 images has a fourth of a thousand modes.
        let modes = found["floor"]["modes"].as_f64().unwrap();
        assert!((250.0..270.0).contains(&modes), "{found}");
        assert_eq!(found["real"]["name"], "stacked-mnist");
    }
    // A run knows what it was trained on.
    let alone = ["evaluate", "run", "--count", "30", "--metrics", "modes,score", "--json"];
    let alone = parsed(&desk.ok(&[&alone[..], &data].concat()).stdout);
    assert!(alone["modes"].is_f64() && alone["score"].is_f64(), "{alone}");
    assert_eq!(alone["real"]["name"], "stacked-mnist");
    desk.ok(&[&["data", "preview", "stacked-mnist", "--count", "9"][..], &data].concat());
    assert!(desk.path("stacked-mnist.png").is_file());
}

#[cfg(feature = "ndarray")]
#[test]
fn samples_are_drawn_beside_the_training_images_that_they_are_nearest_to() {
    let desk = Desk::new();
    write_digits(&desk, "mnist", [300, 200]);
    let data = ["--data-dir", "."];
    let train = ["train", "tiny.toml", "--out", "run", "--set", "data.dataset=mnist"];
    desk.ok(&[&train[..], &data].concat());
    let draw = [
        "evaluate",
        "run",
        "--metrics",
        "fid",
        "--count",
        "60",
        "--neighbours",
        "pairs.png",
        "--data-dir",
        ".",
    ];
    let said = desk.ok(&draw).stdout;
    assert!(said.contains("pairs.png"), "{said}");
    let size = |name: &str| {
        let file = std::io::BufReader::new(std::fs::File::open(desk.path(name)).unwrap());
        let reader = png::Decoder::new(file).read_info().unwrap();
        (reader.info().width, reader.info().height)
    };
    let (width, height) = size("pairs.png");
    // Forty pairs, four in a row.
    assert!(height > width && width > 8 * 28, "{width} {height}");
    assert_eq!(desk.run(&draw).code, 2);
    desk.ok(&[&draw[..], &["--force"]].concat());
    desk.ok(&["generate", "run", "--count", "20", "--out", "some.npy"]);
    let other = [
        "evaluate",
        "run",
        "--real",
        "some.npy",
        "--evaluator",
        "mnist",
        "--neighbours",
        "other.png",
    ];
    let refused = desk.run(&other);
    assert!(
        refused.code == 2 && refused.stderr.contains("--neighbours"),
        "{}",
        refused.stderr
    );
    assert!(!desk.path("other.png").exists());
}

#[cfg(feature = "ndarray")]
#[test]
fn an_evaluator_of_ones_own_is_trained_listed_and_found_by_name() {
    let desk = Desk::new();
    let run = |arguments: &[&str]| {
        let mut command = desk.command(arguments);
        command
            .env("XDG_CACHE_HOME", desk.path("cache"))
            .env("HOME", desk.path("home"));
        let run = crate::desk::Run::from(command.output().unwrap(), arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        run.stdout
    };
    write_digits(&desk, "kmnist", [3000, 500]);
    let data = ["--data-dir", "."];
    let train = [&["evaluator", "train", "kmnist", "--epochs", "4"][..], &data].concat();
    let said = run(&train);
    assert!(
        said.contains("evaluator kmnist ") && said.contains("read right"),
        "{said}"
    );
    let listed = parsed(&run(&["evaluator", "list", "--json"]));
    let evaluators = listed["evaluators"].as_array().unwrap();
    let names: Vec<&str> = evaluators.iter().map(|found| found["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mnist", "fashion-mnist", "kmnist"]);
    assert!(evaluators[2]["accuracy"].as_f64().unwrap() > 0.98, "{listed}");
    assert_eq!(evaluators[2]["standard"], false);

    let set = ["--set", "data.dataset=kmnist"];
    run(&[&["train", "tiny.toml", "--out", "run"][..], &set, &data].concat());
    let evaluate = [
        "evaluate",
        "run",
        "--evaluator",
        "kmnist",
        "--count",
        "100",
        "--json",
        "--data-dir",
        ".",
    ];
    let found = parsed(&run(&evaluate));
    assert_eq!(found["evaluator"]["hash"], evaluators[2]["hash"]);
    assert_eq!(found["real"]["name"], "kmnist");
    assert_eq!(
        (&found["real"]["split"], &found["real"]["count"]),
        (&"test".into(), &500.into())
    );
    assert_eq!(found["floor"]["count"], 100);
    assert!(found["memorized"].is_f64(), "{found}");
    assert!(
        found["fid"].as_f64().unwrap() > 3.0 * found["floor"]["fid"].as_f64().unwrap(),
        "{found}"
    );
    assert!(desk.path("cache/ganvas/evaluators/kmnist.safetensors").is_file());
    // The same recipe gives the same evaluator.
    run(&[&train[..], &["--force"]].concat());
    let again = parsed(&run(&["evaluator", "list", "--json"]));
    assert_eq!(again["evaluators"][2]["hash"], evaluators[2]["hash"]);
}
