//! From a name to code compiled for one backend.

use burn::tensor::backend::AutodiffBackend;

#[allow(unused_imports)] // Some are not used where no backend is compiled in.
use crate::device::{Devices, only_cpu, pick};
use crate::{BackendError, BackendKind, DeviceInfo, kind::names};

/// Something to do on whatever backend was chosen.
///
/// Each job that is run is compiled once for every backend in the program.
pub trait Job {
    /// What it gives back.
    type Output;

    /// Does it.
    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output;
}

/// A backend and one of its devices, found on this machine and ready to run jobs.
#[derive(Debug, Clone)]
pub struct Selected {
    kind: BackendKind,
    info: DeviceInfo,
    device: AnyDevice,
}

/// A device of any backend in the program.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // There is one of them in a program.
enum AnyDevice {
    #[cfg(feature = "ndarray")]
    Ndarray(burn_ndarray::NdArrayDevice),
    #[cfg(feature = "flex")]
    Flex(burn_flex::FlexDevice),
    #[cfg(feature = "libtorch")]
    Libtorch(burn_tch::LibTorchDevice),
    #[cfg(feature = "wgpu-software")]
    Wgpu(burn_wgpu::WgpuDevice),
    #[cfg(any(feature = "vulkan", feature = "metal"))]
    NativeWgpu(burn_wgpu::WgpuDevice),
    #[cfg(feature = "cuda")]
    Cuda(burn_cuda::CudaDevice),
    #[cfg(feature = "rocm")]
    Rocm(burn_rocm::RocmDevice),
    #[cfg(feature = "cpu")]
    Cpu(burn_cpu::CpuDevice),
}

/// Finds a backend and one of its devices by name, which asks drivers; [`DEFAULT_DEVICE`](crate::DEFAULT_DEVICE) takes the
/// best.
///
/// # Errors
/// [`BackendError::NotCompiled`] where the program was built without the backend, [`BackendError::Unusable`] where this
/// machine lacks what it needs, [`BackendError::UnknownDevice`] where it has no such device.
pub fn select(kind: BackendKind, device: &str) -> Result<Selected, BackendError> {
    let devices = candidates(kind).ok_or_else(|| not_compiled(kind))?;
    let (device, info) = pick(kind, device, devices)?;
    Ok(Selected { kind, info, device })
}

impl Selected {
    /// The backend.
    pub fn kind(&self) -> BackendKind {
        self.kind
    }

    /// The device.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Runs a job.
    #[allow(unused_variables, unreachable_code)] // Where no backend is compiled in, there is nothing to run on.
    pub fn run<J: Job>(&self, job: J) -> J::Output {
        crate::prepare();
        match self.device.clone() {
            #[cfg(feature = "ndarray")]
            AnyDevice::Ndarray(device) => job.run::<crate::NdArray>(device),
            #[cfg(feature = "flex")]
            AnyDevice::Flex(device) => job.run::<crate::Flex>(device),
            #[cfg(feature = "libtorch")]
            AnyDevice::Libtorch(device) => {
                crate::prepare::throttle_libtorch(&device);
                job.run::<crate::LibTorch>(device)
            }
            #[cfg(feature = "wgpu")]
            AnyDevice::Wgpu(device) if !self.info.software => job.run::<crate::FusedWgpu>(device),
            #[cfg(feature = "wgpu-software")]
            AnyDevice::Wgpu(device) => job.run::<crate::Wgpu>(device),
            #[cfg(any(feature = "vulkan", feature = "metal"))]
            AnyDevice::NativeWgpu(device) => job.run::<crate::NativeWgpu>(device),
            #[cfg(feature = "cuda")]
            AnyDevice::Cuda(device) => job.run::<crate::Cuda>(device),
            #[cfg(feature = "rocm")]
            AnyDevice::Rocm(device) => job.run::<crate::Rocm>(device),
            #[cfg(feature = "cpu")]
            AnyDevice::Cpu(device) => job.run::<crate::Cpu>(device),
        }
    }
}

/// The devices that a backend has now, the default one first; `None` where the program was built without it.
fn candidates(kind: BackendKind) -> Option<Devices<AnyDevice>> {
    match kind {
        #[cfg(feature = "ndarray")]
        BackendKind::Ndarray => Some(only_cpu(AnyDevice::Ndarray(burn_ndarray::NdArrayDevice::Cpu))),
        #[cfg(feature = "flex")]
        BackendKind::Flex => Some(only_cpu(AnyDevice::Flex(burn_flex::FlexDevice))),
        #[cfg(feature = "libtorch")]
        BackendKind::Libtorch => Some(of(AnyDevice::Libtorch, crate::libtorch::devices())),
        #[cfg(feature = "wgpu-software")]
        BackendKind::Wgpu => Some(of(AnyDevice::Wgpu, crate::graphics::devices(kind))),
        #[cfg(feature = "vulkan")]
        BackendKind::Vulkan => Some(of(AnyDevice::NativeWgpu, crate::graphics::devices(kind))),
        #[cfg(feature = "metal")]
        BackendKind::Metal => Some(of(AnyDevice::NativeWgpu, crate::graphics::devices(kind))),
        #[cfg(feature = "cuda")]
        BackendKind::Cuda => Some(of(AnyDevice::Cuda, crate::accelerators::cuda())),
        #[cfg(feature = "rocm")]
        BackendKind::Rocm => Some(of(AnyDevice::Rocm, crate::accelerators::rocm())),
        #[cfg(feature = "cpu")]
        BackendKind::Cpu => Some(only_cpu(AnyDevice::Cpu(burn_cpu::CpuDevice))),
        #[allow(unreachable_patterns)] // Reached unless every backend is compiled in.
        _ => None,
    }
}

#[allow(dead_code, unused_variables, unreachable_code)] // Not called in every build.
fn of<D>(wrap: fn(D) -> AnyDevice, devices: Devices<D>) -> Devices<AnyDevice> {
    devices.map(|devices| devices.into_iter().map(|(device, info)| (wrap(device), info)).collect())
}

/// What [`select`] chooses from: the devices that a backend has now, the default one first; `None` where the program was built
/// without it.
pub(crate) fn devices(kind: BackendKind) -> Option<Result<Vec<DeviceInfo>, String>> {
    let infos = |devices: Vec<(AnyDevice, DeviceInfo)>| devices.into_iter().map(|(_, info)| info).collect();
    Some(candidates(kind)?.map(infos))
}

fn not_compiled(kind: BackendKind) -> BackendError {
    BackendError::NotCompiled {
        kind: kind.name(),
        compiled: names(BackendKind::ALL.into_iter().filter(|kind| kind.is_compiled())),
    }
}
