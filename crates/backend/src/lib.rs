//! The one place where ganvas names concrete Burn backends.
//!
//! A [`BackendKind`] is chosen by name at run time; [`select`] finds it and one of its devices, and [`Selected::run`] runs a
//! [`Job`], generic over the backend, there. A program that names its backend itself calls [`prepare`] once, which gives the
//! networks of `ganvas_model` their fused kernels on processors. Which backends are there is decided by cargo features, one for
//! each; [`backends`] reports which of them can be used here and on what.

#[cfg(any(feature = "cuda", feature = "rocm"))]
mod accelerators;
#[cfg(any(feature = "ndarray", feature = "flex", feature = "libtorch"))]
mod cpu_memory;
mod device;
mod error;
#[cfg(feature = "wgpu-software")]
mod graphics;
mod kind;
#[cfg(feature = "libtorch")]
mod libtorch;
mod prepare;
mod report;
mod run;

pub use device::{DEFAULT_DEVICE, DeviceInfo};
pub use error::BackendError;
pub use kind::BackendKind;
pub use prepare::prepare;
pub use report::{BackendReport, backends};
pub use run::{Job, Selected, select};

/// burn-ndarray with gradients, 32-bit floats.
#[cfg(feature = "ndarray")]
pub type NdArray = burn_autodiff::Autodiff<burn_ndarray::NdArray<f32>>;

/// burn-flex with gradients, 32-bit floats.
#[cfg(feature = "flex")]
pub type Flex = burn_autodiff::Autodiff<burn_flex::Flex>;

/// burn-tch with gradients, 32-bit floats.
#[cfg(feature = "libtorch")]
pub type LibTorch = burn_autodiff::Autodiff<burn_tch::LibTorch<f32>>;

/// burn-wgpu with gradients, 32-bit floats, every operation a kernel of its own: for software adapters, where compiling
/// kernels costs more than running them.
#[cfg(feature = "wgpu-software")]
pub type Wgpu = burn_autodiff::Autodiff<burn_wgpu::CubeBackend<burn_wgpu::WgpuRuntime, f32, i32, u32>>;

/// burn-wgpu with gradients, 32-bit floats, operations fused into tuned kernels: for GPUs.
#[cfg(feature = "wgpu")]
pub type FusedWgpu = burn_autodiff::Autodiff<burn_wgpu::Wgpu>;

/// burn-wgpu with gradients, 32-bit floats, kernels in the language of the one interface that it is for, fused and tuned.
#[cfg(any(feature = "vulkan", feature = "metal"))]
pub type NativeWgpu = burn_autodiff::Autodiff<burn_wgpu::Wgpu<f32, i32, u8>>;

/// burn-cuda with gradients, 32-bit floats, fused and tuned.
#[cfg(feature = "cuda")]
pub type Cuda = burn_autodiff::Autodiff<burn_cuda::Cuda<f32, i32>>;

/// burn-rocm with gradients, 32-bit floats, fused and tuned.
#[cfg(feature = "rocm")]
pub type Rocm = burn_autodiff::Autodiff<burn_rocm::Rocm<f32, i32>>;

/// burn-cpu with gradients, 32-bit floats.
#[cfg(feature = "cpu")]
pub type Cpu = burn_autodiff::Autodiff<burn_cpu::Cpu<f32, i32>>;
