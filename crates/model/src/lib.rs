//! Networks and objectives for small-image GANs on [Burn](burn), generic over the backend.
//!
//! The crate depends on Burn alone among frameworks and draws no random number by itself: whoever builds a network
//! hands in the source of randomness ([`Init`]), so the same source gives the same weights on every backend.
//!
//! # Fast on processors
//!
//! **One line turns fused kernels on**, for processor backends (ndarray, flex, libtorch): `ganvas_backend::prepare();` at the
//! start of the program, with the crate `ganvas-backend` and your backend's feature as a dependency. Without it the layers are
//! made of Burn's single operations: a step of a 32×32 colour DCGAN takes about five times as long. The networks ask a registry by
//! the backend's type when they run, because generic code cannot be given a backend's own kernels otherwise.
//! [`fused_layers_in_use`] tells whether it worked.
//!
//! # Networks
//!
//! [`Generator`] and [`Discriminator`] are traits; [`Networks`] builds a pair from its settings. The families that ship
//! ([`BlogConfig`], [`DcganConfig`], [`MlpConfig`]) also stand behind one type, [`NetworkConfig`].
//!
//! Activations travel through a network as a [`FeatureMap`], `[channels, pixels, batch]`. On it a convolution is a gather
//! and a matrix product ([`Conv2d`]), a transposed convolution a matrix product and a scatter ([`ConvTranspose2d`]), and
//! batch normalization a reduction over pixels and images ([`BatchNorm`]). The weights have the shapes and names of
//! PyTorch's layers.
//!
//! A forward pass never changes a network. In training it returns [`BufferUpdates`], what running statistics and other buffers
//! want to become; whoever owns the network applies or drops them.
//!
//! # Objectives
//!
//! An [`Objective`] computes the losses of both networks from the networks and the [`Batch`], and reports numbers by name
//! ([`Report`]). [`AdversarialLoss`] ships; penalties and losses add up in a [`WeightedSum`].
//!
//! # For other programs
//!
//! [`Graph::of`] reads what a generator computes, operation by operation: what ONNX files and PyTorch modules are written from.
//!
//! # Example
//!
//! ```
//! use ganvas_model::{DcganConfig, Generator, ImageShape, Init, ModelError, Networks};
//!
//! fn sample<B: burn::tensor::backend::Backend>(
//!     z: burn::tensor::Tensor<B, 2>,
//!     rng: &mut dyn rand::RngCore,
//! ) -> Result<burn::tensor::Tensor<B, 4>, ModelError> {
//!     let config = DcganConfig { base_channels: 16, ..DcganConfig::default() };
//!     let generator = config.generator(ImageShape::new(1, 28, 28).into(), &mut Init::<B>::new(rng, &z.device()))?;
//!     Ok(generator.forward(z, None)) // [batch, 1, 28, 28], values in [-1, 1]
//! }
//! ```

mod autodiff_lock;
mod error;
mod graph;
mod image_shape;
mod layers;
mod networks;
mod objective;
mod weights;

pub use autodiff_lock::{AutodiffLock, autodiff_lock};
pub use error::ModelError;
pub use graph::{Graph, GraphBuilder, Node, Operation, Value, Weights};
pub use image_shape::{DataShape, ImageShape};
pub use layers::*;
pub use networks::*;
pub use objective::*;
pub use weights::{
    NamedTensor, apply_named_tensors, from_safetensors, host_values, named_tensors, to_safetensors, trainable_shapes,
};

/// The README's Rust code, compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
