//! Files outside of run directories: nothing is replaced unasked, and what cannot be written is refused before the work.

use std::{fs, path::Path, process::Stdio, time::Duration};

use crate::{
    ON_CUBECL,
    desk::{Desk, Run},
};

/// A desk with a run of one step.
pub fn trained() -> Desk {
    let desk = Desk::new();
    desk.ok(&["train", "tiny.toml", "--out", "run", "--set", "training.max_steps=1"]);
    desk
}

fn generate(desk: &Desk, arguments: &[&str]) -> Run {
    desk.run(&[&["generate", "run", "--count", "3"][..], arguments].concat())
}

#[test]
fn what_exists_is_replaced_only_by_force() {
    let desk = trained();
    fs::write(desk.path("there.png"), "mine").unwrap();
    for arguments in [
        &["generate", "run", "--out", "there.png"][..],
        &["data", "preview", "synthetic", "--count", "4", "--out", "there.png"],
    ] {
        let run = desk.run(arguments);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains("there.png: exists; `--force`"), "{}", run.stderr);
        // Refused before anything was made.
        assert!(!run.stderr.contains("images from"), "{}", run.stderr);
        assert_eq!(fs::read_to_string(desk.path("there.png")).unwrap(), "mine");
        desk.ok(&[arguments, &["--force"]].concat());
        assert!(fs::read(desk.path("there.png")).unwrap().starts_with(b"\x89PNG"));
        fs::write(desk.path("there.png"), "mine").unwrap();
    }
    // The default names name the run, so that two runs do not meet.
    let made = desk.ok(&["generate", "run"]);
    assert!(made.stdout.contains("run-step-000001-seed-5.png"), "{}", made.stdout);
    assert_eq!(desk.run(&["generate", "run"]).code, 2);
    let noise = generate(&desk, &["--out", "new.npy", "--save-noise", "there.png"]);
    assert_eq!(noise.code, 2);
    assert!(!desk.path("new.npy").exists());
}

#[test]
fn a_folder_holds_the_images_of_one_command() {
    let desk = trained();
    desk.ok(&["generate", "run", "--count", "5", "--out", "images/"]);
    fs::write(desk.path("images/notes.txt"), "mine").unwrap();
    fs::write(desk.path("images/cover-000007.png"), "mine").unwrap();
    desk.ok(&["generate", "run", "--count", "3", "--out", "images/", "--force"]);
    let mut names: Vec<_> = fs::read_dir(desk.path("images"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "000000.png",
            "000001.png",
            "000002.png",
            "cover-000007.png",
            "notes.txt"
        ]
    );
}

#[test]
fn what_cannot_be_written_is_refused_before_the_work() {
    let desk = trained();
    fs::create_dir(desk.path("full")).unwrap();
    fs::write(desk.path("full/x"), "").unwrap();
    for (arguments, part) in [
        (
            &["--out", "same.npy", "--save-noise", "same.npy"][..],
            "--out and --save-noise both name same.npy",
        ),
        (&["--out", "same.npy", "--save-noise", "./same.npy"], "both name"),
        (&["--out", "no/folder/x.npy"], "there is no folder no/folder"),
        (&["--out", "no/folder/x/"], "there is no folder no/folder"),
        (&["--out", "full/"], "the folder is not empty"),
        (
            &["--out", "x.jpg"],
            "expected a name that ends in .png, .npy, .npz, .idx",
        ),
        (&["--out", "x.png", "--format", "npy"], "of another format"),
        (&["--out", "x.png", "--save-noise", "x.txt"], "ends in .npy"),
        (&["--out", "-", "--json"], "both write to standard output"),
    ] {
        let run = generate(&desk, arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(
            run.stderr.contains(part),
            "{arguments:?} does not report {part}: {}",
            run.stderr
        );
        assert!(!run.stderr.contains("images from"), "{}", run.stderr);
    }
    let many = desk.run(&["generate", "run", "--count", "1000000", "--out", "x.png"]);
    assert_eq!(many.code, 2);
    assert!(
        many.stderr.contains("a picture holds at most 10000 images"),
        "{}",
        many.stderr
    );
    let preview = desk.run(&["data", "preview", "synthetic", "--count", "4", "--out", "x.jpg"]);
    assert_eq!(preview.code, 2);
    assert!(preview.stderr.contains("ends in .png"), "{}", preview.stderr);
    let names: Vec<_> = fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    #[cfg(target_os = "linux")]
    {
        let run = generate(&desk, &["--out", "/proc/x.npy"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(
            run.stderr.contains("cannot write /proc/x.npy") && !run.stderr.contains("images from"),
            "{}",
            run.stderr
        );
        let run = generate(&desk, &["--out", "/dev/full", "--format", "npy"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
    }
}

/// The bytes of three images as NPY.
fn npy(desk: &Desk) -> Vec<u8> {
    let out = desk.path("file.npy");
    assert_eq!(generate(desk, &["--force", "--out", "file.npy"]).code, 0);
    fs::read(out).unwrap()
}

#[cfg(unix)]
#[test]
fn pipes_links_and_standard_output_take_what_comes() {
    let desk = trained();
    let expected = npy(&desk);
    let output = desk
        .command(&["generate", "run", "--count", "3", "--out", "-", "--format", "npy"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(output.stdout == expected, "standard output");
    let output = desk
        .command(&["generate", "run", "--count", "3", "--out", "-"])
        .output()
        .unwrap();
    assert!(output.stdout.starts_with(b"\x89PNG"));

    let fifo = desk.path("fifo");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let reader = std::process::Command::new("cat")
        .arg(&fifo)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(generate(&desk, &["--out", "fifo", "--format", "npy"]).code, 0);
    assert!(reader.wait_with_output().unwrap().stdout == expected, "a pipe");
    use std::os::unix::fs::FileTypeExt;
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo(), "it was replaced");
    assert_eq!(generate(&desk, &["--out", "/dev/null", "--format", "idx"]).code, 0);

    fs::create_dir(desk.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere/target.npy", desk.path("link.npy")).unwrap();
    assert_eq!(generate(&desk, &["--out", "link.npy"]).code, 0);
    assert!(fs::symlink_metadata(desk.path("link.npy")).unwrap().is_symlink());
    assert!(
        fs::read(desk.path("elsewhere/target.npy")).unwrap() == expected,
        "a link"
    );
}

#[test]
fn a_folder_gets_a_picture_an_image_and_parts_are_like_the_whole() {
    let desk = trained();
    let count = if ON_CUBECL { 5 } else { 300 };
    let count = count.to_string();
    let make = |arguments: &[&str]| desk.ok(&[&["generate", "run", "--count", &count][..], arguments].concat());
    make(&["--out", "pictures/"]);
    make(&["--out", "all.idx"]);
    make(&["--out", "all.idx.gz"]);
    make(&["--out", "all.npy", "--save-noise", "z.npy"]);
    let images = ganvas_data::idx::read_images(&desk.path("all.idx")).unwrap();
    assert_eq!(images, ganvas_data::idx::read_images(&desk.path("all.idx.gz")).unwrap());
    for (number, image) in images.pixels.chunks_exact(784).enumerate() {
        assert_eq!(grey(&desk.path(&format!("pictures/{number:06}.png"))), image);
    }
    assert_eq!(fs::read_dir(desk.path("pictures")).unwrap().count(), images.count);
    // More images than are made at once begin with the same ones.
    let (many, few) = (fs::read(desk.path("all.npy")).unwrap(), npy(&desk));
    assert!(many[128..].starts_with(&few[128..]));
    assert_eq!(many.len(), 128 + images.count * 784 * 4);
    assert_eq!(
        fs::metadata(desk.path("z.npy")).unwrap().len(),
        128 + images.count as u64 * 8 * 4
    );
}

fn grey(path: &Path) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

/// The memory does not grow with the count.
#[cfg(target_os = "linux")]
#[test]
fn many_images_need_no_more_memory_than_few() {
    if ON_CUBECL {
        return; // A software adapter would take minutes for this many.
    }
    let desk = trained();
    let peak = |count: &str| {
        let mut child = desk
            .command(&[
                "generate",
                "run",
                "--count",
                count,
                "--out",
                "/dev/null",
                "--format",
                "npy",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut peak = 0_u64;
        while child.try_wait().unwrap().is_none() {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line
                .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
                .unwrap_or(peak);
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(child.wait().unwrap().success());
        peak
    };
    // 40,000 images are 125 MB.
    let (few, many) = (peak("2000"), peak("40000"));
    assert!(many < few + 60_000, "{few} kB and {many} kB");
}
