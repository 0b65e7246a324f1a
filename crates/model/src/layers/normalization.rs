//! Which normalization follows a layer.

use burn::{module::Module, tensor::backend::Backend};
use serde::{Deserialize, Serialize};

use super::{
    activation::Activation,
    batch_norm::{BatchNorm, BatchNormConfig},
    conv::{Conv2d, ConvConfig},
    feature_map::FeatureMap,
    init::Init,
    layer_norm::LayerNorm,
    linear::Linear,
    pass::Pass,
};
use crate::{GraphBuilder, Value};

/// What follows a layer before its activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// Batch normalization (Ioffe and Szegedy, 2015).
    #[default]
    Batch,
    /// Layer normalization over channels and pixels of each image (Ba, Kiros and Hinton, 2016), which penalties on gradients go through.
    Layer,
    /// Nothing follows: the weights are divided by their largest singular value, also those of the first layer and the last (spectral
    /// normalization; Miyato et al., 2018). For discriminators.
    Spectral,
    /// Nothing; the layer has a bias of its own.
    None,
}

impl Normalization {
    /// Whether a layer before it has a bias of its own: not where the normalization has one.
    pub(crate) fn leaves_bias(self) -> bool {
        matches!(self, Self::Spectral | Self::None)
    }

    /// The layer before the normalization.
    pub(crate) fn before(self, config: ConvConfig) -> ConvConfig {
        match self.leaves_bias() {
            true => config,
            false => config.without_bias(),
        }
    }

    /// A convolution before the normalization.
    pub(crate) fn conv<B: Backend>(self, config: ConvConfig, init: &mut Init<'_, B>) -> Conv2d<B> {
        let conv = Conv2d::new(self.before(config), init);
        match self {
            Self::Spectral => conv.with_spectral_norm(init),
            Self::Batch | Self::Layer | Self::None => conv,
        }
    }

    /// A fully connected layer that no normalization follows, with a bias.
    pub(crate) fn last<B: Backend>(self, sizes: [usize; 2], init: &mut Init<'_, B>) -> Linear<B> {
        let linear = Linear::new(sizes, true, init);
        match self {
            Self::Spectral => linear.with_spectral_norm(init),
            Self::Batch | Self::Layer | Self::None => linear,
        }
    }

    /// The normalization itself.
    pub(crate) fn layer<B: Backend>(self, channels: usize, init: &mut Init<'_, B>) -> Option<Norm<B>> {
        match self {
            Self::Batch => Some(Norm::Batch(BatchNorm::new(BatchNormConfig::PYTORCH, channels, init))),
            Self::Layer => Some(Norm::Layer(LayerNorm::new(channels, init))),
            Self::Spectral | Self::None => None,
        }
    }
}

/// A normalization that a configuration names.
#[derive(Module, Debug)]
// A network has a handful.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Norm<B: Backend> {
    Batch(BatchNorm<B>),
    Layer(LayerNorm<B>),
}

impl<B: Backend> Norm<B> {
    /// Normalizes and then applies `activation`.
    pub(crate) fn forward(&self, input: FeatureMap<B>, activation: Activation, pass: &mut Pass<B>) -> FeatureMap<B> {
        match self {
            Self::Batch(norm) => norm.forward(input, activation, pass),
            Self::Layer(norm) => norm.forward(input, activation, pass),
        }
    }

    /// Says what the layer computes.
    pub(crate) fn describe(&self, graph: &mut GraphBuilder, input: Value, activation: Activation) -> Value {
        match self {
            Self::Batch(norm) => norm.describe(graph, input, activation),
            Self::Layer(norm) => norm.describe(graph, input, activation),
        }
    }
}
