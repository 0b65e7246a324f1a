//! `[schedule]`: what changes in the course of a run.

use std::f64::consts::PI;

use ganvas_model::Strength;
use serde::{Deserialize, Serialize};

/// `[schedule]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSection {
    /// How the values go from their own to those at the end.
    pub shape: ScheduleShape,
    /// The share of the run's steps before they begin to change, 0 or more and below 1; usually 0 to 0.5.
    pub hold: f64,
    /// Steps in which the learning rates rise from 0 to their own, usually 0 to 1000; whatever the shape. beta2 and the weights of penalties do not rise with
    /// them: what they go to is said below.
    pub warm_up: u64,
    /// What both learning rates end at, as a share of their own; usually 0 to 0.3.
    pub learning_rate: f64,
    /// What both networks' beta2 end at, usually 0.99 (R3GAN); where it is not given, they stay. The learning rates go to `learning_rate` beside it,
    /// which 1 lets stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// What the weights of the objective's penalties end at, as a share of their own; usually 0.1 (R3GAN) to 1, with which they stay.
    pub penalty: f64,
    /// What the objective's noise on images ends at, as a share of its own; usually 0.
    pub instance_noise: f64,
}

/// How a value goes to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleShape {
    /// It stays.
    #[default]
    Constant,
    /// By as much in every step.
    Linear,
    /// Along half a wave of the cosine: slowly, fast, slowly (Loshchilov and Hutter, 2017, arXiv:1608.03983, without restarts).
    Cosine,
}

impl Default for ScheduleSection {
    fn default() -> Self {
        Self {
            shape: ScheduleShape::Constant,
            hold: 0.0,
            warm_up: 0,
            learning_rate: 0.0,
            beta2: None,
            penalty: 1.0,
            instance_noise: 0.0,
        }
    }
}

/// The values of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scheduled {
    /// Times both learning rates.
    pub rate: f64,
    /// How far beta2 has gone from its own to that at the end, from 0 to 1, and that one.
    beta2: (f64, Option<f64>),
    /// Of what the objective has.
    pub strength: Strength,
}

impl Scheduled {
    /// The value of a beta2 that is `own` at the beginning.
    pub fn beta2(&self, own: f64) -> f64 {
        let (gone, end) = self.beta2;
        end.map_or(own, |end| own + (end - own) * gone)
    }
}

impl ScheduleSection {
    /// The values of a step, counted from 1, of a run of so many.
    pub fn at(&self, step: u64, total: u64) -> Scheduled {
        let done = step.saturating_sub(1) as f64 / total.max(1) as f64;
        let share = ((done - self.hold) / (1.0 - self.hold)).clamp(0.0, 1.0);
        let gone = match self.shape {
            ScheduleShape::Constant => 0.0,
            ScheduleShape::Linear => share,
            ScheduleShape::Cosine => (1.0 - (PI * share).cos()) / 2.0,
        };
        let risen = match self.warm_up {
            0 => 1.0,
            steps => (step as f64 / steps as f64).min(1.0),
        };
        let share = |end: f64| 1.0 + (end - 1.0) * gone;
        Scheduled {
            rate: risen * share(self.learning_rate),
            beta2: (gone, self.beta2),
            strength: Strength {
                penalty: share(self.penalty),
                noise: share(self.instance_noise),
            },
        }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// The first bad key, as `(dotted key, message)`.
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        let mistake = |key: &str, expected: &str, value: f64| {
            Err((format!("schedule.{key}"), format!("expected {expected}, found {value}")))
        };
        if !(0.0..1.0).contains(&self.hold) {
            return mistake("hold", "0 or more and below 1", self.hold);
        }
        if !(0.0..=1.0).contains(&self.learning_rate) {
            return mistake("learning_rate", "0 to 1", self.learning_rate);
        }
        if !(0.0..=1000.0).contains(&self.penalty) {
            return mistake("penalty", "0 to 1000", self.penalty);
        }
        if !(0.0..=1.0).contains(&self.instance_noise) {
            return mistake("instance_noise", "0 to 1", self.instance_noise);
        }
        if self.shape == ScheduleShape::Constant {
            let without = "nothing with `schedule.shape = \"constant\"`, which lets everything stay";
            if self.hold > 0.0 {
                return mistake("hold", without, self.hold);
            }
            if self.learning_rate > 0.0 {
                return mistake("learning_rate", without, self.learning_rate);
            }
            if self.penalty != 1.0 {
                return mistake("penalty", without, self.penalty);
            }
            if self.instance_noise > 0.0 {
                return mistake("instance_noise", without, self.instance_noise);
            }
            if let Some(beta2) = self.beta2 {
                return mistake("beta2", without, beta2);
            }
        }
        match self.beta2 {
            Some(beta2) if !(0.0..1.0).contains(&beta2) => mistake("beta2", "0 or more and below 1", beta2),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: ScheduleSection, total: u64) -> Vec<f64> {
        (1..=total).map(|step| schedule.at(step, total).rate).collect()
    }

    #[test]
    fn rates_stay_then_fall_by_their_shape_after_they_have_risen() {
        let constant = ScheduleSection::default();
        assert_eq!(rates(constant, 3), [1.0; 3]);
        let linear = ScheduleSection {
            shape: ScheduleShape::Linear,
            hold: 0.5,
            ..constant
        };
        assert_eq!(rates(linear, 8), [1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]);
        let ends_higher = ScheduleSection {
            learning_rate: 0.2,
            ..linear
        };
        assert!((ends_higher.at(8, 8).rate - 0.4).abs() < 1e-12);
        let warm = ScheduleSection { warm_up: 4, ..linear };
        assert_eq!(rates(warm, 8)[..5], [0.25, 0.5, 0.75, 1.0, 1.0]);
        let cosine = ScheduleSection {
            shape: ScheduleShape::Cosine,
            ..constant
        };
        let found = rates(cosine, 4);
        let expected = [0.0, 0.25, 0.5, 0.75].map(|share| (1.0 + (PI * share).cos()) / 2.0);
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(one, other)| (one - other).abs() < 1e-12)
        );
    }

    #[test]
    fn beta2_goes_to_its_end_and_stays_where_there_is_none() {
        let schedule = ScheduleSection {
            shape: ScheduleShape::Linear,
            beta2: Some(0.99),
            ..ScheduleSection::default()
        };
        assert_eq!(schedule.at(1, 4).beta2(0.9), 0.9);
        assert!((schedule.at(3, 4).beta2(0.9) - 0.945).abs() < 1e-12);
        assert_eq!(ScheduleSection::default().at(3, 4).beta2(0.9), 0.9);
    }

    #[test]
    fn penalties_and_noise_go_to_their_own_ends() {
        let schedule = ScheduleSection {
            shape: ScheduleShape::Linear,
            hold: 0.5,
            penalty: 3.0,
            instance_noise: 0.2,
            ..ScheduleSection::default()
        };
        for (step, penalty, noise) in [(1, 1.0, 1.0), (5, 1.0, 1.0), (7, 2.0, 0.6), (8, 2.5, 0.4)] {
            let found = schedule.at(step, 8).strength;
            assert!((found.penalty - penalty).abs() < 1e-12, "{found:?}");
            assert!((found.noise - noise).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused_by_their_key() {
        for (bad, key) in [
            (
                ScheduleSection {
                    hold: 1.0,
                    ..ScheduleSection::default()
                },
                "schedule.hold",
            ),
            (
                ScheduleSection {
                    learning_rate: -0.1,
                    ..ScheduleSection::default()
                },
                "schedule.learning_rate",
            ),
            (
                ScheduleSection {
                    beta2: Some(f64::NAN),
                    ..ScheduleSection::default()
                },
                "schedule.beta2",
            ),
        ] {
            assert_eq!(bad.check().unwrap_err().0, key);
        }
        // What has no effect is a mistake, too.
        let useless = ScheduleSection {
            beta2: Some(0.99),
            ..ScheduleSection::default()
        };
        assert_eq!(useless.check().unwrap_err().0, "schedule.beta2");
    }
}
