//! From a name to code compiled for one backend.

use burn::tensor::backend::AutodiffBackend;

use crate::{BackendError, BackendKind, kind::names};

/// Something to do on whatever backend was chosen.
///
/// Each job that is given to [`run`] is compiled once for every backend in the program, so a program does well to have
/// one job with variants rather than many jobs.
pub trait Job {
    /// What it gives back.
    type Output;

    /// Does it.
    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output;
}

/// Runs a job on a backend and one of its devices.
///
/// # Errors
/// [`BackendError::NotCompiled`] where the program was built without the backend, [`BackendError::UnknownDevice`] where
/// the backend has no such device.
pub fn run<J: Job>(kind: BackendKind, device: &str, job: J) -> Result<J::Output, BackendError> {
    // Without any backend feature nothing uses them.
    let _ = (&device, &job);
    match kind {
        #[cfg(feature = "ndarray")]
        BackendKind::Ndarray => {
            only_cpu(kind, device)?;
            Ok(job.run::<crate::NdArray>(burn_ndarray::NdArrayDevice::Cpu))
        }
        #[cfg(feature = "flex")]
        BackendKind::Flex => {
            only_cpu(kind, device)?;
            Ok(job.run::<crate::Flex>(burn_flex::FlexDevice))
        }
        #[allow(unreachable_patterns)] // Reached unless every backend is compiled in.
        missing => Err(BackendError::NotCompiled {
            kind: missing.name(),
            compiled: names(BackendKind::ALL.into_iter().filter(|kind| kind.is_compiled())),
        }),
    }
}

#[cfg(any(feature = "ndarray", feature = "flex"))]
fn only_cpu(kind: BackendKind, device: &str) -> Result<(), BackendError> {
    if device == "cpu" {
        return Ok(());
    }
    Err(BackendError::UnknownDevice {
        kind: kind.name(),
        found: device.to_owned(),
        expected: "`cpu`",
    })
}

/// Tells whether [`run`] would find this backend and device.
///
/// # Errors
/// As [`run`].
pub fn check(kind: BackendKind, device: &str) -> Result<(), BackendError> {
    struct Nothing;
    impl Job for Nothing {
        type Output = ();
        fn run<B: AutodiffBackend>(self, _device: B::Device) {}
    }
    run(kind, device, Nothing)
}
