//! Copies of training images, told by pixels: for images that no classifier knows.

use ganvas_data::ImageSource;
use ganvas_metrics::{Features, Neighbour, memorized, nearest, nearest_other};

use crate::EvaluatorError;

/// Rows and columns that images are made smaller to, at most: what is left is what, where and in which colour, and no grain.
const SIDE: usize = 16;

/// Training images whose own distance to the others is looked at, evenly of all.
const LOOKED_AT: usize = 2_000;

/// Training images that are compared at once: 50 megabytes of colours.
const AT_ONCE: usize = 8_192;

/// What generated images have of those that they were trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Copies {
    /// The share of generated images that are nearer to a training image than 99 of 100 training images are to another one. About 0.01
    /// where nothing is copied, 1 where everything is.
    pub share: f64,
    /// The nearest training image of each generated one.
    pub nearest: Vec<Neighbour>,
}

impl Copies {
    /// Compares by pixels: means over squares, at most 16×16 of an image.
    ///
    /// The first `originals` of the training images are those whose distances to each other are the measure; mirror images of them, which
    /// are compared with too, come after.
    ///
    /// # Errors
    /// [`EvaluatorError::Shape`] where the images are of different shapes, [`EvaluatorError::Data`] where one cannot be read.
    pub fn of(
        generated: &dyn ImageSource,
        training: &dyn ImageSource,
        originals: usize,
    ) -> Result<Self, EvaluatorError> {
        if generated.shape() != training.shape() {
            return Err(EvaluatorError::Shape {
                name: generated.name().to_owned(),
                expected: training.shape().into(),
                found: generated.shape().into(),
            });
        }
        let looked_at = originals.min(LOOKED_AT);
        let some = (0..looked_at).map(|index| index * originals / looked_at);
        let (of_generated, of_some) = (coarse(generated, 0..generated.len())?, coarse(training, some)?);
        let (mut nearest_training, mut nearest_others) = (None, None);
        for first in (0..training.len()).step_by(AT_ONCE) {
            let part = coarse(training, first..(first + AT_ONCE).min(training.len()))?;
            keep_nearer(&mut nearest_training, nearest(&of_generated, &part)?, first);
            if first < originals {
                let part = part.select(0..part.count().min(originals - first));
                keep_nearer(&mut nearest_others, nearest_other(&of_some, &part)?, first);
            }
        }
        let (nearest, mut of_others) = (nearest_training.unwrap_or_default(), nearest_others.unwrap_or_default());
        // Where all are equal, none has another.
        of_others.retain(|neighbour| neighbour.distance.is_finite());
        Ok(Self {
            share: memorized(&nearest, &of_others),
            nearest,
        })
    }
}

/// Takes the neighbours among the images from `first` on where they are nearer than those before.
fn keep_nearer(known: &mut Option<Vec<Neighbour>>, found: Vec<Neighbour>, first: usize) {
    let found = found.into_iter().map(|neighbour| Neighbour {
        index: first + neighbour.index,
        ..neighbour
    });
    match known {
        None => *known = Some(found.collect()),
        Some(known) => {
            for (known, found) in known.iter_mut().zip(found) {
                if found.distance < known.distance {
                    *known = found;
                }
            }
        }
    }
}

/// The means of brightness over squares of so many pixels that at most [`SIDE`] of them make a row or column, channel by channel.
fn coarse(images: &dyn ImageSource, chosen: impl IntoIterator<Item = usize>) -> Result<Features, EvaluatorError> {
    let [channels, height, width] = images.shape();
    let square = height.max(width).div_ceil(SIDE).max(1);
    let [rows, columns] = [height.div_ceil(square), width.div_ceil(square)];
    let mut values = Vec::new();
    for index in chosen {
        let image = images.image(index)?;
        for plane in image.chunks_exact(height * width) {
            let mut sums = vec![(0.0, 0.0); rows * columns];
            for (at, &pixel) in plane.iter().enumerate() {
                let (sum, count) = &mut sums[at / width / square * columns + at % width / square];
                *sum += f64::from(pixel) / 255.0;
                *count += 1.0;
            }
            values.extend(sums.iter().map(|(sum, count)| sum / count));
        }
    }
    Ok(Features::new(values, channels * rows * columns)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use ganvas_data::{ImageSet, Mirrored, Purpose, keyed_rng};
    use rand::Rng;

    use super::*;

    /// Images that share nothing.
    fn noise(count: usize, shape: [usize; 3], seed: u64) -> ImageSet {
        let mut rng = keyed_rng(seed, Purpose::Noise, 0);
        let pixels = (0..count * shape.iter().product::<usize>()).map(|_| rng.random());
        ImageSet::new("noise", pixels.collect(), None, shape).unwrap()
    }

    #[test]
    fn others_of_the_same_kind_are_no_copies_and_copies_are_found_in_any_part() {
        let shape = [3, 5, 6];
        let (training, other) = (noise(20_000, shape, 1), noise(500, shape, 2));
        let found = Copies::of(&other, &training, training.len()).unwrap();
        assert!(found.share < 0.04, "{}", found.share);

        let copied = [0, 8_191, 8_192, 19_999];
        let pixels = copied.map(|index| training.image(index).unwrap().into_owned()).concat();
        let copies = ImageSet::new("copies", pixels, None, shape).unwrap();
        let found = Copies::of(&copies, &training, training.len()).unwrap();
        assert_eq!(found.share, 1.0);
        assert_eq!(
            found.nearest.iter().map(|found| found.index).collect::<Vec<_>>(),
            copied
        );
        assert!(found.nearest.iter().all(|found| found.distance == 0.0));
    }

    #[test]
    fn a_copy_of_a_mirror_image_is_one() {
        let training = Arc::new(noise(50, [1, 20, 33], 1));
        let mirrored = Mirrored::new(training.clone());
        let copy = ImageSet::new("copy", mirrored.image(57).unwrap().into_owned(), None, [1, 20, 33]).unwrap();
        let found = Copies::of(&copy, &mirrored, 50).unwrap();
        assert_eq!((found.share, found.nearest[0].index), (1.0, 57));
        assert_eq!(Copies::of(&copy, &*training, 50).unwrap().share, 0.0);
    }

    #[test]
    fn squares_at_the_edges_are_means_of_fewer_pixels() {
        // 20×33 by squares of 3: 7 rows of 11, the last of them of two rows of pixels.
        let one = ImageSet::new("one", vec![51; 20 * 33], None, [1, 20, 33]).unwrap();
        let found = coarse(&one, [0]).unwrap();
        assert_eq!(found.width(), 77);
        assert!(found.sample(0).iter().all(|value| (value - 0.2).abs() < 1e-12));
    }

    #[test]
    fn equal_images_and_other_shapes() {
        let equal = ImageSet::new("equal", vec![7; 40], None, [1, 2, 2]).unwrap();
        assert_eq!(Copies::of(&equal, &equal, 10).unwrap().share, 0.0);
        let error = Copies::of(&equal, &noise(3, [1, 3, 2], 1), 3).unwrap_err();
        assert!(error.to_string().contains("equal: expected images of 1×3×2"), "{error}");
    }
}
