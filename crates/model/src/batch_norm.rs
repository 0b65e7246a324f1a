//! Batch normalization over pixels and images, with running statistics that only move when they are told to.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};

use crate::{
    Activation, FeatureMap,
    fused::{fused_layers, primitive, tensor},
    initialization::constant_vector,
    linear::by_channel,
};

/// The constants of a [`BatchNorm`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormConfig {
    /// Share of the batch in a new running statistic: running = (1 − momentum)·running + momentum·batch. This is
    /// PyTorch's sense; Keras' `momentum` is one minus this.
    pub momentum: f64,
    /// Added to the variance.
    pub epsilon: f64,
}

impl BatchNormConfig {
    /// The defaults of PyTorch and Burn: momentum 0.1, epsilon 1e-5.
    pub const PYTORCH: Self = Self {
        momentum: 0.1,
        epsilon: 1e-5,
    };
    /// The defaults of Keras: momentum 0.99 in its sense, epsilon 1e-3.
    pub const KERAS: Self = Self {
        momentum: 0.01,
        epsilon: 1e-3,
    };
}

/// Mean and biased variance of each batch normalization that a forward pass went through, in its order.
///
/// They are what [`Generator::track`](crate::Generator::track) moves the running statistics with. On a backend without
/// autodiff, where the running statistics are used themselves, nothing is collected.
#[derive(Debug, Clone)]
pub struct BatchStatistics<B: Backend> {
    layers: Vec<[Tensor<B, 1>; 2]>,
}

impl<B: Backend> Default for BatchStatistics<B> {
    fn default() -> Self {
        Self { layers: Vec::new() }
    }
}

impl<B: Backend> BatchStatistics<B> {
    /// The number of layers seen.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// True where the pass met no batch normalization in training.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

/// Batch normalization (Ioffe and Szegedy, 2015) over the channels of a [`FeatureMap`].
///
/// On an autodiff backend it normalizes with the batch's mean and biased variance, otherwise with the running ones, as
/// `burn::nn::BatchNorm` does. Unlike there, a forward pass leaves the running statistics alone; they are ordinary
/// parameters without gradient, moved by
/// [`Generator::track`](crate::Generator::track) with the biased variance (Keras' and Burn's choice; PyTorch
/// takes the unbiased one).
#[derive(Module, Debug)]
pub struct BatchNorm<B: Backend> {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<B, 1>>,
    /// Shift, `[channels]`.
    pub bias: Param<Tensor<B, 1>>,
    /// `[channels]`, not trained.
    pub running_mean: Param<Tensor<B, 1>>,
    /// `[channels]`, not trained.
    pub running_var: Param<Tensor<B, 1>>,
    momentum: f64,
    epsilon: f64,
}

impl<B: Backend> BatchNorm<B> {
    /// A new layer: scale 1, shift 0, running mean 0 and variance 1.
    pub fn new(config: BatchNormConfig, channels: usize, device: &B::Device) -> Self {
        Self {
            weight: constant_vector(channels, 1.0, device),
            bias: constant_vector(channels, 0.0, device),
            running_mean: constant_vector(channels, 0.0, device).set_require_grad(false),
            running_var: constant_vector(channels, 1.0, device).set_require_grad(false),
            momentum: config.momentum,
            epsilon: config.epsilon,
        }
    }

    /// Normalizes each channel and then applies `activation`.
    ///
    /// # Shapes
    /// - input and result: `[channels, pixels, batch]`
    ///
    /// In training, the statistics used are appended to `seen`.
    pub fn forward(
        &self,
        input: FeatureMap<B>,
        activation: Activation,
        seen: &mut BatchStatistics<B>,
    ) -> FeatureMap<B> {
        input.map(|pixels| {
            let device = pixels.device();
            if !B::ad_enabled(&device) {
                let scale = self.scale(self.running_var.val());
                let shift = self.bias.val() - self.running_mean.val() * scale.clone();
                return activation.apply(pixels * by_channel(scale) + by_channel(shift));
            }
            let (output, mean, variance) = match fused_layers::<B>(&device) {
                Some(layers) => {
                    let [output, mean, variance] = layers.batch_norm(
                        primitive(pixels),
                        primitive(self.weight.val()),
                        primitive(self.bias.val()),
                        self.epsilon as f32,
                        activation,
                    );
                    (tensor(output), tensor(mean), tensor(variance))
                }
                None => {
                    let (output, mean, variance) = self.normalize_by_batch(pixels);
                    (activation.apply(output), mean, variance)
                }
            };
            seen.layers.push([mean.detach(), variance.detach()]);
            output
        })
    }

    fn normalize_by_batch(&self, pixels: Tensor<B, 3>) -> (Tensor<B, 3>, Tensor<B, 1>, Tensor<B, 1>) {
        let channels = pixels.dims()[0];
        // Every pixel has the same number of images, so the mean of the means is the mean.
        let mean_of = |pixels: Tensor<B, 3>| pixels.mean_dim(2).mean_dim(1).reshape([channels]);
        let mean = mean_of(pixels.clone());
        let centred = pixels - by_channel(mean.clone());
        let variance = mean_of(centred.clone().square());
        let output = centred * by_channel(self.scale(variance.clone())) + by_channel(self.bias.val());
        (output, mean, variance)
    }

    /// `weight / √(variance + ε)`, so that the pixels are passed over once.
    fn scale(&self, variance: Tensor<B, 1>) -> Tensor<B, 1> {
        self.weight.val() / (variance + self.epsilon).sqrt()
    }

    /// Moves the running statistics with the next layer's entry of `seen`.
    pub(crate) fn track(&mut self, seen: &mut impl Iterator<Item = [Tensor<B, 1>; 2]>) {
        let Some([mean, variance]) = seen.next() else { return };
        let momentum = self.momentum;
        let moved = |running: &Param<Tensor<B, 1>>, batch: Tensor<B, 1>| {
            let value = running.val() * (1.0 - momentum) + batch * momentum;
            // A fresh leaf: the running statistics must not keep the graph of every step alive.
            Param::initialized(running.id, value.detach().set_require_grad(false))
        };
        self.running_mean = moved(&self.running_mean, mean);
        self.running_var = moved(&self.running_var, variance);
    }
}

/// The batch normalizations of a network in the order of its forward pass.
pub(crate) fn track_all<'a, B: Backend>(
    layers: impl IntoIterator<Item = &'a mut BatchNorm<B>>,
    seen: BatchStatistics<B>,
) {
    let mut entries = seen.layers.into_iter();
    for layer in layers {
        layer.track(&mut entries);
    }
}
