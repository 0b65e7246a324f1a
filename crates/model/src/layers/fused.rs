//! The registry of backends whose layers have fused kernels, faster than Burn's single operations.

use std::{
    any::{Any, TypeId},
    cell::Cell,
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use burn::tensor::{Tensor, TensorPrimitive, backend::Backend, ops::FloatTensor};

use super::{activation::Activation, im2col::Window, pixel_map::PixelMap};

/// How the columns of a layer's product meet the pixels of its input and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lowering {
    /// Each pixel by itself; weights `[out, in]`.
    Pixels,
    /// One column an image becomes a feature map, channels last; weights `[pixels · out, in]`, bias `[pixels · out]`. No
    /// activation follows.
    Features {
        /// Pixels of the feature map.
        pixels: usize,
    },
    /// A convolution; weights `[out, in · taps]`.
    Gather(Window),
    /// A transposed convolution whose kernels overlap; weights `[in, out · taps]`.
    Scatter(Window),
    /// A transposed convolution with kernel = stride and no padding, whose taps become pixels; weights `[in, out · taps]`.
    Split {
        /// Values of a kernel, k·k.
        taps: usize,
    },
}

/// A convolution, transposed convolution or fully connected layer, and what it is applied to: what [`FusedLayers::layer`] is
/// given.
///
/// Its result is `[out, pixels, batch]`; the pixels are the input's (`Pixels`), as many as named (`Features`), those of the
/// window's positions (`Gather`) or of its image (`Scatter`), or the taps before the input's pixels (`Split`).
#[derive(Debug, Clone)]
pub struct LayerCall<B: Backend> {
    /// `[in, pixels, batch]`
    pub input: FloatTensor<B>,
    /// Two-dimensional, as [`Lowering`] says.
    pub weight: FloatTensor<B>,
    /// `[out]`
    pub bias: Option<FloatTensor<B>>,
    /// How the weights meet the input.
    pub lowering: Lowering,
    /// What follows.
    pub activation: Activation,
}

/// The layers of the networks as fused kernels, each with its bias, its activation and a gradient of its own.
///
/// The layers are whole without it, written with Burn's operations. A backend that can do better is given an
/// implementation by [`install_fused_layers`]; the numbers must be those of the operations, up to rounding.
/// The tensors are primitives of `B`, which is an autodiff backend where gradients are wanted.
pub trait FusedLayers<B: Backend>: Debug + Send + Sync {
    /// Whether it works on this device.
    fn supports(&self, device: &B::Device) -> bool;

    /// A convolution, transposed convolution or fully connected layer; [`LayerCall`] has the shapes.
    fn layer(&self, call: LayerCall<B>) -> FloatTensor<B>;

    /// Batch normalization with the batch's own mean and biased variance, which are returned after the result.
    ///
    /// # Shapes
    /// - input and result: `[channels, pixels, batch]`
    /// - scale, shift, mean, variance: `[channels]`
    fn batch_norm(
        &self,
        input: FloatTensor<B>,
        scale: FloatTensor<B>,
        shift: FloatTensor<B>,
        epsilon: f32,
        activation: Activation,
    ) -> [FloatTensor<B>; 3];

    /// Layer normalization over channels and pixels of each image, with its own mean and biased variance.
    ///
    /// # Shapes
    /// - input and result: `[channels, pixels, batch]`
    /// - scale, shift: `[channels]`
    fn layer_norm(
        &self,
        input: FloatTensor<B>,
        scale: FloatTensor<B>,
        shift: FloatTensor<B>,
        epsilon: f32,
        activation: Activation,
    ) -> FloatTensor<B>;

    /// A scale and a shift for each channel of each image: `activation(input · scale + shift)`.
    ///
    /// # Shapes
    /// - input and result: `[channels, pixels, batch]`
    /// - scale, shift: `[channels, 1, batch]`
    fn image_affine(
        &self,
        input: FloatTensor<B>,
        scale: FloatTensor<B>,
        shift: FloatTensor<B>,
        activation: Activation,
    ) -> FloatTensor<B>;

    /// A linear map of each channel's pixels.
    ///
    /// # Shapes
    /// - input: `[channels, map.inputs(), batch]`
    /// - result: `[channels, map.terms().len(), batch]`
    fn map_pixels(&self, input: FloatTensor<B>, map: Arc<PixelMap>) -> FloatTensor<B>;

    /// The gradient before a piecewise linear activation, from the one after it: `gradient ⊙ f′`. It is linear in `gradient` and
    /// has no gradient in `output`, which only says where the slope is which.
    ///
    /// # Shapes
    /// - gradient, output and result: `[channels, pixels, batch]`
    fn activation_gradient(
        &self,
        gradient: FloatTensor<B>,
        output: FloatTensor<B>,
        activation: Activation,
    ) -> FloatTensor<B>;
}

/// Fused updates of weights once the gradients are there; on plain tensors, all of the weight's shape.
pub trait FusedUpdates<B: Backend>: Debug + Send + Sync {
    /// Whether it works on this device.
    fn supports(&self, device: &B::Device) -> bool;

    /// One update: the weight, and the first and second moments, after it; and the sum of the gradient's squares.
    ///
    /// `moments` is `None` before the first update, which is the same as zeros.
    fn update(
        &self,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
        moments: Option<[FloatTensor<B>; 2]>,
        rule: Update,
    ) -> ([FloatTensor<B>; 3], f32);

    /// `average + (value − average) · share`
    fn move_average(&self, average: FloatTensor<B>, value: FloatTensor<B>, share: f32) -> FloatTensor<B>;
}

/// How a weight w moves by its gradient g and two moments of it, m and v.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Update {
    /// `m = beta1·m + (1 − beta1)·g`, `v = beta2·v + (1 − beta2)·g²`, `w = kept·w − rate·m / (√v + epsilon)`
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Learning rate with both bias corrections.
        rate: f64,
        /// Added to the second moment's root.
        epsilon: f64,
        /// The share of the weight that stays: 1, but where weights decay.
        kept: f64,
    },
    /// `v = beta2·v + (1 − beta2)·g²`, `m = momentum·m + g / (√v + epsilon)`, `w = w − rate·m`
    Rmsprop {
        /// Decay of the second moment.
        beta2: f64,
        /// Decay of the steps.
        momentum: f64,
        /// Learning rate.
        rate: f64,
        /// Added to the second moment's root.
        epsilon: f64,
    },
    /// `m = momentum·m + g`, `w = w − rate·m`; v stays.
    Sgd {
        /// Decay of the steps.
        momentum: f64,
        /// Learning rate.
        rate: f64,
    },
}

/// By the type of what is installed, which names the backend. Generic code knows of its backend only what Burn's trait says,
/// so this is asked when the program runs.
type Installed = HashMap<TypeId, Box<dyn Any + Send + Sync>>;

static INSTALLED: LazyLock<RwLock<Installed>> = LazyLock::new(RwLock::default);

fn install<T: ?Sized + Send + Sync + 'static>(fused: Arc<T>) {
    let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
    installed.insert(TypeId::of::<Arc<T>>(), Box::new(fused));
}

fn installed<T: ?Sized + Send + Sync + 'static>() -> Option<Arc<T>> {
    if ASIDE.get() {
        return None;
    }
    let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner);
    let fused: &Arc<T> = installed.get(&TypeId::of::<Arc<T>>())?.downcast_ref()?;
    Some(fused.clone())
}

/// From now on the networks on `B` use these layers, on the devices that they support.
pub fn install_fused_layers<B: Backend>(layers: Arc<dyn FusedLayers<B>>) {
    install(layers);
}

/// From now on weights on `B` are changed by these updates, on the devices that they support.
pub fn install_fused_updates<B: Backend>(updates: Arc<dyn FusedUpdates<B>>) {
    install(updates);
}

thread_local! {
    static ASIDE: Cell<bool> = const { Cell::new(false) };
}

/// Does something on this thread with Burn's operations alone, whatever is installed: to compare both.
pub fn without_fused<R>(function: impl FnOnce() -> R) -> R {
    let before = ASIDE.replace(true);
    let result = function();
    ASIDE.set(before);
    result
}

/// The updates to use for this device, where some are installed.
pub fn fused_updates<B: Backend>(device: &B::Device) -> Option<Arc<dyn FusedUpdates<B>>> {
    installed::<dyn FusedUpdates<B>>().filter(|updates| updates.supports(device))
}

/// Whether networks on `B` and this device use fused kernels.
pub fn fused_layers_in_use<B: Backend>(device: &B::Device) -> bool {
    fused_layers::<B>(device).is_some()
}

/// The layers to use for this device, where some are installed.
pub(crate) fn fused_layers<B: Backend>(device: &B::Device) -> Option<Arc<dyn FusedLayers<B>>> {
    installed::<dyn FusedLayers<B>>().filter(|layers| layers.supports(device))
}

/// The primitive under a tensor.
pub fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// A tensor of `D` dimensions around its primitive.
pub fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}
