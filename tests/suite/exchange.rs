//! Checkpoints of one backend on another: the same images, and a training that goes on.
//!
//! Every backend reads `tests/reference/checkpoint`, which ndarray wrote. Where `GANVAS_TEST_EXCHANGE` names a folder, as
//! `cargo xtask test-all-backends` does, each backend also leaves a run there and reads those that others left before it.
//! `tests/reference/checkpoint` is such a run; to make it anew, set the variable, run this test on ndarray, and keep
//! `config.toml`, `images.f32` and the one checkpoint.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ganvas_training::{Checkpoint, Experiment, Outcome, Sampler};

use crate::{
    BACKEND, Inner, KIND, backend_path,
    determinism::{begin, experiment, go_on},
    device, workspace,
};

const COUNT: usize = 12;
const SEED: u64 = 9;

/// Not an epoch's end, so that going on also takes up the order of the images in its middle.
const STEPS: u64 = 5;

fn settings() -> Experiment {
    experiment(&["checkpoint.keep=1", "ema.decay=0"])
}

/// The images of a run's newest checkpoint on the backend under test.
fn images(run: &Path) -> Vec<f32> {
    let checkpoint = Checkpoint::find(run).unwrap();
    let experiment: Experiment = checkpoint.experiment().unwrap();
    let generator = checkpoint
        .sampling_generator::<Inner, _>(&experiment.model, &device())
        .unwrap();
    Sampler::new(SEED, COUNT, 8).images(&generator, &device())
}

/// Trains a run and puts it, with images of it, at `place`.
fn leave(place: &Path) {
    // Beside it first, so that nobody finds half of it.
    let beside = tempfile::tempdir_in(place.parent().unwrap()).unwrap();
    let run = beside.path().join("run");
    assert_eq!(
        begin(&settings(), &run, STEPS).unwrap(),
        Outcome::Stopped { step: STEPS }
    );
    let bytes: Vec<u8> = images(&run).iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(run.join("images.f32"), bytes).unwrap();
    fs::rename(&run, place).unwrap();
}

/// Runs that other backends made.
fn others() -> Vec<PathBuf> {
    let mut runs = vec![workspace().join("tests/reference/checkpoint")];
    if let Some(folder) = std::env::var_os("GANVAS_TEST_EXCHANGE").map(PathBuf::from) {
        fs::create_dir_all(&folder).unwrap();
        let own = folder.join(KIND);
        if own.exists() {
            fs::remove_dir_all(&own).unwrap();
        }
        leave(&own);
        runs.extend(
            fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|run| run.join("images.f32").is_file() && *run != own),
        );
    }
    runs
}

/// Little-endian numbers.
fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

fn assert_same_images(what: &str, found: &[f32], run: &Path) {
    let expected = numbers(&fs::read(run.join("images.f32")).unwrap());
    assert_eq!(found.len(), expected.len());
    let furthest = found
        .iter()
        .zip(&expected)
        .map(|(found, expected)| f64::from((found - expected).abs()))
        .fold(0.0, f64::max);
    // Pixels are in [-1, 1].
    assert!(
        furthest <= BACKEND.tests.values,
        "{what} of {}: a pixel differs by {furthest:e}",
        run.display()
    );
}

#[test]
fn a_run_of_another_backend_gives_the_same_images_and_goes_on() {
    for run in others() {
        assert_same_images("images", &images(&run), &run);

        // By the command, as a person would.
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_ganvas-under-test"))
            .args(["--quiet", "generate", "--count", "12", "--seed", "9", "--out"])
            .arg(folder.path().join("images.npy"))
            .arg("--backend")
            .arg(backend_path())
            .arg(&run)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        let npy = fs::read(folder.path().join("images.npy")).unwrap();
        assert_same_images("`ganvas generate`", &numbers(&npy[128..]), &run);

        let copy = folder.path().join("run");
        copy_run(&run, &copy);
        assert_eq!(
            go_on(&settings(), &copy, u64::MAX).unwrap(),
            Outcome::Finished { step: 12 }
        );
    }
}

/// Copies a folder and all that is in it.
pub fn copy_run(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_run(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
