//! From a name to code compiled for one backend.

use burn::tensor::backend::AutodiffBackend;

#[allow(unused_imports)] // Some are not used where no backend is compiled in.
use crate::device::{Devices, only_cpu, pick};
use crate::{BackendError, BackendKind, DeviceInfo, kind::names};

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

/// Runs a job on a backend and one of its devices, by name; [`DEFAULT_DEVICE`](crate::DEFAULT_DEVICE) takes the best.
///
/// # Errors
/// [`BackendError::NotCompiled`] where the program was built without the backend, [`BackendError::Unusable`] where this
/// machine lacks what it needs, [`BackendError::UnknownDevice`] where it has no such device.
pub fn run<J: Job>(kind: BackendKind, device: &str, job: J) -> Result<J::Output, BackendError> {
    crate::prepare();
    // Without any backend feature nothing uses them.
    let _ = (&device, &job);
    match kind {
        #[cfg(feature = "ndarray")]
        BackendKind::Ndarray => {
            Ok(job.run::<crate::NdArray>(pick(kind, device, only_cpu(burn_ndarray::NdArrayDevice::Cpu))?.0))
        }
        #[cfg(feature = "flex")]
        BackendKind::Flex => Ok(job.run::<crate::Flex>(pick(kind, device, only_cpu(burn_flex::FlexDevice))?.0)),
        #[cfg(feature = "libtorch")]
        BackendKind::Libtorch => Ok(job.run::<crate::LibTorch>(pick(kind, device, crate::libtorch::devices())?.0)),
        #[cfg(feature = "wgpu")]
        BackendKind::Wgpu => {
            let (device, info) = pick(kind, device, crate::graphics::devices(kind))?;
            Ok(if info.software {
                job.run::<crate::Wgpu>(device)
            } else {
                job.run::<crate::FusedWgpu>(device)
            })
        }
        #[cfg(feature = "vulkan")]
        BackendKind::Vulkan => Ok(job.run::<crate::NativeWgpu>(pick(kind, device, crate::graphics::devices(kind))?.0)),
        #[cfg(feature = "metal")]
        BackendKind::Metal => Ok(job.run::<crate::NativeWgpu>(pick(kind, device, crate::graphics::devices(kind))?.0)),
        #[cfg(feature = "cuda")]
        BackendKind::Cuda => Ok(job.run::<crate::Cuda>(pick(kind, device, crate::accelerators::cuda())?.0)),
        #[cfg(feature = "rocm")]
        BackendKind::Rocm => Ok(job.run::<crate::Rocm>(pick(kind, device, crate::accelerators::rocm())?.0)),
        #[cfg(feature = "cpu")]
        BackendKind::Cpu => Ok(job.run::<crate::Cpu>(pick(kind, device, only_cpu(burn_cpu::CpuDevice))?.0)),
        #[allow(unreachable_patterns)] // Reached unless every backend is compiled in.
        missing => Err(not_compiled(missing)),
    }
}

/// Tells which device [`run`] would take.
///
/// # Errors
/// As [`run`].
pub fn find_device(kind: BackendKind, device: &str) -> Result<DeviceInfo, BackendError> {
    let devices = devices(kind).ok_or_else(|| not_compiled(kind))?;
    let with_nothing = devices.map(|infos| infos.into_iter().map(|info| ((), info)).collect());
    pick(kind, device, with_nothing).map(|((), info)| info)
}

/// The devices that a backend has now, the default one first; `None` where the program was built without it.
pub(crate) fn devices(kind: BackendKind) -> Option<Result<Vec<DeviceInfo>, String>> {
    match kind {
        #[cfg(feature = "ndarray")]
        BackendKind::Ndarray => Some(infos(only_cpu(burn_ndarray::NdArrayDevice::Cpu))),
        #[cfg(feature = "flex")]
        BackendKind::Flex => Some(infos(only_cpu(burn_flex::FlexDevice))),
        #[cfg(feature = "libtorch")]
        BackendKind::Libtorch => Some(infos(crate::libtorch::devices())),
        #[cfg(feature = "wgpu")]
        BackendKind::Wgpu => Some(infos(crate::graphics::devices(kind))),
        #[cfg(feature = "vulkan")]
        BackendKind::Vulkan => Some(infos(crate::graphics::devices(kind))),
        #[cfg(feature = "metal")]
        BackendKind::Metal => Some(infos(crate::graphics::devices(kind))),
        #[cfg(feature = "cuda")]
        BackendKind::Cuda => Some(infos(crate::accelerators::cuda())),
        #[cfg(feature = "rocm")]
        BackendKind::Rocm => Some(infos(crate::accelerators::rocm())),
        #[cfg(feature = "cpu")]
        BackendKind::Cpu => Some(infos(only_cpu(burn_cpu::CpuDevice))),
        #[allow(unreachable_patterns)] // Reached unless every backend is compiled in.
        _ => None,
    }
}

#[allow(dead_code)] // Not called where no backend is compiled in.
fn infos<D>(devices: Devices<D>) -> Result<Vec<DeviceInfo>, String> {
    devices.map(|devices| devices.into_iter().map(|(_, info)| info).collect())
}

fn not_compiled(kind: BackendKind) -> BackendError {
    BackendError::NotCompiled {
        kind: kind.name(),
        compiled: names(BackendKind::ALL.into_iter().filter(|kind| kind.is_compiled())),
    }
}
