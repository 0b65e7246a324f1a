//! Layers over feature maps, with the weights of PyTorch's.

mod activation;
mod adjoint;
mod batch_norm;
mod buffers;
mod conv;
mod conv_transpose;
mod cost;
mod feature_map;
mod fused;
mod im2col;
mod init;
mod initialization;
mod linear;
mod normalization;
mod pass;

pub use activation::Activation;
pub(crate) use adjoint::{Adjoint, UNKNOWN};
pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use buffers::BufferUpdates;
pub use conv::{Conv2d, ConvConfig};
pub use conv_transpose::ConvTranspose2d;
pub use cost::{Cost, step_operations};
pub use feature_map::FeatureMap;
pub use fused::{
    AdamConstants, FusedLayers, FusedUpdates, LayerCall, Lowering, fused_layers_in_use, fused_updates,
    install_fused_layers, install_fused_updates, primitive, tensor, without_fused,
};
pub use im2col::Window;
pub use init::Init;
pub use initialization::{Fans, Initialization};
pub use linear::{Linear, columns};
pub use normalization::Normalization;
pub use pass::Pass;
