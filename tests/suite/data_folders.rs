use std::fs;

use crate::desk::{Desk, run_with_data, says};

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
            let found = run_with_data(&desk, Some(folder), verb);
            says(&found, 2, &[&format!("GANVAS_DATA is `{folder}`"), part]);
            // What was typed for a download is made; a configuration has no such option.
            if verb[0] == "config" || (verb[1] == "fetch" && folder == "nowhere") {
                continue;
            }
            let found = run_with_data(&desk, None, &[&verb[..], &["--data-dir", folder]].concat());
            says(&found, 2, &[&format!("--data-dir is `{folder}`"), part]);
        }
    }
    // Where nothing is read from it, it does not matter, and an empty one is none.
    says(
        &run_with_data(&desk, Some("nowhere"), &["config", "check", "tiny.toml"]),
        0,
        &["valid"],
    );
    says(&run_with_data(&desk, Some(""), &["data", "list"]), 0, &["not here"]);
    assert_eq!(
        fs::read_dir(desk.folder.path()).unwrap().count(),
        1,
        "a mistake left something"
    );
}

#[test]
fn the_way_to_a_data_set_keeps_the_folder_that_it_was_looked_for_in() {
    let desk = Desk::new();
    fs::create_dir(desk.path("my data")).unwrap();
    let typed = ["--data-dir", "my data"];
    let set = ["--set", "data.dataset=kmnist"];
    for (verb, code) in [
        (&["data", "list"][..], 0),
        (&["data", "verify", "kmnist"], 1),
        (&["data", "preview", "kmnist"], 1),
        (&[&["config", "check", "tiny.toml"][..], &set].concat(), 0),
        (&[&["train", "tiny.toml"][..], &set].concat(), 1),
    ] {
        let found = run_with_data(&desk, None, &[verb, &typed].concat());
        says(&found, code, &["ganvas data fetch kmnist --data-dir 'my data'"]);
    }
    says(
        &run_with_data(
            &desk,
            Some("my data"),
            &["train", "tiny.toml", "--set", "data.dataset=kmnist"],
        ),
        1,
        &["`ganvas data fetch kmnist`"],
    );
}

#[test]
fn a_download_that_cannot_begin_leaves_nothing() {
    let desk = Desk::new();
    let folder = ["--data-dir", "new"];
    for (what, part) in [
        (&["synthetic"][..], "synthetic"),
        (&["mnist", "--mirror", "files"], "--mirror files: expected an address"),
        (
            &["mnist", "--mirror", "http://"],
            "--mirror http://: expected an address",
        ),
        (&["mnist", "--mirror", "ftp://x.org"], "begins with https:// or http://"),
    ] {
        let found = run_with_data(&desk, None, &[&["data", "fetch"][..], what, &folder].concat());
        says(&found, 2, &[part]);
        assert!(!found.stderr.contains("fetching"), "{}", found.stderr);
    }
    assert!(!desk.path("new").exists());
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
    let found = run_with_data(&desk, None, &arguments);
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
