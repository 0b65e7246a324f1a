//! Every reader of files against real files that were changed at random: an error or an answer, never a panic, and never more
//! memory than a small multiple of the file.
//!
//! `PROPTEST_CASES=1000000 cargo test --release -p ganvas-training --test fuzz` is the long run.

#![allow(clippy::unwrap_used)] // A test that cannot go on should say so and stop.

mod forging;
mod memory;
mod mutation;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ganvas_data::idx;
use ganvas_model::{NetworkConfig, ObjectiveConfig, from_safetensors};
use ganvas_training::{Checkpoint, MetricsLine, MetricsLog, Overrides, load_backend_file, parse_experiment};
use proptest::prelude::*;

use forging::{committed, forged, leak};
use memory::{assert_modest, memory};
use mutation::{cases, changed};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// An IDX file as it is downloaded.
fn idx_file(name: &str) -> &'static [u8] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let digits = ganvas_data::synthetic_digits(1, ganvas_data::Split::Train, 40);
    if name.contains("labels") {
        idx::write_labels(&path, digits.labels().unwrap()).unwrap();
    } else {
        idx::write_images(&path, digits.pixels(), 28, 28).unwrap();
    }
    leak(fs::read(path).unwrap())
}

/// A log of five steps.
fn log_file() -> &'static [u8] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut log = MetricsLog::open(&path, 0, |_| ()).unwrap();
    for step in 1..=5 {
        let names = [
            "loss/discriminator",
            "loss/generator",
            "logits/real",
            "logits/fake",
            "images_per_second",
        ];
        let numbers = names.map(|name| (name.to_owned(), 1.25 * step as f64)).to_vec();
        log.append(&MetricsLine {
            step,
            epoch: 1,
            numbers,
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

/// Opens a [`forged`] checkpoint.
fn open_forged(name: &str, bytes: &[u8]) {
    let folder = forged(name, bytes);
    let files = fs::read_dir(folder.path()).unwrap();
    let size: u64 = files.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    let (_, held) = memory(|| Checkpoint::find(folder.path()));
    assert_modest("a checkpoint", held, size as usize, 10);
}

proptest! {
    #![proptest_config(cases(2000))]

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
    fn experiments(bytes in changed(leak(fs::read(workspace().join("configs/dcgan.toml")).unwrap()))) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (_, held) = memory(|| parse_experiment::<NetworkConfig, ObjectiveConfig>(&text, "changed.toml", "changed", &Overrides::default()));
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
        let (log, held) = memory(|| MetricsLog::open(&path, 4, |_| ()).unwrap());
        assert_modest("JSON lines", held, bytes.len(), 4);
        drop(log);
        // Whatever is no line of a later step, and is not torn, is kept as it stands.
        let is_kept = |line: &&[u8]| {
            let later = serde_json::from_slice::<MetricsLine>(line).is_ok_and(|line| line.step > 4);
            line.ends_with(b"\n") && !later
        };
        let expected: Vec<u8> = bytes.split_inclusive(|&byte| byte == b'\n').filter(is_kept).flatten().copied().collect();
        prop_assert_eq!(fs::read(&path).unwrap(), expected);
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
