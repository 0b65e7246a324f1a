//! `[optimizer.generator]` and `[optimizer.discriminator]`

use serde::{Deserialize, Serialize};

/// Where ε is added; the difference shows where gradients are about as small as ε.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AdamVariant {
    /// To the corrected second moment's root: `m̂ / (√v̂ + ε)` (algorithm 1 of Kingma and Ba, 2015; PyTorch, Burn).
    #[default]
    Pytorch,
    /// To the uncorrected one's: `√(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)` (the paper's "epsilon hat"; Keras, TensorFlow).
    Keras,
}

/// `[optimizer.generator]` and `[optimizer.discriminator]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// How far a weight moves in a step at most, about; usually 1e-5 to 1e-3.
    pub learning_rate: f64,
    /// The share of the gradients' mean (first moment) that is kept in each step, usually 0 to 0.9; GANs train more steadily at
    /// 0.5 or below.
    pub beta1: f64,
    /// The share of the squared gradients' mean (second moment) that is kept in each step, usually 0.99 to 0.999.
    pub beta2: f64,
    /// Added to the root that gradients are divided by, so that the quotient stays finite; usually 1e-8 or 1e-7.
    pub epsilon: f64,
    /// Where epsilon is added.
    pub variant: AdamVariant,
    /// After each update every weight of the network is cut to the range from minus this to this; usually 0.01 for the discriminator with
    /// `objective.loss = "wasserstein"` and no gradient penalty, otherwise 0 for none.
    pub clip_weights: f64,
}

impl Default for AdamConfig {
    /// The DCGAN paper's learning rate and β₁ (section 4), PyTorch's β₂ and ε.
    fn default() -> Self {
        Self {
            learning_rate: 2e-4,
            beta1: 0.5,
            beta2: 0.999,
            epsilon: 1e-8,
            variant: AdamVariant::Pytorch,
            clip_weights: 0.0,
        }
    }
}

impl AdamConfig {
    /// Checks the ranges for the network of this name.
    ///
    /// # Errors
    /// The first bad key, as `(dotted key, message)`.
    pub(crate) fn check(&self, network: &str) -> Result<(), (String, String)> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let share = |value: f64| (0.0..1.0).contains(&value);
        let not_negative = |value: f64| value >= 0.0 && value.is_finite();
        let (above, below) = ("a number above 0", "0 or more and below 1");
        for (key, value, is_right, expected) in [
            ("learning_rate", self.learning_rate, positive(self.learning_rate), above),
            ("beta1", self.beta1, share(self.beta1), below),
            ("beta2", self.beta2, share(self.beta2), below),
            ("epsilon", self.epsilon, positive(self.epsilon), above),
            (
                "clip_weights",
                self.clip_weights,
                not_negative(self.clip_weights),
                "0 or more",
            ),
        ] {
            if !is_right {
                let key = format!("optimizer.{network}.{key}");
                return Err((key, format!("expected {expected}, found {value}")));
            }
        }
        Ok(())
    }
}
