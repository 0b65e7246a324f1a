use std::{
    fs,
    path::{Path, PathBuf},
};

use ganvas_data::{ImageSource, Split, idx, synthetic_digits};

use crate::desk::{Desk, run_with_data, says};

/// The four published names, without `.gz`.
const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Writes digits under the names that `spell` makes of the published ones.
fn write_digits(folder: &Path, spell: impl Fn(&str) -> String) {
    for (split, [images, labels]) in [
        (Split::Train, [FILES[0], FILES[1]]),
        (Split::Test, [FILES[2], FILES[3]]),
    ] {
        let digits = synthetic_digits(1, split, 40);
        assert_eq!(digits.len(), 40);
        idx::write_images(&folder.join(spell(images)), digits.pixels(), 28, 28).unwrap();
        idx::write_labels(&folder.join(spell(labels)), digits.labels().unwrap()).unwrap();
    }
}

fn gz(name: &str) -> String {
    format!("{name}.gz")
}

const PREVIEW: [&str; 8] = [
    "data", "preview", "mnist", "--force", "--count", "4", "--out", "four.png",
];

#[test]
fn strangers_under_a_known_name_are_reported_once_and_trained_on() {
    let desk = Desk::new();
    write_digits(&desk.path("mnist"), gz);
    let train = ["train", "tiny.toml", "--out", "run", "--set", "training.max_steps=1"];
    let set = ["--set", "data.dataset=mnist", "--data-dir", "."];
    for arguments in [[&train[..], &set].concat(), [&PREVIEW[..], &set[2..]].concat()] {
        let found = run_with_data(&desk, None, &arguments);
        says(
            &found,
            0,
            &[
                "not the published files of mnist",
                "expected MD5 f68b3c2dcbeaaa9fbdd348bbdeb94873, found ",
                "40 train images instead of 60000",
                "used as they are",
                "images of your own",
            ],
        );
        assert_eq!(found.stderr.matches("WARN").count(), 1, "{}", found.stderr);
    }
}

#[test]
fn the_real_mnist_is_right_and_is_no_other_set() {
    let Some(data) = std::env::var_os("GANVAS_DATA").map(PathBuf::from) else {
        println!("GANVAS_DATA is not set: no real files to compare");
        return;
    };
    let desk = Desk::new();
    let found = run_with_data(&desk, data.to_str(), &PREVIEW);
    says(&found, 0, &["4 images"]);
    assert!(!found.stderr.contains("WARN"), "{}", found.stderr);

    // The same files where clothes belong; compressed, and decompressed without a sum to compare with.
    let real = ganvas_data::idx::read_images(&data.join("mnist/train-images-idx3-ubyte.gz")).unwrap();
    fs::create_dir_all(desk.path("gz/fashion-mnist")).unwrap();
    for name in FILES.map(gz) {
        fs::copy(
            data.join("mnist").join(&name),
            desk.path("gz/fashion-mnist").join(&name),
        )
        .unwrap();
    }
    idx::write_images(
        &desk.path("plain/FashionMNIST/raw").join(FILES[0]),
        &real.pixels,
        28,
        28,
    )
    .unwrap();
    for (folder, part) in [("gz", "are the files of mnist"), ("plain", "is the file of mnist")] {
        let preview = [
            "data",
            "preview",
            "fashion-mnist",
            "--force",
            "--count",
            "4",
            "--data-dir",
            folder,
        ];
        let found = run_with_data(&desk, None, &preview);
        says(&found, 0, &[part, "not of fashion-mnist"]);
        assert_eq!(found.stderr.matches("WARN").count(), 1, "{}", found.stderr);
        let verify = ["data", "verify", "fashion-mnist", "--data-dir", folder];
        says(&run_with_data(&desk, None, &verify), 1, &["which is mnist's"]);
    }
    // A folder that has no name of its own does not make one set pass as another, but is the set that it is.
    fs::rename(desk.path("gz/fashion-mnist"), desk.path("unnamed")).unwrap();
    for arguments in [
        &["data", "preview", "kmnist", "--force", "--data-dir", "unnamed"][..],
        &[
            "train",
            "tiny.toml",
            "--set",
            "data.dataset=kmnist",
            "--data-dir",
            "unnamed",
        ],
    ] {
        let found = run_with_data(&desk, None, arguments);
        says(
            &found,
            1,
            &["unnamed/train-images-idx3-ubyte.gz is there, but belongs to mnist"],
        );
    }
    let list = run_with_data(&desk, Some("unnamed"), &["data", "list"]).stdout;
    assert!(list.contains("mnist           complete: unnamed"), "{list}");
    assert!(list.contains("kmnist          not here"), "{list}");
    says(
        &run_with_data(&desk, Some("unnamed"), &["data", "verify", "mnist"]),
        0,
        &["ok"],
    );
    // Everything is there and right, so there is nothing to fetch, offline or not.
    says(
        &run_with_data(&desk, Some("unnamed"), &["data", "fetch", "mnist"]),
        0,
        &["mnist: unnamed"],
    );
}

#[test]
fn every_layout_is_read_listed_and_verified() {
    let dotted = |name: &str| name.replacen("-idx", ".idx", 1);
    for (set, place, below) in [
        ("mnist", "mnist", ""),
        ("mnist", "MNIST/raw", ""),
        ("fashion-mnist", "FashionMNIST/raw", ""),
        ("kmnist", "KMNIST/raw", ""),
        ("mnist", "mnist", "mnist"),
        ("mnist", "somewhere", "somewhere"),
        ("kmnist", "KMNIST/raw", "KMNIST"),
    ] {
        for spelling in 0..4 {
            let desk = Desk::new();
            write_digits(&desk.path("data").join(place), |name| {
                let name = if spelling % 2 == 0 {
                    name.to_owned()
                } else {
                    dotted(name)
                };
                if spelling < 2 { gz(&name) } else { name }
            });
            let folder = format!("data/{below}");
            for (variable, option) in [(Some(&*folder), vec![]), (None, vec!["--data-dir", &*folder])] {
                let go = |arguments: &[&str]| run_with_data(&desk, variable, &[arguments, &option[..]].concat());
                says(
                    &go(&["data", "preview", set, "--force", "--split", "test", "--count", "40"]),
                    0,
                    &["40 images"],
                );
                says(&go(&["data", "list"]), 0, &["complete: data/"]);
                let verified = go(&["data", "verify", set]);
                assert!(!verified.stdout.contains("missing"), "{}", verified.stdout);
            }
        }
    }
}

#[test]
fn padding_behind_a_gzip_file_is_read_over_and_anything_else_is_named() {
    let desk = Desk::new();
    write_digits(&desk.path("mnist"), gz);
    let images = desk.path("mnist").join(gz(FILES[0]));
    let bytes = fs::read(&images).unwrap();
    let preview = [&PREVIEW[..], &["--data-dir", "."]].concat();
    fs::write(&images, [&bytes[..], &[0; 1000]].concat()).unwrap();
    says(&run_with_data(&desk, None, &preview), 0, &["4 images"]);
    fs::write(&images, [&bytes[..], b"more"].concat()).unwrap();
    let part = "after its end come bytes that are neither zeros nor gzip data";
    says(
        &run_with_data(&desk, None, &preview),
        1,
        &["mnist/train-images-idx3-ubyte.gz", part],
    );
}

#[test]
fn labels_are_missed_only_where_somebody_looks_for_them() {
    let desk = Desk::new();
    write_digits(&desk.path("kmnist"), gz);
    fs::remove_file(desk.path("kmnist").join(gz(FILES[1]))).unwrap();
    let train = [
        "train",
        "tiny.toml",
        "--out",
        "run",
        "--set",
        "data.dataset=kmnist",
        "--data-dir",
        ".",
    ];
    says(&run_with_data(&desk, None, &train), 0, &["trained 6 steps"]);
    let list = ["data", "list", "--data-dir", "."];
    says(
        &run_with_data(&desk, None, &list),
        0,
        &[
            "kmnist          incomplete: ./kmnist",
            "train-labels-idx1-ubyte.gz is missing",
        ],
    );
    let verify = ["data", "verify", "kmnist", "--data-dir", "."];
    says(
        &run_with_data(&desk, None, &verify),
        1,
        &["train-labels-idx1-ubyte.gz: missing"],
    );

    let json = run_with_data(&desk, None, &[&list[..], &["--json"]].concat()).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let sets: Vec<(&str, &str)> = json["data_sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| (set["name"].as_str().unwrap(), set["state"].as_str().unwrap()))
        .collect();
    let expected = [
        ("mnist", "absent"),
        ("fashion-mnist", "absent"),
        ("kmnist", "incomplete"),
        ("stacked-mnist", "absent"),
        ("synthetic", "drawn"),
    ];
    assert_eq!(sets, expected);
    assert_eq!(json["data_sets"][2]["missing"], serde_json::json!([gz(FILES[1])]));
    assert_eq!(json["looked_in"], serde_json::json!(["."]));
}

#[test]
fn names_are_read_as_people_write_them() {
    let desk = Desk::new();
    write_digits(&desk.path("fashion-mnist"), gz);
    let data = ["--data-dir", "."];
    for name in [
        "fashion-mnist",
        "FashionMNIST",
        "Fashion-MNIST",
        "fashion_mnist",
        " fashion-mnist ",
    ] {
        says(
            &run_with_data(
                &desk,
                None,
                &[&["data", "preview", name, "--force", "--count", "4"][..], &data].concat(),
            ),
            0,
            &[],
        );
        let set = format!("data.dataset=\"{name}\"");
        let shown = run_with_data(&desk, None, &["config", "show", "tiny.toml", "--set", &set]);
        says(&shown, 0, &["dataset = \"fashion-mnist\""]);
    }
    for (name, suggestion) in [
        ("mnits", Some("`mnist`")),
        ("emnist", Some("`")),
        ("MNITS ", Some("`mnist`")),
        ("cifar10", None),
        ("celeba", None),
    ] {
        let set = format!("data.dataset=\"{name}\"");
        for arguments in [
            &["data", "preview", name, "--force"][..],
            &["train", "tiny.toml", "--set", &set],
        ] {
            let found = run_with_data(&desk, None, arguments);
            says(&found, 2, &[&format!("unknown data set `{name}`")]);
            match suggestion {
                Some(word) => says(&found, 2, &[&format!("did you mean {word}")]),
                None => assert!(!found.stderr.contains("did you mean"), "{}", found.stderr),
            }
        }
    }
}
