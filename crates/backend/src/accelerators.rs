//! The devices of backends that load their drivers while they run: CUDA and ROCm.

use std::panic;

use burn::tensor::backend::Backend;

use crate::{DeviceInfo, device::Devices};

#[cfg(feature = "cuda")]
pub(crate) fn cuda() -> Devices<burn_cuda::CudaDevice> {
    numbered::<burn_cuda::Cuda<f32, i32>>("cuda", "NVIDIA's driver and CUDA 12 or newer", |index| {
        burn_cuda::CudaDevice { index }
    })
}

#[cfg(feature = "rocm")]
pub(crate) fn rocm() -> Devices<burn_rocm::RocmDevice> {
    numbered::<burn_rocm::Rocm<f32, i32>>("rocm", "AMD's driver and ROCm", |index| burn_rocm::RocmDevice { index })
}

/// The devices `NAME:0`, `NAME:1`, … of a backend, as many as it counts.
fn numbered<B: Backend>(name: &str, needs: &str, device: fn(usize) -> B::Device) -> Devices<B::Device> {
    // Without its driver such a backend panics when it is first asked for anything; here that is an answer.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let count = panic::catch_unwind(|| B::device_count(0));
    panic::set_hook(hook);
    match count {
        Ok(count) if count > 0 => Ok((0..count)
            .map(|index| {
                let info = DeviceInfo::plain(format!("{name}:{index}"));
                (device(index), info)
            })
            .collect()),
        _ => Err(format!("no device was found; it needs {needs}")),
    }
}
