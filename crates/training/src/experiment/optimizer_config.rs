//! `[optimizer.generator]` and `[optimizer.discriminator]`

use serde::{Deserialize, Serialize};

/// What moves the weights of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Each weight at a pace of its own, by the gradient's first and second moment (Kingma and Ba, 2015, arXiv:1412.6980).
    #[default]
    Adam,
    /// The same, and each weight becomes smaller by `weight_decay` beside it (Loshchilov and Hutter, 2019, arXiv:1711.05101).
    Adamw,
    /// The gradient over the root of its second moment, whose share is `beta2`, with `momentum` (Hinton, 2012, lecture 6e; as PyTorch has it, not
    /// centred): WGAN's with weights that are cut, at 5e-5, 0.99 and 0.
    Rmsprop,
    /// The gradient itself, with `momentum`; `beta1`, `beta2` and `epsilon` have no say.
    Sgd,
}

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
pub struct OptimizerConfig {
    /// What moves the weights.
    pub kind: OptimizerKind,
    /// How far a weight moves in a step at most, about, but for `sgd`; usually 1e-5 to 1e-3, up to 4e-3 with `clip_gradients`.
    pub learning_rate: f64,
    /// The share of the gradients' mean (first moment) that is kept in each step, usually 0 to 0.9; GANs train more steadily at
    /// 0.5 or below. Of `adam` and `adamw`.
    pub beta1: f64,
    /// The share of the squared gradients' mean (second moment) that is kept in each step, usually 0.99 to 0.999; not of `sgd`.
    pub beta2: f64,
    /// Added to the root that gradients are divided by, so that the quotient stays finite; usually 1e-8 or 1e-7.
    pub epsilon: f64,
    /// Where epsilon is added, of `adam` and `adamw`.
    pub variant: AdamVariant,
    /// The share of the last step that is added to the next, of `rmsprop` and `sgd`, usually 0 to 0.9.
    pub momentum: f64,
    /// How much smaller a weight becomes in each update, times the learning rate, of `adamw`; usually 0.01, otherwise 0.
    pub weight_decay: f64,
    /// The gradients of the network are made smaller where their L2 norm, all together, is above this; usually 1 to 10, or 0 for none. The norm in
    /// the log is that before.
    pub clip_gradients: f64,
    /// After each update every weight of the network is cut to the range from minus this to this; usually 0.01 for the discriminator with
    /// `objective.loss = "wasserstein"` and no gradient penalty, otherwise 0 for none.
    pub clip_weights: f64,
}

impl Default for OptimizerConfig {
    /// The DCGAN paper's learning rate and β₁ (section 4), PyTorch's β₂ and ε.
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Adam,
            learning_rate: 2e-4,
            beta1: 0.5,
            beta2: 0.999,
            epsilon: 1e-8,
            variant: AdamVariant::Pytorch,
            momentum: 0.0,
            weight_decay: 0.0,
            clip_gradients: 0.0,
            clip_weights: 0.0,
        }
    }
}

impl OptimizerConfig {
    /// Whether it takes a mean of squared gradients.
    pub(crate) fn has_beta2(&self) -> bool {
        self.kind != OptimizerKind::Sgd
    }

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
            ("momentum", self.momentum, share(self.momentum), below),
            (
                "weight_decay",
                self.weight_decay,
                not_negative(self.weight_decay),
                "0 or more",
            ),
            (
                "clip_gradients",
                self.clip_gradients,
                not_negative(self.clip_gradients),
                "0 or more",
            ),
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
        let is_adam = matches!(self.kind, OptimizerKind::Adam | OptimizerKind::Adamw);
        for (key, value, has_a_say, of) in [
            (
                "momentum",
                self.momentum,
                !is_adam,
                "`rmsprop` and `sgd`; that of Adam is `beta1`",
            ),
            (
                "weight_decay",
                self.weight_decay,
                self.kind == OptimizerKind::Adamw,
                "`adamw`",
            ),
        ] {
            if key == "weight_decay" && value * self.learning_rate >= 1.0 {
                let key = format!("optimizer.{network}.{key}");
                let most = 1.0 / self.learning_rate;
                return Err((
                    key,
                    format!("expected less than {most}, at which a weight is gone in one update, found {value}"),
                ));
            }
            if value > 0.0 && !has_a_say {
                let key = format!("optimizer.{network}.{key}");
                return Err((key, format!("expected 0, found {value}: it is of {of}")));
            }
        }
        Ok(())
    }
}
