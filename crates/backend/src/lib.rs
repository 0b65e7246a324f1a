//! The one place where ganvas names concrete Burn backends.
//!
//! A [`BackendKind`] is chosen by name at run time; [`run`] then runs a [`Job`], generic over the backend, on it. Which
//! backends are there is decided by cargo features, one for each.

mod error;
mod kind;
mod run;

pub use error::BackendError;
pub use kind::{BackendInfo, BackendKind, backends};
pub use run::{Job, check, run};

/// burn-ndarray with gradients, 32-bit floats.
#[cfg(feature = "ndarray")]
pub type NdArray = burn_autodiff::Autodiff<burn_ndarray::NdArray<f32>>;

/// burn-flex with gradients, 32-bit floats.
#[cfg(feature = "flex")]
pub type Flex = burn_autodiff::Autodiff<burn_flex::Flex>;
