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
    {
        make_products_reproducible();
        ganvas_cpu::install::<burn_tch::LibTorch<f32>, crate::cpu_memory::LibTorchMemory>();
    }
}

/// Has MKL compute products in one way wherever their numbers lie in memory, before it computes the first. By itself it takes another way, with other
/// roundings, for other alignments on Intel's processors, so a training side by side with others, or gone on with, would end with other bits. It is slower
/// so, and hardly matters: the products of the layers are not MKL's. `MKL_CBWR` in the environment wins (oneMKL's developer guide, "Conditional Numerical
/// Reproducibility").
#[cfg(feature = "libtorch")]
fn make_products_reproducible() {
    // The constant MKL_CBWR_COMPATIBLE: the one mode that also AMD's processors have, whatever the alignment.
    #[cfg(unix)]
    const COMPATIBLE: std::ffi::c_int = 3;
    #[cfg(unix)]
    if std::env::var_os("MKL_CBWR").is_none() {
        // SAFETY: a search by a name that ends in zero. A libtorch without MKL does not have it.
        #[allow(unsafe_code)]
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"mkl_serv_cbwr_set".as_ptr()) };
        if !found.is_null() {
            // SAFETY: `int mkl_serv_cbwr_set(int)` is what MKL's `mkl_cbwr_set(int)` calls; it says by its result whether it came too late.
            #[allow(unsafe_code)]
            unsafe {
                let set: extern "C" fn(std::ffi::c_int) -> std::ffi::c_int = std::mem::transmute(found);
                set(COMPATIBLE);
            }
        }
    }
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
