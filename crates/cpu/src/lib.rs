//! The layers of [`ganvas_model`]'s networks on processors, fused.
//!
//! Written with Burn's operations, a layer passes over memory a dozen times on its forward and backward pass, each time into new
//! memory, and most of Burn's loops on processors run on one thread. [`CpuLayers`] does what belongs together in one pass: bias and
//! activation, batch normalization and activation, their gradients and the sums that the parameters' gradients are. The products are
//! those of the `gemm` crate, straight into the tensors.
//!
//! It works on every backend whose tensors lie in the processor's memory; [`CpuMemory`] says how to get there. The numbers are
//! those of Burn's operations up to rounding, and the same from run to run, on any number of threads.

mod activation;
mod activation_gradient;
mod im2col;
mod image_affine;
mod layer;
mod layer_norm;
mod memory;
mod norm;
mod parallel;
mod pixel_map;
mod product;
mod rows;
mod tracked;
mod uninit;
mod updates;

use std::{marker::PhantomData, sync::Arc};

use burn::tensor::{backend::Backend, ops::FloatTensor};
use burn_autodiff::Autodiff;
use ganvas_model::{Activation, FusedLayers, LayerCall, PixelMap, install_fused_layers, install_fused_updates};

pub use memory::{CpuMemory, vector, written_by};
pub use uninit::Uninit;

/// The layers on a backend `B` whose memory `M` reaches.
#[derive(Debug)]
pub struct CpuLayers<B, M> {
    types: PhantomData<fn(B, M)>,
}

impl<B, M> Default for CpuLayers<B, M> {
    fn default() -> Self {
        Self { types: PhantomData }
    }
}

/// The layers on the plain backend, without a backward pass.
#[derive(Debug)]
struct Inference<B, M>(CpuLayers<B, M>);

impl<B: Backend, M: CpuMemory<B>> FusedLayers<B> for Inference<B, M> {
    fn supports(&self, device: &B::Device) -> bool {
        M::reaches(device)
    }

    fn layer(&self, call: LayerCall<B>) -> FloatTensor<B> {
        layer::infer::<B, M>(call)
    }

    fn batch_norm(
        &self,
        input: FloatTensor<B>,
        scale: FloatTensor<B>,
        shift: FloatTensor<B>,
        epsilon: f32,
        activation: Activation,
    ) -> [FloatTensor<B>; 3] {
        norm::normalize::<B, M>(input, scale, shift, epsilon, activation).0
    }

    fn layer_norm(
        &self,
        input: FloatTensor<B>,
        scale: FloatTensor<B>,
        shift: FloatTensor<B>,
        epsilon: f32,
        activation: Activation,
    ) -> FloatTensor<B> {
        layer_norm::normalize::<B, M>(input, scale, shift, epsilon, activation).0
    }

    fn image_affine(
        &self,
        input: FloatTensor<B>,
        scale: FloatTensor<B>,
        shift: FloatTensor<B>,
        activation: Activation,
    ) -> FloatTensor<B> {
        image_affine::apply::<B, M>(input, scale, shift, activation).0
    }

    fn map_pixels(&self, input: FloatTensor<B>, map: Arc<PixelMap>) -> FloatTensor<B> {
        pixel_map::infer::<B, M>(input, &map)
    }

    fn activation_gradient(
        &self,
        gradient: FloatTensor<B>,
        output: FloatTensor<B>,
        activation: Activation,
    ) -> FloatTensor<B> {
        activation_gradient::infer::<B, M>(gradient, output, activation)
    }
}

/// From now on networks on `Autodiff<B>` are trained with these layers, and weights on `B` updated in one pass.
pub fn install<B: Backend, M: CpuMemory<B>>() {
    install_fused_layers::<Autodiff<B>>(Arc::new(CpuLayers::<B, M>::default()));
    install_fused_layers::<B>(Arc::new(Inference(CpuLayers::<B, M>::default())));
    install_fused_updates::<B>(Arc::new(CpuLayers::<B, M>::default()));
}

impl<B: Backend, M: CpuMemory<B>> FusedLayers<Autodiff<B>> for CpuLayers<B, M> {
    fn supports(&self, device: &B::Device) -> bool {
        M::reaches(device)
    }

    fn layer(&self, call: LayerCall<Autodiff<B>>) -> FloatTensor<Autodiff<B>> {
        layer::layer::<B, M>(call)
    }

    fn batch_norm(
        &self,
        input: FloatTensor<Autodiff<B>>,
        scale: FloatTensor<Autodiff<B>>,
        shift: FloatTensor<Autodiff<B>>,
        epsilon: f32,
        activation: Activation,
    ) -> [FloatTensor<Autodiff<B>>; 3] {
        norm::batch_norm::<B, M>(input, scale, shift, epsilon, activation)
    }

    fn layer_norm(
        &self,
        input: FloatTensor<Autodiff<B>>,
        scale: FloatTensor<Autodiff<B>>,
        shift: FloatTensor<Autodiff<B>>,
        epsilon: f32,
        activation: Activation,
    ) -> FloatTensor<Autodiff<B>> {
        layer_norm::layer_norm::<B, M>(input, scale, shift, epsilon, activation)
    }

    fn image_affine(
        &self,
        input: FloatTensor<Autodiff<B>>,
        scale: FloatTensor<Autodiff<B>>,
        shift: FloatTensor<Autodiff<B>>,
        activation: Activation,
    ) -> FloatTensor<Autodiff<B>> {
        image_affine::image_affine::<B, M>(input, scale, shift, activation)
    }

    fn map_pixels(&self, input: FloatTensor<Autodiff<B>>, map: Arc<PixelMap>) -> FloatTensor<Autodiff<B>> {
        pixel_map::map_pixels::<B, M>(input, map)
    }

    fn activation_gradient(
        &self,
        gradient: FloatTensor<Autodiff<B>>,
        output: FloatTensor<Autodiff<B>>,
        activation: Activation,
    ) -> FloatTensor<Autodiff<B>> {
        activation_gradient::activation_gradient::<B, M>(gradient, output.primitive, activation)
    }
}
