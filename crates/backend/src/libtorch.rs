//! The devices of the libtorch that this program was linked with.

use burn_tch::LibTorchDevice;

use crate::{DeviceInfo, device::Devices};

/// The processor, then what this libtorch was built for and finds: CUDA's GPUs, Apple's.
///
/// The processor stands first, so it is the default: equal seeds give equal bits there.
#[allow(clippy::unnecessary_wraps)] // As the other backends have it.
pub(crate) fn devices() -> Devices<LibTorchDevice> {
    let mut devices = vec![(LibTorchDevice::Cpu, DeviceInfo::plain("cpu"))];
    if tch::Cuda::is_available() {
        for index in 0..usize::try_from(tch::Cuda::device_count()).unwrap_or_default() {
            devices.push((LibTorchDevice::Cuda(index), DeviceInfo::plain(format!("cuda:{index}"))));
        }
    }
    if tch::utils::has_mps() {
        devices.push((LibTorchDevice::Mps, DeviceInfo::plain("mps")));
    }
    Ok(devices)
}
