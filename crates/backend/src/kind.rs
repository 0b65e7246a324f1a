//! The backends by name.

use std::str::FromStr;

use crate::BackendError;

/// A backend that ganvas knows, compiled in or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BackendKind {
    /// burn-ndarray: pure Rust, compiles fast.
    Ndarray,
    /// burn-flex: pure Rust, the successor of burn-ndarray.
    Flex,
    /// burn-tch: PyTorch's own library.
    Libtorch,
    /// burn-wgpu: GPUs through Vulkan, Metal or DirectX 12, and software adapters.
    Wgpu,
    /// burn-wgpu with kernels in SPIR-V, for Vulkan only.
    Vulkan,
    /// burn-wgpu with kernels in Metal's own language, for macOS only.
    Metal,
    /// burn-cuda: NVIDIA's GPUs through CUDA.
    Cuda,
    /// burn-rocm: AMD's GPUs through ROCm.
    Rocm,
    /// burn-cpu: kernels of the GPU backends, compiled for the processor.
    Cpu,
}

impl BackendKind {
    /// Every backend.
    pub const ALL: [Self; 9] = [
        Self::Ndarray,
        Self::Flex,
        Self::Libtorch,
        Self::Wgpu,
        Self::Vulkan,
        Self::Metal,
        Self::Cuda,
        Self::Rocm,
        Self::Cpu,
    ];

    /// The name in TOML files, which is also the cargo feature's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndarray => "ndarray",
            Self::Flex => "flex",
            Self::Libtorch => "libtorch",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
            Self::Cpu => "cpu",
        }
    }

    /// True where this program was built with it.
    pub const fn is_compiled(self) -> bool {
        match self {
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Flex => cfg!(feature = "flex"),
            Self::Libtorch => cfg!(feature = "libtorch"),
            Self::Wgpu => cfg!(feature = "wgpu-software"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
            Self::Cpu => cfg!(feature = "cpu"),
        }
    }

    /// True where [`prepare`](crate::prepare) gives the networks fused kernels of our own, on processors.
    pub const fn has_fused_kernels(self) -> bool {
        matches!(self, Self::Ndarray | Self::Flex | Self::Libtorch)
    }

    /// What it is, in one line.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Ndarray => "pure Rust (burn-ndarray), compiles soonest",
            Self::Flex => "pure Rust (burn-flex)",
            Self::Libtorch => "PyTorch's library (burn-tch)",
            Self::Wgpu => "GPUs through Vulkan, Metal or DirectX 12 (burn-wgpu)",
            Self::Vulkan => "GPUs through Vulkan, kernels in SPIR-V (burn-wgpu)",
            Self::Metal => "Apple's GPUs, kernels in Metal's language (burn-wgpu)",
            Self::Cuda => "NVIDIA's GPUs (burn-cuda)",
            Self::Rocm => "AMD's GPUs (burn-rocm)",
            Self::Cpu => "GPU kernels compiled for the processor (burn-cpu)",
        }
    }
}

impl FromStr for BackendKind {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| BackendError::UnknownKind {
                found: name.to_owned(),
                expected: names(Self::ALL),
            })
    }
}

/// Names for a message: `a`, `b`.
pub(crate) fn names(kinds: impl IntoIterator<Item = BackendKind>) -> String {
    let quoted: Vec<String> = kinds.into_iter().map(|kind| format!("`{}`", kind.name())).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_their_kinds() {
        for kind in BackendKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_that_there_are() {
        let error = "ndaray".parse::<BackendKind>().unwrap_err().to_string();
        assert!(
            error.starts_with("unknown backend `ndaray`, expected one of `ndarray`, `flex`, "),
            "{error}"
        );
    }
}
