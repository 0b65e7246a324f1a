//! The one suite of ganvas, generic over the backend, built once for each.
//!
//! `cargo xtask test-all-backends` builds it with one backend's cargo feature and names that backend's TOML file, with its
//! tolerances, in `GANVAS_TEST_BACKEND`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test that cannot go on should say so and stop.

/// Checkpoints: round trips, damage noticed and named.
mod checkpoints;
/// Every verb of the command, run as a process.
mod command;
/// Images through Burn's own loader; real MNIST where it is at hand.
mod data;
/// Equal runs give equal bits, resumed or not; random numbers are the same on every backend.
mod determinism;
/// Golden numbers and the formula that both sides start from.
mod golden;
/// Gradients against finite differences.
mod gradients;
/// Lowered convolutions against Keras and against `burn::nn`.
mod layers;
/// Losses: values, gradients, and what they do far out.
mod losses;
/// Networks: shapes, names, statistics.
mod networks;
/// Three training steps against Keras.
mod three_steps;

use std::{path::PathBuf, sync::LazyLock};

use burn::tensor::backend::AutodiffBackend;
use ganvas_training::{BackendFile, load_backend_file};

#[cfg(feature = "flex")]
type B = ganvas_backend::Flex;
#[cfg(all(feature = "ndarray", not(feature = "flex")))]
type B = ganvas_backend::NdArray;
#[cfg(not(any(feature = "ndarray", feature = "flex")))]
compile_error!("the suite needs the feature of the backend that it tests, such as `--features ndarray`");

const KIND: &str = if cfg!(feature = "flex") { "flex" } else { "ndarray" };

/// The backend under test, without gradients.
type Inner = <B as AutodiffBackend>::InnerBackend;

/// The TOML file of the backend under test.
fn backend_path() -> PathBuf {
    match std::env::var_os("GANVAS_TEST_BACKEND") {
        Some(path) => path.into(),
        None => workspace().join("configs/backends").join(format!("{KIND}.toml")),
    }
}

static BACKEND: LazyLock<BackendFile> = LazyLock::new(|| {
    let file = load_backend_file(&backend_path()).expect("the backend's TOML file");
    assert_eq!(
        file.backend.kind, KIND,
        "the suite was built for another backend than its TOML file names"
    );
    file
});

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn device() -> burn::tensor::Device<B> {
    Default::default()
}

/// Fails unless `found` is within a relative `tolerance` of `expected`, measured against `scale` where the quantity itself
/// may cancel to nearly nothing.
#[track_caller]
fn assert_near(what: &str, found: f64, expected: f64, scale: f64, tolerance: f64) {
    let difference = (found - expected).abs();
    assert!(
        difference <= tolerance * scale,
        "{what}: expected {expected:e}, found {found:e}, differing by {:e} of {scale:e} where {tolerance:e} is allowed",
        difference / scale
    );
}
