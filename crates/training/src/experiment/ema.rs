//! `[ema]`: how fast the averaged generator follows.

use serde::{Deserialize, Serialize};

/// `[ema]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EmaSection {
    /// The share of the average that is kept in each step, usually 0.99 to 0.9999: the weights of about the last 1/(1 − decay)
    /// steps are averaged, and samples are drawn from that generator. 0 turns it off.
    pub decay: f64,
    /// The same in images, whatever the batch: after so many generated ones half of the average is new; usually 10,000 to 500,000. 0 where `decay`
    /// says it.
    pub half_life: f64,
    /// At the beginning the half-life is this share of the images made so far, so that the first, random weights are soon forgotten; usually 0.05
    /// (StyleGAN2-ADA). Only with `half_life`.
    pub ramp_up: f64,
}

impl Default for EmaSection {
    fn default() -> Self {
        Self {
            decay: 0.0,
            half_life: 0.0,
            ramp_up: 0.05,
        }
    }
}

impl EmaSection {
    /// Checks the ranges.
    ///
    /// # Errors
    /// The first bad key, as `(dotted key, message)`.
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        let mistake = |key: &str, expected: &str, value: f64| {
            Err((format!("ema.{key}"), format!("expected {expected}, found {value}")))
        };
        if !(0.0..1.0).contains(&self.decay) {
            return mistake("decay", "0 or more and below 1", self.decay);
        }
        if !(0.0..=1e12).contains(&self.half_life) {
            return mistake("half_life", "0 or more", self.half_life);
        }
        if self.decay > 0.0 && self.half_life > 0.0 {
            return mistake(
                "half_life",
                "0 where `ema.decay` says how fast the average follows",
                self.half_life,
            );
        }
        match self.ramp_up > 0.0 && self.ramp_up <= 1e6 {
            true => Ok(()),
            false => mistake("ramp_up", "a number above 0", self.ramp_up),
        }
    }

    /// How fast the average follows, with batches of so many images; nothing where there is no average.
    pub fn rate(&self, batch_size: usize) -> Option<EmaRate> {
        match (self.decay > 0.0, self.half_life > 0.0) {
            (true, _) => Some(EmaRate::Decay(self.decay)),
            (false, true) => Some(EmaRate::HalfLife {
                batches: self.half_life / batch_size as f64,
                ramp_up: self.ramp_up,
            }),
            (false, false) => None,
        }
    }
}

/// How fast an average follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EmaRate {
    /// The share that is kept in each step, d = min(decay, (1 + step) / (10 + step)): the ramp is TensorFlow's
    /// `ExponentialMovingAverage`.
    Decay(f64),
    /// d = ½^(1 / batches), with no more batches than `ramp_up` times those that there have been (StyleGAN2-ADA's training loop).
    HalfLife {
        /// The half-life in batches.
        batches: f64,
        /// Of the batches so far.
        ramp_up: f64,
    },
}

impl EmaRate {
    /// The share of the average that is kept in a step, counted from 1.
    pub fn kept(self, step: u64) -> f64 {
        let step = step as f64;
        match self {
            Self::Decay(decay) => decay.min((1.0 + step) / (10.0 + step)),
            Self::HalfLife { batches, ramp_up } => 0.5_f64.powf(1.0 / batches.min(ramp_up * step).max(1e-8)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_average_is_new_after_a_half_life_whatever_the_batch() {
        for batch_size in [16, 50, 400] {
            let section = EmaSection {
                half_life: 8000.0,
                ..EmaSection::default()
            };
            let rate = section.rate(batch_size).unwrap();
            // Long after the ramp.
            let steps = 8000 / batch_size as u64;
            let kept: f64 = (10_000_000..10_000_000 + steps).map(|step| rate.kept(step)).product();
            assert!((kept - 0.5).abs() < 1e-9, "{kept}");
            // A fiftieth of the half-life in, it is a twentieth of that.
            let early = rate.kept(steps / 50 + 1).ln() / rate.kept(10_000_000).ln();
            assert!(early > 100.0, "{early}");
        }
        assert_eq!(EmaSection::default().rate(64), None);
    }

    #[test]
    fn a_decay_begins_small() {
        let section = EmaSection {
            decay: 0.999,
            ..EmaSection::default()
        };
        let rate = section.rate(64).unwrap();
        assert_eq!((rate.kept(1), rate.kept(1_000_000)), (2.0 / 11.0, 0.999));
    }
}
