//! Paths through noise, from seed to seed.

use std::ops::Range;

use ganvas_training::Sampler;

/// A path from the image of each seed to that of the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub seeds: Vec<u64>,
    /// Images from one seed to before the next.
    pub steps: usize,
    /// Whether the path keeps the length of the noise; else it is straight.
    pub is_spherical: bool,
    /// Whether it goes on from the last seed to the first; else it ends with the last.
    pub is_closed: bool,
}

impl Path {
    /// How many images there are on it.
    pub fn count(&self) -> u64 {
        let (seeds, steps) = (self.seeds.len() as u64, self.steps as u64);
        match self.is_closed {
            true => seeds * steps,
            false => (seeds - 1) * steps + 1,
        }
    }

    /// The noise of some of the images, `[count, latent]`.
    pub fn noise(&self, images: Range<u64>, latent: usize) -> Vec<f32> {
        let steps = self.steps as u64;
        let end = |number: u64| {
            let seed = self.seeds[(number % self.seeds.len() as u64) as usize];
            Sampler::new(seed, 1, latent).noise().to_vec()
        };
        images
            .flat_map(|number| {
                let share = (number % steps) as f32 / steps as f32;
                between(&end(number / steps), &end(number / steps + 1), share, self.is_spherical)
            })
            .collect()
    }
}

/// The point at a share of the way from one to the other.
fn between(left: &[f32], right: &[f32], share: f32, is_spherical: bool) -> Vec<f32> {
    let [of_left, of_right] = match is_spherical {
        true => spherical(left, right, share),
        false => [1.0 - share, share],
    };
    left.iter()
        .zip(right)
        .map(|(left, right)| of_left * left + of_right * right)
        .collect()
}

/// The weights of spherical interpolation (Shoemake, 1985); those of the straight way where both lie in one line.
fn spherical(left: &[f32], right: &[f32], share: f32) -> [f32; 2] {
    let dot = |left: &[f32], right: &[f32]| {
        left.iter()
            .zip(right)
            .map(|(left, right)| f64::from(*left) * f64::from(*right))
            .sum::<f64>()
    };
    let cosine = dot(left, right) / (dot(left, left) * dot(right, right)).sqrt();
    let angle = cosine.clamp(-1.0, 1.0).acos();
    let share = f64::from(share);
    match angle.sin() {
        sine if sine < 1e-6 || !sine.is_finite() => [1.0 - share as f32, share as f32],
        sine => [((1.0 - share) * angle).sin() / sine, (share * angle).sin() / sine].map(|weight| weight as f32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(is_spherical: bool, is_closed: bool) -> Path {
        Path {
            seeds: vec![3, 7, 12],
            steps: 4,
            is_spherical,
            is_closed,
        }
    }

    #[test]
    fn a_path_meets_the_seeds() {
        for is_spherical in [false, true] {
            for (is_closed, count) in [(false, 9), (true, 12)] {
                let path = path(is_spherical, is_closed);
                assert_eq!(path.count(), count);
                let noise = path.noise(0..count, 16);
                assert_eq!(noise.len() as u64, count * 16);
                assert_eq!(path.noise(3..6, 16), noise[3 * 16..6 * 16]);
                for (number, &seed) in path.seeds.iter().enumerate() {
                    let wanted = Sampler::new(seed, 1, 16);
                    for (found, wanted) in noise[number * 4 * 16..][..16].iter().zip(wanted.noise()) {
                        assert!((found - wanted).abs() < 1e-6);
                    }
                }
            }
        }
    }

    #[test]
    fn a_straight_path_has_its_middle_in_the_middle_and_a_spherical_one_keeps_its_length() {
        let (left, right) = ([3.0, 0.0], [0.0, 3.0]);
        assert_eq!(between(&left, &right, 0.5, false), [1.5, 1.5]);
        let middle = between(&left, &right, 0.5, true);
        assert!((middle[0] - middle[1]).abs() < 1e-6 && (middle[0].hypot(middle[1]) - 3.0).abs() < 1e-5);
        assert_eq!(between(&left, &[6.0, 0.0], 0.5, true), [4.5, 0.0]);
        assert_eq!(between(&[0.0, 0.0], &right, 0.5, true), [0.0, 1.5]);
    }
}
