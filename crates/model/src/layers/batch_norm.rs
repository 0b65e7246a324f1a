//! Batch normalization over pixels and images, with running statistics that a forward pass leaves alone.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};

use super::{
    activation::Activation,
    feature_map::FeatureMap,
    fused::{fused_layers, primitive, tensor},
    init::Init,
    linear::by_channel,
    pass::Pass,
};
use crate::{GraphBuilder, Operation, Value};

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

/// Batch normalization (Ioffe and Szegedy, 2015) over the channels of a [`FeatureMap`].
///
/// In training it normalizes with the batch's mean and biased variance, otherwise with the running ones. Unlike in
/// `burn::nn::BatchNorm`, a forward pass leaves the running statistics alone; they are buffers, which
/// [`BufferUpdates`](crate::BufferUpdates) moves with the biased variance (Keras' and Burn's choice; PyTorch takes the
/// unbiased one).
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
    pub fn new(config: BatchNormConfig, channels: usize, init: &mut Init<'_, B>) -> Self {
        Self {
            weight: init.constant(channels, 1.0),
            bias: init.constant(channels, 0.0),
            running_mean: init.buffer(channels, 0.0),
            running_var: init.buffer(channels, 1.0),
            momentum: config.momentum,
            epsilon: config.epsilon,
        }
    }

    /// Normalizes each channel and then applies `activation`.
    ///
    /// # Shapes
    /// - input and result: `[channels, pixels, batch]`
    ///
    /// In training, updates of the running statistics are pushed to `pass`.
    pub fn forward(&self, input: FeatureMap<B>, activation: Activation, pass: &mut Pass<B>) -> FeatureMap<B> {
        input.map(|pixels| {
            let device = pixels.device();
            let [channels, count, _] = pixels.dims();
            pass.count_outputs(channels * count);
            pass.record_missing("a batch normalization");
            if !pass.is_training() {
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
            self.update_running_stats(mean.detach(), variance.detach(), pass);
            output
        })
    }

    /// Says what the layer computes outside of training.
    pub fn describe(&self, graph: &mut GraphBuilder, input: Value, activation: Activation) -> Value {
        let operation = Operation::BatchNorm {
            scale: graph.name(&self.weight),
            shift: graph.name(&self.bias),
            mean: graph.name(&self.running_mean),
            variance: graph.name(&self.running_var),
            epsilon: self.epsilon,
        };
        let output = graph.push(operation, [input]);
        graph.activation(activation, output)
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

    /// running = (1 − momentum)·running + momentum·batch
    fn update_running_stats(&self, mean: Tensor<B, 1>, variance: Tensor<B, 1>, pass: &mut Pass<B>) {
        let momentum = self.momentum;
        for (running, batch) in [(&self.running_mean, mean), (&self.running_var, variance)] {
            pass.updates()
                .push(running, move |running| running * (1.0 - momentum) + batch * momentum);
        }
    }
}
