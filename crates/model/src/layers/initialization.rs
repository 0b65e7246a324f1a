//! First values of the weights, drawn on the host so that they are the same on every backend.

use rand::{Rng, RngCore};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How the kernels of a network get their first values. Biases start at zero, batch normalization at the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Initialization {
    /// Uniform in ±√(6 / (fan_in + fan_out)), the default of Keras (Glorot and Bengio, 2010, eq. 16).
    GlorotUniform,
    /// Normal with standard deviation 0.02 (Radford, Metz and Chintala, 2015, section 4).
    #[default]
    Dcgan,
    /// Normal with standard deviation √(2 / fan_in), for networks of ReLUs (He et al., 2015, eq. 10).
    He,
}

/// How many values flow into and out of one unit of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Fans {
    /// Values into a unit.
    pub fan_in: usize,
    /// Values out of a unit.
    pub fan_out: usize,
    /// For [`Initialization::He`]: how many weights meet in one output value. It differs from `fan_in` in transposed
    /// convolutions, where a stride leaves each output pixel only a share of the taps.
    pub meeting: f64,
}

impl Fans {
    /// Of a value that stands alone.
    pub(crate) const ONE: Self = Self {
        fan_in: 1,
        fan_out: 1,
        meeting: 1.0,
    };
}

impl Initialization {
    /// Draws the values of a kernel, in the flat order of its shape.
    pub(crate) fn values(self, count: usize, fans: Fans, rng: &mut dyn RngCore) -> Vec<f32> {
        match self {
            Self::GlorotUniform => {
                let limit = (6.0 / (fans.fan_in + fans.fan_out) as f64).sqrt();
                (0..count)
                    .map(|_| ((rng.random::<f64>() * 2.0 - 1.0) * limit) as f32)
                    .collect()
            }
            Self::Dcgan => normal_values(count, 0.02, rng),
            Self::He => normal_values(count, (2.0 / fans.meeting).sqrt(), rng),
        }
    }
}

/// Normal values of this standard deviation.
pub(super) fn normal_values(count: usize, deviation: f64, rng: &mut dyn RngCore) -> Vec<f32> {
    (0..count)
        .map(|_| (rng.sample::<f64, _>(StandardNormal) * deviation) as f32)
        .collect()
}
