//! What makes a backend fast, chosen by measurement, in one place.

/// Gives the networks the layers that are fastest on each compiled-in backend; [`Selected::run`](crate::Selected::run) does it by itself.
///
/// | backend | layers | why (docs/speed.md has the figures) |
/// |---|---|---|
/// | ndarray, flex | [`ganvas_cpu`] | Burn's elementwise loops run on one thread there, and each makes a new tensor |
/// | libtorch on the processor | [`ganvas_cpu`] | a pass over memory for each operation; MKL's products are slower than the `gemm` crate's on AMD |
/// | everything on GPUs | Burn's operations | fusion makes single kernels of them |
///
/// A program that runs on libtorch's processor without [`Selected::run`](crate::Selected::run) should also call
/// `tch::set_num_threads(1)`: the fused kernels have threads of their own.
pub fn prepare() {
    #[cfg(feature = "ndarray")]
    ganvas_cpu::install::<burn_ndarray::NdArray<f32>, crate::cpu_memory::NdArrayMemory>();
    #[cfg(feature = "flex")]
    ganvas_cpu::install::<burn_flex::Flex, crate::cpu_memory::FlexMemory>();
    #[cfg(feature = "libtorch")]
    ganvas_cpu::install::<burn_tch::LibTorch<f32>, crate::cpu_memory::LibTorchMemory>();
}

/// Leaves the processor to the fused layers where they run on libtorch's tensors: they have threads of their own, and libtorch's
/// wait for work in a loop on the processors that those need. With them a step of configs/dcgan.toml takes nearly twice as long.
///
/// On GPUs libtorch's own operations are used, and its threads stay as they are.
#[cfg(feature = "libtorch")]
pub(crate) fn throttle_libtorch(device: &burn_tch::LibTorchDevice) {
    use ganvas_cpu::CpuMemory;
    if crate::cpu_memory::LibTorchMemory::reaches(device) {
        tch::set_num_threads(1);
    }
}
