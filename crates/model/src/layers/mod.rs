//! Layers over feature maps, with the weights of PyTorch's.

mod across_images;
mod activation;
mod adjoint;
mod batch_norm;
mod buffers;
mod conv;
mod conv_transpose;
mod cost;
mod embedding;
mod feature_map;
mod fused;
mod im2col;
mod init;
mod initialization;
mod layer_norm;
mod linear;
mod matrix;
mod normalization;
mod pass;
mod pixel_map;
mod resample;
mod spectral_norm;

pub use across_images::{minibatch_stddev, pack};
pub use activation::Activation;
pub(crate) use adjoint::{Adjoint, UNKNOWN};
pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use buffers::BufferUpdates;
pub use conv::{Conv2d, ConvConfig};
pub use conv_transpose::ConvTranspose2d;
pub use cost::{Cost, step_operations};
pub use embedding::{ClassAffine, Embedding, one_hot};
pub use feature_map::FeatureMap;
pub use fused::{
    FusedLayers, FusedUpdates, LayerCall, Lowering, Update, fused_layers_in_use, fused_updates, install_fused_layers,
    install_fused_updates, primitive, tensor, without_fused,
};
pub use im2col::Window;
pub use init::Init;
pub use initialization::{Fans, Initialization};
pub use layer_norm::LayerNorm;
pub(crate) use linear::add_bias;
pub use linear::{Linear, columns};
pub(crate) use matrix::transposed;
pub(crate) use normalization::Norm;
pub use normalization::Normalization;
pub use pass::Pass;
pub use pixel_map::PixelMap;
pub use resample::{double, halve};
pub use spectral_norm::SpectralNorm;
