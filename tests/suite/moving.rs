//! Images by seeds and by noise, and pictures that move.

use std::{fs, path::Path};

use image::{AnimationDecoder, codecs::gif::GifDecoder, codecs::png::PngDecoder};

use crate::desk::Desk;

/// A finished run with an average of its weights.
fn trained() -> Desk {
    let desk = Desk::new();
    desk.ok(&["train", "tiny.toml", "--out", "run", "--set", "ema.decay=0.5"]);
    desk
}

/// The numbers of an array of floats.
fn numbers(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()[128..].to_vec()
}

fn npy(desk: &Desk, name: &str, arguments: &[&str]) -> Vec<u8> {
    desk.ok(&[&["generate", "run", "--out", name][..], arguments].concat());
    numbers(&desk.path(name))
}

/// Frames of a moving picture, as red, green, blue and alpha.
fn frames(path: &Path) -> Vec<image::RgbaImage> {
    let file = std::io::BufReader::new(fs::File::open(path).unwrap());
    let frames = match path.extension().unwrap().to_str().unwrap() {
        "gif" => GifDecoder::new(file).unwrap().into_frames(),
        _ => PngDecoder::new(file).unwrap().apng().unwrap().into_frames(),
    };
    frames.map(|frame| frame.unwrap().into_buffer()).collect()
}

/// Products of few columns are added in another order than those of many.
fn assert_near(left: &[u8], right: &[u8]) {
    assert_eq!(left.len(), right.len());
    let value = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    for (left, right) in left.chunks(4).zip(right.chunks(4)) {
        let (left, right) = (value(left), value(right));
        assert!((left - right).abs() < 1e-4, "{left} and {right}");
    }
}

#[test]
fn captions_stand_under_images_and_leave_them_as_they_are() {
    let desk = trained();
    let picture = |name: &str, arguments: &[&str]| {
        desk.ok(&[&["generate", "run", "--out", name, "--grid", "3x2"][..], arguments].concat());
        image::open(desk.path(name)).unwrap().into_luma8()
    };
    let plain = picture("plain.png", &["--seeds", "1-5"]);
    let captioned = picture("captioned.png", &["--seeds", "1-5", "--captions"]);
    // Gaps of 6, images of 84, lines of 10.
    assert_eq!(plain.dimensions(), (3 * 90 + 6, 2 * 90 + 6));
    assert_eq!(captioned.dimensions(), (plain.width(), plain.height() + 20));
    for (x, y, pixel) in plain.enumerate_pixels().filter(|(_, y, _)| *y < 180) {
        assert_eq!(
            captioned.get_pixel(x, y + if y < 90 { 0 } else { 10 }),
            pixel,
            "{x} {y}"
        );
    }
    let has_ink = |captioned: &image::GrayImage, column: u32, row: u32| {
        let line = (90 + row * 100..100 + row * 100).flat_map(|y| (column * 90..column * 90 + 90).map(move |x| (x, y)));
        line.into_iter().any(|(x, y)| captioned.get_pixel(x, y).0[0] == 0)
    };
    for place in 0..6 {
        assert_eq!(has_ink(&captioned, place % 3, place / 3), place < 5, "{place}");
    }
    let others = picture("others.png", &["--seeds", "2-6", "--captions"]);
    assert!((0..90).any(|x| (90..100).any(|y| others.get_pixel(x, y) != captioned.get_pixel(x, y))));
    let refused = desk.run(&["generate", "run", "--captions", "--out", "x.npy"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("--captions are for a .png"),
        "{}",
        refused.stderr
    );
}

#[test]
fn images_stay_where_the_noise_cannot_be_written() {
    let desk = trained();
    desk.ok(&["generate", "run", "--count", "3", "--out", "images/"]);
    let refused = desk.run(&[
        "generate",
        "run",
        "--count",
        "2",
        "--out",
        "images/",
        "--force",
        "--save-noise",
        "no/z.npy",
    ]);
    assert_eq!(refused.code, 2);
    assert_eq!(fs::read_dir(desk.path("images")).unwrap().count(), 3);
}

#[test]
fn each_seed_has_its_image() {
    let desk = trained();
    let together = npy(&desk, "all.npy", &["--seeds", "5,0-2"]);
    let length = 784 * 4;
    assert_eq!(together.len(), 4 * length);
    for (place, seed) in ["5", "0", "1", "2"].iter().enumerate() {
        let alone = npy(&desk, &format!("{seed}.npy"), &["--seed", seed, "--count", "1"]);
        assert_near(&together[place * length..][..length], &alone);
    }
    desk.ok(&["generate", "run", "--seeds", "5,0-2", "--out", "images/"]);
    let mut names: Vec<_> = fs::read_dir(desk.path("images"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["seed0000.png", "seed0001.png", "seed0002.png", "seed0005.png"]);
    // Of another command none stays.
    desk.ok(&["generate", "run", "--count", "2", "--out", "images/", "--force"]);
    assert_eq!(fs::read_dir(desk.path("images")).unwrap().count(), 2);
    for (arguments, part) in [
        (&["--seeds", "3-1"][..], "expected seeds such as"),
        (&["--seeds", "1,,2"], "expected seeds such as"),
        (&["--seeds", "0-18446744073709551615"], "at most 1000000 seeds"),
        (&["--seeds", "1", "--seed", "2"], "cannot be used with"),
        (&["--truncation", "3"], "expected 0 to 2"),
        (&["--grid", "8"], "expected columns and rows"),
        (&["--grid", "2x2", "--count", "5"], "expected room for 5 images"),
        (&["--grid", "2x2", "--out", "x.npy"], "--grid is the shape of a .png"),
    ] {
        let run = desk.run(&[&["generate", "run"][..], arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(part), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn noise_that_is_saved_makes_the_same_images() {
    let desk = trained();
    let first = npy(&desk, "first.npy", &["--count", "7", "--save-noise", "z.npy"]);
    assert_eq!(npy(&desk, "again.npy", &["--noise", "z.npy"]), first);
    // Half as far from the middle is what the noise says by half.
    let half = npy(
        &desk,
        "half.npy",
        &["--count", "7", "--truncation", "0.5", "--save-noise", "half-z.npy"],
    );
    assert_ne!(half, first);
    assert_eq!(npy(&desk, "half-again.npy", &["--noise", "half-z.npy"]), half);
    let none = npy(&desk, "none.npy", &["--count", "3", "--truncation", "0"]);
    assert!(none.chunks(784 * 4).all(|image| *image == none[..784 * 4]));
    assert_ne!(npy(&desk, "raw.npy", &["--count", "7", "--weights", "raw"]), first);
    fs::write(desk.path("no.npy"), "no array").unwrap();
    desk.ok(&["generate", "run", "--count", "3", "--out", "images.npy"]);
    for (noise, code, part) in [
        ("none-there.npy", 1, "cannot read"),
        ("no.npy", 1, "expected an array of NumPy"),
        (
            "images.npy",
            2,
            "of the shape [count, 8], as this generator takes it, found [3, 1, 28, 28]",
        ),
    ] {
        let run = desk.run(&["generate", "run", "--noise", noise, "--out", "x.npy"]);
        assert_eq!(run.code, code, "{}", run.stderr);
        assert!(run.stderr.contains(part), "{noise}: {}", run.stderr);
        assert!(!desk.path("x.npy").exists());
    }
    // Of another network.
    desk.ok(&["train", "tiny.toml", "--out", "other", "--set", "model.latent_size=9"]);
    let run = desk.run(&["generate", "other", "--noise", "z.npy", "--out", "x.npy"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("of the shape [count, 9]"), "{}", run.stderr);
}

#[test]
fn classes_come_with_their_seeds() {
    let desk = Desk::new();
    desk.ok(&["train", "tiny.toml", "--out", "run", "--set", "model.conditional=true"]);
    let length = 784 * 4;
    let together = npy(&desk, "all.npy", &["--seeds", "0-5", "--save-noise", "z.npy"]);
    for seed in 0..6 {
        let alone = npy(
            &desk,
            &format!("{seed}.npy"),
            &["--seed", &seed.to_string(), "--count", "1"],
        );
        assert_near(&together[seed * length..][..length], &alone);
    }
    let seven = npy(&desk, "seven.npy", &["--seeds", "0-5", "--class", "7"]);
    assert_eq!(
        npy(&desk, "seven-again.npy", &["--noise", "z.npy", "--class", "7"]),
        seven
    );
    let run = desk.run(&["generate", "run", "--noise", "z.npy", "--out", "x.npy"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("--noise says nothing of classes"), "{}", run.stderr);
    // All images on the way are of the first one's class, or of the one that is asked for.
    let way = ["interpolate", "run", "--seeds", "0,1", "--steps", "3", "--out"];
    desk.ok(&[&way[..], &["way.npy"]].concat());
    desk.ok(&[&way[..], &["sevens.npy", "--class", "7"]].concat());
    assert_near(&numbers(&desk.path("way.npy"))[..length], &together[..length]);
    assert_near(&numbers(&desk.path("sevens.npy"))[..length], &seven[..length]);
    let run = desk.run(&[&way[..], &["x.npy", "--class", "all"]].concat());
    assert!(
        run.code == 2 && run.stderr.contains("--class all: expected `0`"),
        "{}",
        run.stderr
    );
}

#[test]
fn images_go_from_one_to_the_next() {
    let desk = trained();
    for out in ["morph.gif", "morph.apng"] {
        desk.ok(&["interpolate", "run", "--seeds", "3,7,12", "--steps", "4", "--out", out]);
        let frames = frames(&desk.path(out));
        assert_eq!(frames.len(), 12);
        // The first of each four is the image of its seed, thrice as large in its frame.
        for (number, seed) in ["3", "7", "12"].iter().enumerate() {
            desk.ok(&["generate", "run", "--seeds", seed, "--out", "one.png", "--force"]);
            let alone = image::open(desk.path("one.png")).unwrap().into_rgba8();
            assert_eq!(frames[number * 4], alone, "{out}, seed {seed}");
            assert_ne!(frames[number * 4 + 1], alone);
        }
    }
    let run = desk.ok(&[
        "interpolate",
        "run",
        "--seeds",
        "3,7,12",
        "--steps",
        "4",
        "--slerp",
        "--out",
        "way.npy",
    ]);
    assert!(run.stdout.contains("9 images: way.npy"), "{}", run.stdout);
    let way = numbers(&desk.path("way.npy"));
    let ends = npy(&desk, "ends.npy", &["--seeds", "3,7,12"]);
    let length = 784 * 4;
    for (number, end) in ends.chunks(length).enumerate() {
        assert_near(&way[number * 4 * length..][..length], end);
    }
    for (arguments, part) in [
        (&["--seeds", "3"][..], "two seeds or more"),
        (&["--seeds", "3,4", "--out", "x.mp4"], ".gif and .apng move"),
        (&["--seeds", "3,4", "--out", "-"], "expected a file or a folder"),
        (&["--seeds", "3,4", "--class", "1"], "the run is not conditional"),
        (&["--seeds", "3,4", "--out", "morph.gif"], "morph.gif: exists"),
    ] {
        let run = desk.run(&[&["interpolate", "run"][..], arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(part), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn a_run_is_shown_from_its_samples() {
    let desk = trained();
    let samples = fs::read_dir(desk.path("run/samples")).unwrap().count();
    assert!(samples >= 2);
    let run = desk.ok(&["timeline", "run"]);
    assert!(
        run.stdout.contains(&format!("{samples} pictures: training.gif")),
        "{}",
        run.stdout
    );
    let frames = frames(&desk.path("training.gif"));
    let last = image::open(desk.path("run/samples/step-000006.png"))
        .unwrap()
        .into_rgba8();
    assert_eq!(
        frames.iter().filter(|frame| **frame == last).count(),
        frames.len() - samples + 1
    );
    assert_eq!(desk.run(&["timeline", "run"]).code, 2);
    assert_eq!(desk.run(&["timeline", "run", "--out", "x.png"]).code, 2);
    fs::remove_dir_all(desk.path("run/samples")).unwrap();
    let run = desk.run(&["timeline", "run", "--out", "none.gif"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("run/samples"), "{}", run.stderr);
    assert!(!desk.path("none.gif").exists());
}
