//! Images of one's own, from a folder to pictures by the names of its folders.

use std::{fs, io::BufWriter, path::Path};

use crate::desk::Desk;

/// A picture in colours, which differ from number to number.
pub fn write_picture(path: &Path, [width, height]: [u32; 2], number: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = BufWriter::new(fs::File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| [x * 9 + number * 31, y * 7 + number, number * 13]));
    let bytes: Vec<u8> = pixels.flatten().map(|value| value as u8).collect();
    encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
}

/// A folder `photos` with thirty pictures in three folders.
fn desk() -> Desk {
    let desk = Desk::new();
    for number in 0..30 {
        let class = ["ant", "bee", "cat"][number as usize % 3];
        write_picture(&desk.path(&format!("photos/{class}/{number:02}.png")), [24, 20], number);
    }
    desk
}

/// What makes the small experiment one on the pictures.
const OWN: [&str; 6] = [
    "--set",
    "data.path=photos",
    "--set",
    "data.image_size=16",
    "--set",
    "data.count=",
];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, &OWN, more].concat()
}

/// The decoded pictures are kept in the test's own folder.
fn cached(desk: &Desk, arguments: &[&str]) -> crate::desk::Run {
    let mut command = desk.command(arguments);
    command.env("XDG_CACHE_HOME", desk.path("cache"));
    crate::desk::Run::from(command.output().unwrap(), arguments)
}

#[test]
fn an_archive_holds_the_bytes_of_the_floats() {
    let desk = desk();
    let set = ["--set", "training.max_steps=1"];
    let run = cached(&desk, &with(&["train", "tiny.toml", "--out", "run"], &set));
    assert_eq!(run.code, 0, "{}", run.stderr);
    for out in ["a.npz", "b.npz", "a.npy"] {
        desk.ok(&["generate", "run", "--count", "300", "--out", out]);
    }
    assert_eq!(
        fs::read(desk.path("a.npz")).unwrap(),
        fs::read(desk.path("b.npz")).unwrap()
    );
    // Both are read, one with its channels last and one with them first, and are the same images in colours.
    let shown = ["a.npz", "a.npy"].map(|name| {
        let said = cached(&desk, &["data", "preview", name, "--out", "preview.png", "--force"]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert!(said.stderr.contains("300 images"), "{}", said.stderr);
        fs::read(desk.path("preview.png")).unwrap()
    });
    assert_eq!(shown[0], shown[1]);
}

#[test]
fn few_images_bring_advice_and_copies_are_looked_for_by_pixels() {
    let desk = desk();
    let flip = ["--set", "data.flip=true"];
    let run = cached(&desk, &with(&["train", "tiny.toml", "--out", "run"], &flip));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("30 images are few"), "{}", run.stderr);
    assert!(!run.stderr.contains("`data.flip = true`"), "{}", run.stderr);
    let augment = ["--set", "objective.augment.cutout=0.5", "--dry-run"];
    let dry = cached(&desk, &with(&["train", "tiny.toml"], &augment));
    assert!(dry.code == 0 && !dry.stderr.contains("are few"), "{}", dry.stderr);

    let of = |more: &[&str]| cached(&desk, &[&["evaluate", "run", "--count", "20"], more].concat());
    let words = of(&["--neighbours", "pairs.png"]);
    assert_eq!(words.code, 0, "{}", words.stderr);
    for expected in ["20 images of run, step", "the 30 images of", "memorized  ", "pairs.png"] {
        assert!(words.stdout.contains(expected), "{expected}: {}", words.stdout);
    }
    // Twenty pairs of 16×16, enlarged, eight in a row.
    let picture = png::Decoder::new(std::io::BufReader::new(fs::File::open(desk.path("pairs.png")).unwrap()));
    let picture = picture.read_info().unwrap();
    let (width, height) = (picture.info().width, picture.info().height);
    assert!(width > 8 * 48 && height > 5 * 48, "{width}×{height}");

    let json: serde_json::Value = serde_json::from_str(&of(&["--json"]).stdout).unwrap();
    let share = json["memorized"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&share), "{json}");
    assert_eq!((&json["real"]["count"], &json["count"]), (&30.into(), &20.into()));
    let other = of(&["--metrics", "fid"]);
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("`fid` needs a classifier"), "{}", other.stderr);

    fs::remove_file(desk.path("photos/ant/00.png")).unwrap();
    let fewer = of(&[]);
    assert_eq!(fewer.code, 2);
    assert!(
        fewer.stderr.contains("expected the images that run, step"),
        "{}",
        fewer.stderr
    );
    fs::rename(desk.path("photos"), desk.path("moved")).unwrap();
    let gone = of(&[]);
    assert_eq!(gone.code, 2);
    assert!(gone.stderr.contains("the images of `data.path`"), "{}", gone.stderr);
}

#[test]
fn folders_train_conditionally_and_are_asked_for_by_name() {
    let desk = desk();
    let set = [
        "--set",
        "data.labels=folders",
        "--set",
        "model.conditional=true",
        "--set",
        "data.flip=true",
    ];
    let run = cached(&desk, &with(&["train", "tiny.toml", "--out", "run"], &set));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("30 images of 3 classes, 24×20 to 16×16, cropped, in colours"),
        "{}",
        run.stderr
    );
    // Each, and each as in a mirror.
    assert!(run.stderr.contains("60 images of 3×16×16"), "{}", run.stderr);
    let ended = cached(
        &desk,
        &["generate", "run", "--class", "bee", "--count", "4", "--out", "bees.png"],
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let wrong = cached(&desk, &["generate", "run", "--class", "dog", "--out", "dogs.png"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("`ant`, `bee`"), "{}", wrong.stderr);
    let info = cached(&desk, &["info", "run"]).stdout;
    assert!(info.contains("photos"), "{info}");
    // Decoded once.
    assert_eq!(fs::read_dir(desk.path("cache/ganvas/images")).unwrap().count(), 1);
    // The run finds its images from another folder, and refuses others.
    fs::create_dir(desk.path("elsewhere")).unwrap();
    let resume = |steps: &str| {
        let set = format!("training.epochs={steps}");
        let mut command = desk.command(&["train", "--resume", "../run", "--set", &set]);
        command
            .current_dir(desk.path("elsewhere"))
            .env("XDG_CACHE_HOME", desk.path("cache"));
        crate::desk::Run::from(command.output().unwrap(), &["train", "--resume"])
    };
    let more = resume("3");
    assert_eq!(more.code, 0, "{}", more.stderr);
    // Images that lie elsewhere now, with a file among them that cannot be used.
    fs::rename(desk.path("photos"), desk.path("moved")).unwrap();
    fs::write(desk.path("moved/ant/none.png"), []).unwrap();
    let moved = cached(
        &desk,
        &[
            "train",
            "--resume",
            "run",
            "--set",
            "data.path=moved",
            "--set",
            "data.skip_bad=true",
            "--epochs",
            "4",
        ],
    );
    assert_eq!(moved.code, 0, "{}", moved.stderr);
    write_picture(&desk.path("moved/cat/99.png"), [24, 20], 99);
    let refused = resume("5");
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("images"), "{}", refused.stderr);
    let evaluated = cached(&desk, &["evaluate", "run", "--evaluator", "mnist"]);
    assert_eq!(evaluated.code, 2);
    assert!(
        evaluated.stderr.contains("name the real images with `--real`"),
        "{}",
        evaluated.stderr
    );
}

#[test]
fn what_cannot_be_used_is_named_and_left_out_when_asked() {
    let desk = desk();
    fs::write(desk.path("photos/bee/notes.png"), "no picture").unwrap();
    fs::write(desk.path("photos/bee/none.png"), []).unwrap();
    fs::write(desk.path("photos/readme.txt"), "text").unwrap();
    let run = cached(&desk, &with(&["train", "tiny.toml", "--out", "run"], &[]));
    assert_eq!(run.code, 1, "{}", run.stderr);
    for part in [
        "2 pictures cannot be used, 30 can",
        "bee/none.png is empty",
        "bee/notes.png is no PNG",
        "ganvas data check",
        "data.skip_bad = true",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(!desk.path("run").exists());
    let skipping = with(
        &["train", "tiny.toml", "--out", "run"],
        &["--set", "data.skip_bad=true"],
    );
    let run = cached(&desk, &skipping);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("30 images, 2 skipped"), "{}", run.stderr);
    let run = cached(&desk, &["data", "check", "photos", "--image-size", "16"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("bee/none.png is empty") && run.stdout.contains("1 file beside"),
        "{}",
        run.stdout
    );
    let run = cached(&desk, &["data", "check", "photos", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&found["images"], &found["bad"][0]["name"]),
        (&30.into(), &"bee/none.png".into())
    );
}

#[test]
fn a_preview_shows_what_the_networks_will_see() {
    let desk = desk();
    let run = cached(
        &desk,
        &[
            "data",
            "preview",
            "photos",
            "--image-size",
            "16",
            "--fit",
            "pad",
            "--count",
            "9",
        ],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("24×20 to 16×16, padded, in colours"),
        "{}",
        run.stderr
    );
    assert!(desk.path("photos.png").exists());
    for (arguments, part) in [
        (&["data", "preview", "phutos"][..], "no such file or folder"),
        (
            &["data", "preview", "synthetic", "--fit", "pad"],
            "--fit is for images of one's own",
        ),
        (
            &["data", "preview", "photos", "--background", "pink"],
            "expected `black`, `white`",
        ),
        (&["data", "preview", "photos", "--channels", "2"], "expected 1 or 3"),
        (&["data", "preview", "photos", "--seed", "2"], "--seed is for data sets"),
    ] {
        let run = cached(&desk, arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(part), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn mistakes_are_refused_before_anything_is_written() {
    let desk = desk();
    for (set, part) in [
        (
            &["data.fit=pad"][..],
            "`data.fit`: expected nothing without `data.path`",
        ),
        (&["data.labels=folders"], "`data.labels`: expected nothing without"),
        (&["data.dataset=own"], "`data.path`: expected where the images are"),
        (&["data.path=nowhere"], "cannot read"),
        (&["data.path=tiny.toml"], "a file of another name"),
        (&["data.path=photos", "data.image_size=18"], "multiples of 4"),
        (
            &["data.path=photos", "data.image_size=16", "data.background=red"],
            "`data.background`: expected `black`",
        ),
        (
            &["data.path=photos", "data.image_size=16", "data.channels=2"],
            "expected 1 or 3, found 2",
        ),
        (
            &["data.path=photos", "data.image_size=16", "data.count=31"],
            "at least 31 images, found 30",
        ),
        (
            &["data.path=photos", "data.image_size=16", "data.labels=no.csv"],
            "no.csv",
        ),
        (
            &[
                "data.path=photos",
                "data.image_size=16",
                "evaluation.every=1",
                "evaluation.metrics=[\"fid\"]",
            ],
            "no test split and no classifier",
        ),
    ] {
        // Without the small experiment's own count, unless that is what is wrong.
        let set = ["data.count="].iter().chain(set);
        let set: Vec<&str> = set.flat_map(|set| ["--set", *set]).collect();
        let run = cached(&desk, &[&["train", "tiny.toml", "--out", "run"][..], &set].concat());
        assert_eq!(run.code, 2, "{set:?}: {}", run.stderr);
        assert!(run.stderr.contains(part), "{set:?}: {}", run.stderr);
        assert!(!desk.path("run").exists());
    }
}
