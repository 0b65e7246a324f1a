//! What `ganvas evaluate` and `ganvas evaluator` refuse.

use crate::desk::{Desk, says};

#[test]
fn what_cannot_be_judged_is_refused_with_a_way_out() {
    let desk = Desk::new();
    desk.ok(&["train", "tiny.toml", "--out", "run"]);
    desk.ok(&["generate", "run", "--count", "20", "--out", "some.npy"]);
    std::fs::create_dir(desk.path("empty")).unwrap();
    std::fs::write(desk.path("text.npy"), "digits").unwrap();
    std::fs::write(desk.path("damaged.safetensors"), "weights").unwrap();
    let real = ["--real", "some.npy", "--evaluator", "mnist"];
    for (arguments, code, parts) in [
        (&["evaluate", "nothing"][..], 2, &["nothing", "no such"][..]),
        (&["evaluate", "some.npy"], 2, &["--real mnist"]),
        (&["evaluate", "some.npy", "--real", "some.npy"], 2, &["--evaluator"]),
        (&["evaluate", "some.npy", "--real", "mnits"], 2, &["mnits", "`mnist`"]),
        (
            &["evaluate", "run", "--evaluator", "nobody"],
            2,
            &["nobody", "fashion-mnist"],
        ),
        (
            &["evaluate", "run", "--evaluator", "damaged.safetensors"],
            1,
            &["damaged.safetensors"],
        ),
        (&["evaluate", "run", "--metrics", "FID"], 2, &["`FID`", "`fid`"]),
        (&["evaluate", "run", "--checkpoint", "7"], 2, &["7"]),
        (&["evaluate", "run", "--range", "0..1"], 2, &["--range"]),
        (&["evaluate", "run", "--range", "0..2"], 2, &["0..1"]),
        (&["evaluate", "run", "--count", "5"], 2, &["10 to"]),
        (&["evaluate", "run", "--metrics", "modes"], 2, &["stacked-mnist"]),
        (&["evaluate", "run", "--neighbours", "-"], 2, &["--neighbours"]),
        (&["evaluator", "train", "stacked-mnist"], 2, &["channel by channel"]),
        (&["evaluator", "train", "mnist"], 2, &["ships with ganvas", "--out"]),
        (
            &["evaluator", "train", "synthetic", "--out", "own.toml"],
            2,
            &[".safetensors"],
        ),
        (
            &["evaluator", "train", "synthetic", "--out", "damaged.safetensors"],
            2,
            &["--force"],
        ),
    ] {
        says(&desk.run(arguments), code, parts);
    }
    for (source, parts) in [("empty", &["empty"][..]), ("text.npy", &["text.npy"])] {
        says(&desk.run(&[&["evaluate", source][..], &real].concat()), 1, parts);
    }
}
