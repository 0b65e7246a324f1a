//! What is done to images before the discriminator sees them.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use crate::ModelError;

/// `[objective.augment]`: DiffAugment (Zhao et al., 2020, arXiv:2006.10738), the same kinds of change to real and generated images in both
/// networks' updates, each image by numbers of its own. The gradient goes back through it to the generator, so it learns images that were never
/// changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AugmentConfig {
    /// Images are moved by up to this share of their sides, up and down, left and right, and zeros (middle grey) move in; usually 0.125, or 0 for
    /// none.
    pub translation: f64,
    /// A square of this share of the sides becomes zeros (middle grey); usually 0.5, or 0 for none.
    pub cutout: f64,
    /// All pixels of an image become lighter or darker by up to half of this, of the range from -1 to 1; usually 1, or 0 for none.
    pub brightness: f64,
}

impl AugmentConfig {
    /// Whether it changes anything.
    pub fn is_on(&self) -> bool {
        *self != Self::default()
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`ModelError::Config`] naming the key below `objective`.
    pub(super) fn validate(&self) -> Result<(), ModelError> {
        for (key, value, most) in [
            ("augment.translation", self.translation, 1.0),
            ("augment.cutout", self.cutout, 1.0),
            ("augment.brightness", self.brightness, 2.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return Err(ModelError::config(key, value.to_string(), format!("0 to {most}")));
            }
        }
        Ok(())
    }

    /// Changes images by numbers from `rng`, one image after the other, in operations that are differentiated.
    ///
    /// # Shapes
    /// - images and result: `[batch, channels, height, width]`
    pub fn apply<B: Backend>(&self, mut images: Tensor<B, 4>, rng: &mut impl Rng) -> Tensor<B, 4> {
        let device = images.device();
        let [batch, channels, height, width] = images.dims();
        if self.brightness > 0.0 {
            let shifts: Vec<f32> = (0..batch)
                .map(|_| ((rng.random::<f64>() - 0.5) * self.brightness) as f32)
                .collect();
            images = images + Tensor::from_data(TensorData::new(shifts, [batch, 1, 1, 1]), &device);
        }
        if self.translation > 0.0 {
            // The rows are moved by a matrix from the left, the columns by one from the right: the gradient of a selection adds up in no fixed
            // order on graphics cards.
            let mut moves = |side: usize| {
                let most = (side as f64 * self.translation + 0.5) as i64;
                let values: Vec<f32> = (0..batch)
                    .flat_map(|_| moving(side, rng.random_range(-most..=most)))
                    .collect();
                Tensor::<B, 4>::from_data(TensorData::new(values, [batch, 1, side, side]), &device)
                    .expand([batch, channels, side, side])
            };
            let (rows, columns) = (moves(height), moves(width));
            images = rows.matmul(images).matmul(columns.swap_dims(2, 3));
        }
        if self.cutout > 0.0 {
            let sides = [height, width].map(|side| ((side as f64 * self.cutout + 0.5) as i64).max(1));
            let mut kept = Vec::with_capacity(batch * height * width);
            for _ in 0..batch {
                // The middle may lie anywhere, so a square may lie partly outside.
                let mut start = |side: usize, cut: i64| rng.random_range(0..side as i64 + 1 - cut % 2) - cut / 2;
                let (top, left) = (start(height, sides[0]), start(width, sides[1]));
                for y in 0..height as i64 {
                    for x in 0..width as i64 {
                        let is_cut = (top..top + sides[0]).contains(&y) && (left..left + sides[1]).contains(&x);
                        kept.push(if is_cut { 0.0 } else { 1.0 });
                    }
                }
            }
            let kept = Tensor::<B, 4>::from_data(TensorData::new(kept, [batch, 1, height, width]), &device);
            images = images * kept;
        }
        images
    }
}

/// The matrix that moves a column of values down by so many places, zeros moving in; row after row.
fn moving(side: usize, places: i64) -> impl Iterator<Item = f32> {
    (0..side * side).map(move |index| {
        let (to, from) = ((index / side) as i64, (index % side) as i64);
        f32::from(u8::from(to - from == places))
    })
}

/// Images that are judged, each side with random numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Real ones, in the discriminator's update.
    Real = 0,
    /// Generated ones, in the discriminator's update.
    Fake = 1,
    /// Real ones, in the generator's update.
    GeneratorReal = 2,
    /// Generated ones, in the generator's update.
    GeneratorFake = 3,
}

/// The first stream of a batch's random numbers for augmentation, and for noise: one for each [`Side`].
const AUGMENT: u64 = 10;
const NOISE: u64 = 20;

/// What the discriminator sees of images: augmented, and then with noise of this standard deviation.
pub(super) fn seen<B: Backend>(
    augment: &AugmentConfig,
    noise: f64,
    batch: &Batch<B>,
    images: Tensor<B, 4>,
    side: Side,
) -> Tensor<B, 4> {
    let images = match augment.is_on() {
        true => augment.apply(images, &mut batch.rng(AUGMENT + side as u64)),
        false => images,
    };
    match noise > 0.0 {
        true => {
            let rng = batch.rng(NOISE + side as u64);
            let noise = normals::<B>(images.dims(), rng, &images.device()) * noise;
            images + noise
        }
        false => images,
    }
}

/// Values of the standard normal distribution.
pub(super) fn normals<B: Backend>(shape: [usize; 4], rng: impl Rng, device: &B::Device) -> Tensor<B, 4> {
    let count = shape.iter().product();
    let values: Vec<f32> = rng.sample_iter(StandardNormal).take(count).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::host_values;

    type Flex = burn_autodiff::Autodiff<burn_flex::Flex>;

    const SHAPE: [usize; 4] = [40, 2, 5, 6];

    /// Images in which every pixel is another number, and none is 0.
    fn images() -> Tensor<Flex, 4> {
        let count: usize = SHAPE.iter().product();
        let values: Vec<f32> = (1..=count).map(|number| number as f32).collect();
        Tensor::from_data(TensorData::new(values, SHAPE), &Default::default())
    }

    fn changed(config: AugmentConfig, seed: u64) -> Vec<f32> {
        host_values(config.apply(images(), &mut ChaCha8Rng::seed_from_u64(seed)))
    }

    #[test]
    fn images_are_moved_as_a_whole_each_by_steps_of_its_own() {
        let config = AugmentConfig {
            translation: 0.4,
            ..AugmentConfig::default()
        };
        let (before, after) = (host_values(images()), changed(config, 1));
        let mut steps = Vec::new();
        for (before, after) in before.chunks(60).zip(after.chunks(60)) {
            let at = |image: &[f32], channel: usize, y: i64, x: i64| {
                let is_inside = (0..5).contains(&y) && (0..6).contains(&x);
                if is_inside {
                    image[channel * 30 + y as usize * 6 + x as usize]
                } else {
                    0.0
                }
            };
            let fits = |down: i64, right: i64| {
                (0..60_i64).all(|place| {
                    let (channel, y, x) = ((place / 30) as usize, place / 6 % 5, place % 6);
                    at(after, channel, y, x) == at(before, channel, y - down, x - right)
                })
            };
            // 0.4 of 5 and of 6 is 2, rounded.
            let found: Vec<(i64, i64)> = (-2..=2)
                .flat_map(|down| (-2..=2).map(move |right| (down, right)))
                .filter(|&(down, right)| fits(down, right))
                .collect();
            assert_eq!(found.len(), 1);
            steps.extend(found);
        }
        for most in [-2, 2] {
            assert!(steps.iter().any(|step| step.0 == most) && steps.iter().any(|step| step.1 == most));
        }
        assert_eq!(changed(config, 1), after);
        assert_ne!(changed(config, 2), after);
    }

    #[test]
    fn a_square_is_cut_out_of_all_channels() {
        let config = AugmentConfig {
            cutout: 0.5,
            ..AugmentConfig::default()
        };
        let (before, after) = (host_values(images()), changed(config, 1));
        let mut sizes = Vec::new();
        for (before, after) in before.chunks(60).zip(after.chunks(60)) {
            let is_cut: Vec<bool> = after.iter().map(|&value| value == 0.0).collect();
            assert_eq!(is_cut[..30], is_cut[30..]);
            let rest = before.iter().zip(after).filter(|(_, after)| **after != 0.0);
            assert!(rest.clone().all(|(before, after)| before == after));
            // A rectangle: as many as rows times columns that are met.
            let (rows, columns): (Vec<_>, Vec<_>) = (
                (0..5).filter(|y| (0..6).any(|x| is_cut[y * 6 + x])).collect(),
                (0..6).filter(|x| (0..5).any(|y| is_cut[y * 6 + x])).collect(),
            );
            assert_eq!(
                is_cut[..30].iter().filter(|&&cut| cut).count(),
                rows.len() * columns.len()
            );
            sizes.push((rows.len(), columns.len()));
        }
        // Half of 5 and of 6, rounded, where it lies inside.
        assert!(
            sizes
                .iter()
                .all(|&(rows, columns)| (1..=3).contains(&rows) && (1..=3).contains(&columns))
        );
        assert!(
            sizes.contains(&(3, 3)) && sizes.iter().any(|&size| size != (3, 3)),
            "{sizes:?}"
        );
    }

    #[test]
    fn brightness_changes_all_pixels_of_an_image_alike() {
        let config = AugmentConfig {
            brightness: 1.0,
            ..AugmentConfig::default()
        };
        let (before, after) = (host_values(images()), changed(config, 1));
        let shifts: Vec<f32> = before
            .chunks(60)
            .zip(after.chunks(60))
            .map(|(before, after)| {
                let shift = after[0] - before[0];
                assert!(
                    before
                        .iter()
                        .zip(after)
                        .all(|(before, after)| (after - before - shift).abs() < 1e-3)
                );
                shift
            })
            .collect();
        assert!(shifts.iter().all(|shift| shift.abs() <= 0.501));
        assert!(shifts.iter().any(|&shift| shift > 0.3) && shifts.iter().any(|&shift| shift < -0.3));
    }

    #[test]
    fn sides_are_changed_otherwise_and_nothing_is_changed_where_nothing_is_on() {
        let device = Default::default();
        let batch = Batch::<Flex>::without_labels(images(), Tensor::zeros([40, 1], &device), 7);
        let config = AugmentConfig {
            translation: 0.4,
            ..AugmentConfig::default()
        };
        let of = |side| host_values(seen(&config, 0.1, &batch, images(), side));
        assert_eq!(of(Side::Real), of(Side::Real));
        let sides = [Side::Real, Side::Fake, Side::GeneratorReal, Side::GeneratorFake].map(of);
        for (index, one) in sides.iter().enumerate() {
            assert!(sides[..index].iter().all(|other| other != one));
        }
        let off = AugmentConfig::default();
        assert_eq!(
            host_values(seen(&off, 0.0, &batch, images(), Side::Real)),
            host_values(images())
        );
        let noisy = host_values(seen(&off, 0.5, &batch, images(), Side::Real));
        let squares: f32 = noisy
            .iter()
            .zip(host_values(images()))
            .map(|(one, other)| (one - other).powi(2))
            .sum();
        assert!(((squares / noisy.len() as f32).sqrt() - 0.5).abs() < 0.03);
    }
}
