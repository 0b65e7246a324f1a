//! Which normalization follows a layer.

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::{
    batch_norm::{BatchNorm, BatchNormConfig},
    conv::ConvConfig,
    init::Init,
};

/// What follows a layer before its activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// Batch normalization (Ioffe and Szegedy, 2015).
    #[default]
    Batch,
    /// Nothing; the layer has a bias of its own.
    None,
}

impl Normalization {
    /// The layer before the normalization: without a bias where the normalization has one.
    pub(crate) fn before(self, config: ConvConfig) -> ConvConfig {
        match self {
            Self::Batch => config.without_bias(),
            Self::None => config,
        }
    }

    /// The normalization itself.
    pub(crate) fn layer<B: Backend>(self, channels: usize, init: &mut Init<'_, B>) -> Option<BatchNorm<B>> {
        (self == Self::Batch).then(|| BatchNorm::new(BatchNormConfig::PYTORCH, channels, init))
    }
}
