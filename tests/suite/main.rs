//! The one suite of ganvas, generic over the backend, built once for each.
//!
//! `cargo xtask test-all-backends` builds it with one backend's cargo feature and names that backend's TOML file, with its
//! tolerances, in `GANVAS_TEST_BACKEND`.
//!
//! What the command says and takes is the same on every backend, so the modules about that alone are in the build for ndarray, where
//! a start takes the least time. What the loop does around its steps on the host (evaluators, hints, full disks, locks) is in those for ndarray, flex and libtorch:
//! each training takes a software adapter five seconds, and a GPU with tuned kernels longer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test that cannot go on should say so and stop.

/// Dry runs, benchmarks, the timings of a run.
mod benchmarks;
/// Checkpoints: round trips, damage noticed and named.
mod checkpoints;
/// Colours and the log's level, by arguments and environment.
#[cfg(target_os = "linux")]
#[cfg(feature = "ndarray")]
mod colours;
/// Every verb of the command, run as a process.
mod command;
/// Class-conditional networks against PyTorch's.
mod conditional;
/// Images of an asked class, by the command.
mod conditional_runs;
/// Images through Burn's own loader; of any shape, with labels or without; real MNIST where it is at hand.
mod data;
/// The folders of data sets: wrong ones, and downloads into them.
#[cfg(feature = "ndarray")]
mod data_folders;
/// Data sets on disk: layouts, checksums, names.
#[cfg(feature = "ndarray")]
mod data_sets;
/// A folder to run the command in.
mod desk;
/// Equal runs give equal bits, resumed or not; random numbers are the same on every backend.
mod determinism;
/// Numbers that are not finite.
mod divergence;
/// How good images are: scores of runs and samples.
mod evaluation;
/// What cannot be judged.
#[cfg(feature = "ndarray")]
mod evaluation_mistakes;
/// Evaluators, and the best checkpoint by what they report.
#[cfg(any(feature = "ndarray", feature = "flex", feature = "libtorch"))]
mod evaluators;
/// Runs of one backend on another.
mod exchange;
/// Generators for other programs.
mod export;
/// Second processes, links, changed configurations.
#[cfg(any(feature = "ndarray", feature = "flex", feature = "libtorch"))]
mod faults;
/// Checkpoints that somebody made up.
mod forged;
/// Disks that fill up.
#[cfg(any(feature = "ndarray", feature = "flex", feature = "libtorch"))]
mod full_disks;
/// Fused layers against Burn's operations.
#[cfg(any(feature = "ndarray", feature = "flex", feature = "libtorch"))]
mod fused;
/// Golden numbers and the formula that both sides start from.
mod golden;
/// Gradients against finite differences.
mod gradients;
/// What generators say of themselves.
#[cfg(feature = "ndarray")]
mod graph;
/// Signals, and the files that are being written.
#[cfg(unix)]
#[cfg(feature = "ndarray")]
mod half_files;
/// Signs that a training goes wrong.
#[cfg(any(feature = "ndarray", feature = "flex", feature = "libtorch"))]
mod health;
/// Help, version, completions, manual pages, and what is printed for programs.
#[cfg(feature = "ndarray")]
mod help;
/// Networks that penalties can be exact of.
mod input_gradients;
/// SIGKILL at random moments.
mod kills;
/// Smoothed labels, noise, augmentation, approximate penalties, schedules.
mod knobs;
/// Lowered convolutions against Keras and against `burn::nn`.
mod layers;
/// Losses: values, gradients, and what they do far out.
mod losses;
/// Memory does not grow.
mod memory;
/// Mistakes, and what is said of them.
#[cfg(feature = "ndarray")]
mod mistakes;
/// Images by seeds and by noise, and pictures that move.
#[cfg(feature = "ndarray")]
mod moving;
/// Networks: shapes, names, statistics.
mod networks;
/// Objectives that add up.
mod objectives;
/// What moves the weights, against PyTorch's optimizers, and through a resume.
mod optimizers;
/// Files outside of run directories.
#[cfg(feature = "ndarray")]
mod outputs;
/// The crate of a user's own.
#[cfg(feature = "ndarray")]
mod own_gan;
/// Images of one's own.
#[cfg(feature = "ndarray")]
mod own_images;
/// Thirty training steps against Keras.
mod parity;
/// Penalties on gradients, against double backpropagation.
mod penalties;
/// Terminals for the command to run in.
#[cfg(target_os = "linux")]
#[cfg(feature = "ndarray")]
mod pty;
/// Numbers of quality while training, and who they are by.
#[cfg(feature = "ndarray")]
mod quality;
/// Readers that leave, and disks that are full: nobody has to read what is said.
#[cfg(target_os = "linux")]
#[cfg(feature = "ndarray")]
mod readers_leave;
/// README's lines.
#[cfg(feature = "ndarray")]
mod readme;
/// The reference of experiment files and their schemas.
#[cfg(feature = "ndarray")]
mod reference;
/// `ganvas info`, and what is printed for programs.
#[cfg(feature = "ndarray")]
mod reports;
/// Residual networks against PyTorch's.
mod resnet;
/// The words for runs and checkpoints.
#[cfg(feature = "ndarray")]
mod run_words;
/// What changes in the course of a run.
mod schedules;
/// Experiments and backends by name.
#[cfg(feature = "ndarray")]
mod shipped;
/// Ctrl-C and SIGTERM.
#[cfg(unix)]
mod signals;
/// Signals that the parent ignored, and signals that come twice.
#[cfg(unix)]
#[cfg(feature = "ndarray")]
mod signals_ignored;
/// What is on a terminal, and what is in a pipe instead.
#[cfg(target_os = "linux")]
#[cfg(feature = "ndarray")]
mod terminal;
/// Three training steps against Keras.
mod three_steps;
/// Local time in names and records.
#[cfg(feature = "ndarray")]
mod time_zones;

use std::{
    any::Any,
    cell::OnceCell,
    fs,
    path::PathBuf,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use burn::tensor::{Device, backend::AutodiffBackend};
use ganvas_backend::Job;
use ganvas_model::{AutodiffLock, autodiff_lock};
use ganvas_training::{BackendFile, load_backend_file};

/// One line for each backend: its feature, its name, its type. Where several features are on, the first line counts.
macro_rules! backend_under_test {
    (@after [$($earlier:meta),*]) => {};
    (@after [$($earlier:meta),*] $condition:meta => $kind:literal, $backend:ty; $($rest:tt)*) => {
        #[cfg(all($condition, not(any($($earlier),*))))]
        type B = $backend;
        #[cfg(all($condition, not(any($($earlier),*))))]
        const KIND: &str = $kind;
        backend_under_test!(@after [$($earlier,)* $condition] $($rest)*);
    };
    ($($lines:tt)*) => {
        backend_under_test!(@after [] $($lines)*);
    };
}

backend_under_test! {
    feature = "ndarray" => "ndarray", ganvas_backend::NdArray;
    feature = "flex" => "flex", ganvas_backend::Flex;
    feature = "libtorch" => "libtorch", ganvas_backend::LibTorch;
    all(feature = "wgpu", not(feature = "fused")) => "wgpu", ganvas_backend::Wgpu;
    all(feature = "wgpu", feature = "fused") => "wgpu", ganvas_backend::FusedWgpu;
    feature = "vulkan" => "vulkan", ganvas_backend::NativeWgpu;
    feature = "metal" => "metal", ganvas_backend::NativeWgpu;
    feature = "cuda" => "cuda", ganvas_backend::Cuda;
    feature = "rocm" => "rocm", ganvas_backend::Rocm;
    feature = "cpu" => "cpu", ganvas_backend::Cpu;
}

/// True where kernels are burn-cubecl's.
const ON_CUBECL: bool = !matches!(KIND.as_bytes(), b"ndarray" | b"flex" | b"libtorch");

/// Kills, full disks and forged files meet the code of runs and checkpoints, which is the same for all: they are tried at every place on ndarray, where a
/// start takes the least time, and at a few on the others.
const AT_EVERY_PLACE: bool = matches!(KIND.as_bytes(), b"ndarray");

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

/// The files of the experiments that ship.
fn experiments() -> Vec<PathBuf> {
    let entries = fs::read_dir(workspace().join("configs")).expect("the folder of experiments");
    let files = entries.map(|entry| entry.expect("an entry of a folder").path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect()
}

/// The device that the TOML file names.
static DEVICE: LazyLock<Device<B>> = LazyLock::new(|| {
    struct Find;
    impl Job for Find {
        type Output = Box<dyn Any>;
        fn run<X: AutodiffBackend>(self, device: X::Device) -> Box<dyn Any> {
            Box::new(device)
        }
    }
    let section = &BACKEND.backend;
    let selected = ganvas_backend::select(section.kind.parse().unwrap(), &section.device);
    let found = selected.expect("the backend's device").run(Find);
    *found.downcast().expect("a device of the backend under test")
});

#[allow(clippy::clone_on_copy)] // On some backends it is Copy, on others not.
fn device() -> Device<B> {
    take_turn();
    DEVICE.clone()
}

/// burn-cubecl computes for all threads of a process at once, and under load one of two trainings side by side may end with other last
/// digits than alone (docs/backends.md). There, the tests that compute in this process take turns: the harness has a thread for each test,
/// and with the thread the turn ends.
fn take_turn() {
    static TURN: Mutex<()> = Mutex::new(());
    thread_local! {
        static MINE: OnceCell<MutexGuard<'static, ()>> = const { OnceCell::new() };
    }
    if ON_CUBECL {
        MINE.with(|mine| {
            mine.get_or_init(|| TURN.lock().unwrap_or_else(PoisonError::into_inner));
        });
    }
}

/// For as long as a test has a graph (`autodiff_lock`). Its turn comes first: who has the lock and waits for a turn would wait for one that
/// waits for the lock.
fn lock() -> AutodiffLock {
    take_turn();
    autodiff_lock()
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
