//! Networks and losses for small-image GANs on [Burn](burn), generic over the backend.
//!
//! The crate depends on Burn alone among frameworks and draws no random number by itself: whoever builds a network
//! hands in the source of randomness, so the same source gives the same weights on every backend.
//!
//! # Layers
//!
//! Activations travel through a network as a [`FeatureMap`], `[channels, pixels, batch]`. On it a convolution is a gather
//! and a matrix product ([`Conv2d`]), a transposed convolution a matrix product and a scatter ([`ConvTranspose2d`]), and
//! batch normalization a reduction over pixels and images ([`BatchNorm`]). The weights have the shapes and names of
//! PyTorch's layers.
//!
//! # Training and inference
//!
//! On an autodiff backend batch normalization uses the statistics of the batch; on a plain one (a network made with
//! [`valid`](burn::module::AutodiffModule::valid)) the running ones. A forward pass never changes a network:
//! [`Generator::forward_training`] returns the [`BatchStatistics`] that it saw, and [`Generator::track`] moves the
//! running statistics with them.
//!
//! # Example
//!
//! ```
//! use ganvas_model::{ImageShape, NetworkConfig, NetworkKind};
//!
//! fn sample<B: burn::tensor::backend::Backend>(
//!     z: burn::tensor::Tensor<B, 2>,
//!     rng: &mut dyn rand::RngCore,
//! ) -> Result<burn::tensor::Tensor<B, 4>, ganvas_model::ModelError> {
//!     let config = NetworkConfig::new(NetworkKind::Dcgan, ImageShape::new(1, 28, 28)).with_base_channels(16);
//!     let generator = config.generator::<B>(rng, &z.device())?;
//!     Ok(generator.forward(z)) // [batch, 1, 28, 28], values in [-1, 1]
//! }
//! ```

mod activation;
mod batch_norm;
mod blog;
mod conv;
mod conv_transpose;
mod cost;
mod dcgan;
mod error;
mod feature_map;
mod fused;
mod image_shape;
mod initialization;
mod linear;
mod loss;
mod mlp;
mod network;
mod patches;
mod weights;

pub use activation::Activation;
pub use batch_norm::{BatchNorm, BatchNormConfig, BatchStatistics};
pub use blog::{BlogDiscriminator, BlogGenerator};
pub use conv::{Conv2d, ConvConfig};
pub use conv_transpose::ConvTranspose2d;
pub use cost::{Cost, LayerCost};
pub use dcgan::{DcganDiscriminator, DcganGenerator};
pub use error::ModelError;
pub use feature_map::FeatureMap;
pub use fused::{
    AdamConstants, FusedLayers, FusedUpdates, Lowering, fused_updates, install_fused_layers, install_fused_updates,
    primitive, tensor, without_fused,
};
pub use image_shape::ImageShape;
pub use initialization::Initialization;
pub use linear::Linear;
pub use loss::Loss;
pub use mlp::{MlpDiscriminator, MlpGenerator};
pub use network::{Discriminator, Generator, NetworkConfig, NetworkKind};
pub use patches::Window;
pub use weights::{NamedTensor, apply_named_tensors, from_safetensors, host_values, named_tensors, to_safetensors};

/// The README's Rust code, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
