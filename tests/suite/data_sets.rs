use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ganvas_data::{ImageSource, Split, idx, synthetic_digits};

use crate::desk::{Desk, Run};

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

/// Runs a command with `GANVAS_DATA` as given, and with a cache folder that is empty.
fn run(desk: &Desk, data: Option<&str>, arguments: &[&str]) -> Run {
    let mut command: Command = desk.command(arguments);
    command.env("XDG_CACHE_HOME", desk.path("cache"));
    command.env("HOME", desk.path("home"));
    match data {
        Some(data) => command.env("GANVAS_DATA", data),
        None => command.env_remove("GANVAS_DATA"),
    };
    Run::from(command.output().unwrap(), arguments)
}

#[track_caller]
fn says(run: &Run, code: i32, parts: &[&str]) {
    let text = format!("{}{}", run.stdout, run.stderr);
    assert_eq!(run.code, code, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
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
        let found = run(&desk, None, &arguments);
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
    let found = run(&desk, data.to_str(), &PREVIEW);
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
        let found = run(&desk, None, &preview);
        says(&found, 0, &[part, "not of fashion-mnist"]);
        assert_eq!(found.stderr.matches("WARN").count(), 1, "{}", found.stderr);
        let verify = ["data", "verify", "fashion-mnist", "--data-dir", folder];
        says(&run(&desk, None, &verify), 1, &["which is mnist's"]);
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
        let found = run(&desk, None, arguments);
        says(
            &found,
            1,
            &["unnamed/train-images-idx3-ubyte.gz is there, but belongs to mnist"],
        );
    }
    let list = run(&desk, Some("unnamed"), &["data", "list"]).stdout;
    assert!(list.contains("mnist           complete: unnamed"), "{list}");
    assert!(list.contains("kmnist          not here"), "{list}");
    says(
        &run(&desk, Some("unnamed"), &["data", "verify", "mnist"]),
        0,
        &["right"],
    );
    // Everything is there and right, so there is nothing to fetch, offline or not.
    says(
        &run(&desk, Some("unnamed"), &["data", "fetch", "mnist"]),
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
                let go = |arguments: &[&str]| run(&desk, variable, &[arguments, &option[..]].concat());
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
    says(&run(&desk, None, &preview), 0, &["4 images"]);
    fs::write(&images, [&bytes[..], b"more"].concat()).unwrap();
    let part = "after its end come bytes that are neither zeros nor gzip data";
    says(
        &run(&desk, None, &preview),
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
    says(&run(&desk, None, &train), 0, &["trained 6 steps"]);
    let list = ["data", "list", "--data-dir", "."];
    says(
        &run(&desk, None, &list),
        0,
        &[
            "kmnist          incomplete: ./kmnist",
            "train-labels-idx1-ubyte.gz is missing",
        ],
    );
    let verify = ["data", "verify", "kmnist", "--data-dir", "."];
    says(&run(&desk, None, &verify), 1, &["train-labels-idx1-ubyte.gz: missing"]);

    let json = run(&desk, None, &[&list[..], &["--json"]].concat()).stdout;
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
        ("synthetic", "drawn"),
    ];
    assert_eq!(sets, expected);
    assert_eq!(json["data_sets"][2]["missing"], serde_json::json!([gz(FILES[1])]));
    assert_eq!(json["looked_in"], serde_json::json!(["."]));
}

#[test]
fn a_bad_data_folder_is_a_mistake_for_every_verb_that_reads_it() {
    let desk = Desk::new();
    let set = ["--set", "data.dataset=mnist"];
    let verbs: [Vec<&str>; 7] = [
        vec!["data", "list"],
        vec!["data", "fetch", "mnist", "--mirror", "http://127.0.0.1:9"],
        vec!["data", "verify", "mnist"],
        vec!["data", "preview", "mnist", "--force"],
        [&["train", "tiny.toml"][..], &set].concat(),
        [&["bench", "tiny.toml"][..], &set].concat(),
        [&["config", "check", "tiny.toml"][..], &set].concat(),
    ];
    for verb in &verbs {
        for (folder, part) in [("nowhere", "no such folder"), ("tiny.toml", "which is no folder")] {
            let found = run(&desk, Some(folder), verb);
            says(&found, 2, &[&format!("GANVAS_DATA is `{folder}`"), part]);
            // What was typed for a download is made; a configuration has no such option.
            if verb[0] == "config" || (verb[1] == "fetch" && folder == "nowhere") {
                continue;
            }
            let found = run(&desk, None, &[&verb[..], &["--data-dir", folder]].concat());
            says(&found, 2, &[&format!("--data-dir is `{folder}`"), part]);
        }
    }
    // Where nothing is read from it, it does not matter, and an empty one is none.
    says(
        &run(&desk, Some("nowhere"), &["config", "check", "tiny.toml"]),
        0,
        &["right"],
    );
    says(&run(&desk, Some(""), &["data", "list"]), 0, &["not here"]);
    assert_eq!(
        fs::read_dir(desk.folder.path()).unwrap().count(),
        1,
        "a mistake left something"
    );
}

#[test]
fn a_failed_download_is_told_in_a_few_lines_each_thing_once() {
    let desk = Desk::new();
    // Port 9 is discard, and closed.
    let arguments = [
        "data",
        "fetch",
        "kmnist",
        "--data-dir",
        "got",
        "--mirror",
        "http://127.0.0.1:9/a",
        "--mirror",
        "http://127.0.0.1:9/b",
    ];
    let found = run(&desk, None, &arguments);
    let file = "train-images-idx3-ubyte.gz";
    says(
        &found,
        1,
        &[
            &format!("error: cannot fetch {file} of kmnist: no server could be reached"),
            "\n  tried http://127.0.0.1:9/a/\n  tried http://127.0.0.1:9/b/\n  each time: ",
            "\nto do it by hand, put these files into got/kmnist:\n",
        ],
    );
    let refused = found.stderr.matches("refused").count();
    assert_eq!(refused, 1, "{}", found.stderr);
    let longest = found.stderr.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest <= 140, "{}", found.stderr);
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
            &run(
                &desk,
                None,
                &[&["data", "preview", name, "--force", "--count", "4"][..], &data].concat(),
            ),
            0,
            &[],
        );
        let set = format!("data.dataset=\"{name}\"");
        let shown = run(&desk, None, &["config", "show", "tiny.toml", "--set", &set]);
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
            let found = run(&desk, None, arguments);
            says(&found, 2, &[&format!("unknown data set `{name}`")]);
            match suggestion {
                Some(word) => says(&found, 2, &[&format!("did you mean {word}")]),
                None => assert!(!found.stderr.contains("did you mean"), "{}", found.stderr),
            }
        }
    }
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
        let found = run(&desk, None, &[arguments, &["-5"]].concat());
        says(&found, 2, &[&format!("expected {expected}, found -5")]);
        for text in ["1.5", "-1.5", "ten", "99999999999999999999999"] {
            let found = run(&desk, None, &[arguments, &[text]].concat());
            says(&found, 2, &[&format!("{expected}, found {text}")]);
        }
    }
    let found = run(&desk, None, &["bench", "tiny.toml", "--seconds", "-1.5"]);
    says(&found, 2, &["expected a number of seconds, 0 to 86400, found -1.5"]);
}

/// The clock and the offset of the last session of `run`, and the time in the name of its folder.
fn times(desk: &Desk, zone: &str) -> (String, String) {
    let _ = fs::remove_dir_all(desk.path("runs"));
    let arguments = ["train", "tiny.toml", "--set", "training.max_steps=1"];
    let mut command = desk.command(&arguments);
    command.env("TZ", zone).env_remove("GANVAS_DATA");
    says(&Run::from(command.output().unwrap(), &arguments), 0, &[]);
    let folder = fs::read_dir(desk.path("runs")).unwrap().next().unwrap().unwrap();
    let text = fs::read_to_string(folder.path().join("sessions.jsonl")).unwrap();
    let session: serde_json::Value = serde_json::from_str(&text).unwrap();
    let name = folder.file_name().to_string_lossy().into_owned();
    (session["began"].as_str().unwrap().to_owned(), name)
}

#[test]
fn runs_bear_the_local_time_and_sessions_its_offset() {
    let desk = Desk::new();
    let (tokyo, tokyo_folder) = times(&desk, "Asia/Tokyo");
    assert!(tokyo.ends_with("+09:00"), "{tokyo}");
    // The offset alone could come from the name; the clock must agree. Both were taken within the same run, so the hour of
    // the folder's name is the session's, or the one before it.
    let hour = |text: &str| text[11..13].parse::<i32>().unwrap();
    let later = (hour(&tokyo) - hour(&tokyo_folder)).rem_euclid(24);
    assert!(later <= 1, "{tokyo} in {tokyo_folder}");
    let (york, york_folder) = times(&desk, "America/New_York");
    assert!(york.ends_with("-05:00") || york.ends_with("-04:00"), "{york}");
    let behind = (hour(&tokyo_folder) - hour(&york_folder)).rem_euclid(24);
    assert!((12..=14).contains(&behind), "{tokyo_folder} and {york_folder}");
    let (utc, _) = times(&desk, "UTC");
    assert!(utc.ends_with("+00:00"), "{utc}");
}
