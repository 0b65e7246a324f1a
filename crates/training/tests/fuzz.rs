//! Every reader of files against real files that were changed at random: an error or an answer, never a panic, and never more
//! memory than a small multiple of the file.
//!
//! `PROPTEST_CASES=1000000 cargo test --release -p ganvas-training --test fuzz` is the long run.

#![allow(unsafe_code)] // An allocator that counts.
#![allow(clippy::unwrap_used)] // A test that cannot go on should say so and stop.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

use ganvas_data::idx;
use ganvas_model::from_safetensors;
use ganvas_training::{Checkpoint, MetricsLine, MetricsLog, Overrides, load_backend_file, parse_experiment};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// Counts the bytes that each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    let held = HELD.get() + change;
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as of this function.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as of this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that `read` holds at its most.
fn memory<T>(read: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let result = read();
    (result, (MOST.get() - before).max(0) as usize)
}

/// Fails where a reader took more than `times` the bytes of its file, and a fixed amount for its own needs.
#[track_caller]
fn assert_modest(what: &str, memory: usize, file: usize, times: usize) {
    let most = times * file + (1 << 18);
    assert!(
        memory <= most,
        "{what}: {memory} bytes held for a file of {file}, allowed are {most}"
    );
}

/// One change to a file.
#[derive(Debug, Clone)]
enum Change {
    Flip(usize, u8),
    Set(usize, Vec<u8>),
    Cut(usize),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<usize>;
    // Numbers that sizes and lengths are often wrong by.
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..9),
        Just(vec![0xff; 4]),
        Just(vec![0xff; 8]),
        Just(vec![0; 8]),
        Just(vec![0x7f, 0xff, 0xff, 0xff]),
        Just(b"99999999999999999999".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"1e400".to_vec()),
        Just(b"[[[[[[[[[[[[[[[[".to_vec()),
        Just(b"\"".to_vec()),
    ];
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, mask)| Change::Flip(at, mask)),
        (place(), bytes.clone()).prop_map(|(at, bytes)| Change::Set(at, bytes)),
        place().prop_map(Change::Cut),
        (place(), 1..64_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (place(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (place(), 1..256_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

/// A file with up to six changes, half of the places within its first 64 bytes, where headers are.
fn changed(original: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((change(), any::<bool>()), 1..7).prop_map(move |changes| {
        let mut bytes = original.to_vec();
        for (change, early) in changes {
            let reach = if early { bytes.len().min(64) } else { bytes.len() };
            let place = |at: usize| if reach == 0 { 0 } else { at % reach };
            let end = |at: usize, length: usize, all: usize| (at + length).min(all);
            match change {
                Change::Flip(at, mask) => {
                    if let Some(byte) = bytes.get_mut(place(at)) {
                        *byte ^= mask;
                    }
                }
                Change::Set(at, new) => {
                    let at = place(at);
                    let end = end(at, new.len(), bytes.len());
                    bytes.splice(at..end, new);
                }
                Change::Cut(at) => bytes.truncate(place(at)),
                Change::Remove(at, length) => {
                    let at = place(at);
                    bytes.drain(at..end(at, length, bytes.len()));
                }
                Change::Insert(at, new) => {
                    let at = place(at);
                    bytes.splice(at..at, new);
                }
                Change::Repeat(at, length) => {
                    let at = place(at);
                    let part = bytes[at..end(at, length, bytes.len())].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        bytes
    })
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(2000),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn leak(bytes: Vec<u8>) -> &'static [u8] {
    Box::leak(bytes.into_boxed_slice())
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A run that ndarray trained.
fn checkpoint_folder() -> PathBuf {
    workspace().join("tests/reference/checkpoint/checkpoints/step-000005")
}

fn committed(name: &str) -> &'static [u8] {
    leak(fs::read(checkpoint_folder().join(name)).unwrap())
}

/// An IDX file as it is downloaded.
fn idx_file(name: &str) -> &'static [u8] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let digits = ganvas_data::synthetic_digits(1, ganvas_data::Split::Train, 40);
    if name.contains("labels") {
        idx::write_labels(&path, digits.labels()).unwrap();
    } else {
        idx::write_images(&path, digits.pixels(), 28, 28).unwrap();
    }
    leak(fs::read(path).unwrap())
}

/// A log of five steps.
fn log_file() -> &'static [u8] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut log = MetricsLog::open(&path, 0).unwrap();
    for step in 1..=5 {
        log.append(&MetricsLine {
            step,
            epoch: 1,
            discriminator_loss: 1.25,
            generator_loss: 0.5,
            real_logit: 0.25,
            fake_logit: -0.25,
            discriminator_gradient_norm: 2.0,
            generator_gradient_norm: 3.0,
            fake_pixel_variance: 0.125,
            images_per_second: 1234.5,
        })
        .unwrap();
    }
    leak(fs::read(path).unwrap())
}

/// Puts changed bytes where a reader of files looks.
fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// A whole checkpoint in which one file was changed and the checksums were made to fit, as by somebody who wants harm.
fn forged(name: &str, bytes: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sum_of = |content: &[u8]| {
        Sha256::digest(content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let mut sums = String::new();
    for entry in fs::read_dir(checkpoint_folder()).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().to_string_lossy().into_owned();
        if file == "SHA256SUMS" {
            continue;
        }
        let mut content = match file == name {
            true => bytes.to_vec(),
            false => fs::read(entry.path()).unwrap(),
        };
        if file == "state.json" && name == "config.toml" {
            // The state has the configuration's checksum too.
            let text = String::from_utf8(content).unwrap();
            let old = sum_of(&fs::read(checkpoint_folder().join("config.toml")).unwrap());
            assert!(text.contains(&old));
            content = text.replace(&old, &sum_of(bytes)).into_bytes();
        }
        let sum = sum_of(&content);
        sums += &format!("{sum}  {file}\n");
        fs::write(folder.path().join(file), content).unwrap();
    }
    fs::write(folder.path().join("SHA256SUMS"), sums).unwrap();
    folder
}

/// Opens a [`forged`] checkpoint.
fn open_forged(name: &str, bytes: &[u8]) {
    let folder = forged(name, bytes);
    let files = fs::read_dir(folder.path()).unwrap();
    let size: u64 = files.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    let (_, held) = memory(|| Checkpoint::find(folder.path()));
    assert_modest("a checkpoint", held, size as usize, 10);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn idx_images(bytes in changed(idx_file("images.idx"))) {
        let (_folder, path) = file(&bytes);
        let (result, held) = memory(|| idx::read_images(&path));
        assert_modest("IDX", held, bytes.len(), 4);
        if let Ok(images) = result {
            prop_assert_eq!(images.pixels.len(), images.count * images.rows * images.columns);
            prop_assert!(images.pixels.len() < bytes.len());
        }
    }

    #[test]
    fn idx_images_in_gzip(bytes in changed(idx_file("images.idx.gz"))) {
        let (_folder, path) = file(&bytes);
        // Deflate makes at most 1032 bytes of one.
        let (_, held) = memory(|| idx::read_images(&path));
        assert_modest("gzip", held, bytes.len(), 2 * 1032);
    }

    #[test]
    fn idx_labels(bytes in changed(idx_file("labels.idx"))) {
        let (_folder, path) = file(&bytes);
        let (_, held) = memory(|| idx::read_labels(&path));
        assert_modest("IDX", held, bytes.len(), 4);
    }

    #[test]
    fn safetensors(bytes in changed(committed("generator.safetensors"))) {
        let (result, held) = memory(|| from_safetensors(&bytes));
        // Names and shapes of the header, which is text, become strings, maps and vectors.
        assert_modest("safetensors", held, bytes.len(), 24);
        if let Ok(tensors) = result {
            for tensor in tensors {
                prop_assert_eq!(tensor.values.len(), tensor.shape.iter().product::<usize>());
            }
        }
    }

    #[test]
    fn experiments(bytes in changed(leak(fs::read(workspace().join("configs/mnist.toml")).unwrap()))) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (_, held) = memory(|| parse_experiment(&text, "changed.toml", "changed", &Overrides::default()));
        assert_modest("TOML", held, text.len(), 100);
    }

    #[test]
    fn backend_files(bytes in changed(leak(fs::read(workspace().join("configs/backends/wgpu.toml")).unwrap()))) {
        let (_folder, path) = file(&bytes);
        let (_, held) = memory(|| load_backend_file(&path));
        assert_modest("TOML", held, bytes.len(), 100);
    }

    #[test]
    fn logs(bytes in changed(log_file())) {
        let (_folder, path) = file(&bytes);
        let (log, held) = memory(|| MetricsLog::open(&path, 4).unwrap());
        assert_modest("JSON lines", held, bytes.len(), 4);
        drop(log);
        let kept = fs::read_to_string(&path).unwrap();
        prop_assert!(kept.is_empty() || kept.ends_with('\n'));
    }

    #[test]
    fn checkpoints_with_a_changed_list(bytes in changed(committed("SHA256SUMS"))) {
        prop_assume!(bytes != committed("SHA256SUMS"));
        let folder = forged("", &[]);
        fs::write(folder.path().join("SHA256SUMS"), &bytes).unwrap();
        prop_assert!(Checkpoint::find(folder.path()).is_err());
    }

    #[test]
    fn checkpoints_with_a_forged_state(bytes in changed(committed("state.json"))) {
        open_forged("state.json", &bytes);
    }

    #[test]
    fn checkpoints_with_a_forged_configuration(bytes in changed(committed("config.toml"))) {
        open_forged("config.toml", &bytes);
    }
}
