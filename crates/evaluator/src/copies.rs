//! Copies of training images, told by pixels: for images that no classifier knows.

use std::sync::Arc;

use ganvas_data::ImageSource;
use ganvas_metrics::{Features, Neighbour, memorized, several_nearest};

use crate::EvaluatorError;

/// Rows and columns that images are made smaller to, at most: what is left is what, where and in which colour, and no grain.
const SIDE: usize = 16;

/// Training images whose own distance to the others is looked at, evenly of all.
const LOOKED_AT: usize = 2_000;

/// The nearest training images whose mean distance is the measure of the nearest one's, as in Carlini et al. 2023 (arXiv:2301.13188): by pixels
/// alone a plain image is near to many, and would pass for a copy of each.
const AROUND: usize = 50;

/// Training images that are compared at once: 50 megabytes of colours.
const AT_ONCE: usize = 8_192;

/// What generated images have of those that they were trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Copies {
    /// The share of generated images that are nearer to a training image than 99 of 100 training images are to another one (of fewer than 100:
    /// than any), both against the mean distance of the 50 nearest. `None` where training images do not differ.
    pub share: Option<f64>,
    /// The nearest training image of each generated one, and how near it is against the 50 nearest: 0 is a copy, 1 is as near as they.
    pub nearest: Vec<Neighbour>,
}

/// Training images, and how near they are to each other, by pixels: means over squares, at most 16×16 of an image.
#[derive(Debug)]
pub struct Originals {
    training: Arc<dyn ImageSource>,
    /// How many of the nearest are taken, of generated images as of these.
    around: usize,
    /// The nearest other one of some of them.
    nearest: Vec<Neighbour>,
}

impl Originals {
    /// Measures training images. The first `originals` of them are followed by their mirror images, or by nothing.
    ///
    /// # Errors
    /// [`EvaluatorError::Data`] where one cannot be read.
    pub fn new(training: Arc<dyn ImageSource>, originals: usize) -> Result<Self, EvaluatorError> {
        let around = AROUND.min(originals.saturating_sub(1)).max(1);
        let looked_at = originals.min(LOOKED_AT);
        let some: Vec<usize> = (0..looked_at).map(|index| index * originals / looked_at).collect();
        let of_some = coarse(&*training, some.iter().copied())?;
        // Neither itself nor its mirror image, and none that was put there twice.
        let is_other = |one: usize, other: usize, squared| some[one] != other % originals && squared > 0.0;
        let nearest = nearest_in_parts(&of_some, &*training, around, is_other)?;
        Ok(Self {
            training,
            around,
            nearest: nearest.iter().filter_map(|around| relative(around)).collect(),
        })
    }

    /// Looks for copies of them.
    ///
    /// # Errors
    /// [`EvaluatorError::Shape`] where the images are of another shape, [`EvaluatorError::Data`] where one cannot be read.
    pub fn copies(&self, generated: &dyn ImageSource) -> Result<Copies, EvaluatorError> {
        if generated.shape() != self.training.shape() {
            return Err(EvaluatorError::Shape {
                name: generated.name().to_owned(),
                expected: self.training.shape().into(),
                found: generated.shape().into(),
            });
        }
        let of_generated = coarse(generated, 0..generated.len())?;
        let nearest = nearest_in_parts(&of_generated, &*self.training, self.around, |_, _, _| true)?;
        let nearest: Vec<Neighbour> = nearest.iter().filter_map(|around| relative(around)).collect();
        let share = (!self.nearest.is_empty()).then(|| memorized(&nearest, &self.nearest));
        Ok(Copies { share, nearest })
    }
}

/// The `count` nearest training images of each sample, of those that count; so many at once that memory holds them.
fn nearest_in_parts(
    samples: &Features,
    training: &dyn ImageSource,
    count: usize,
    counts: impl Fn(usize, usize, f64) -> bool + Sync,
) -> Result<Vec<Vec<Neighbour>>, EvaluatorError> {
    let mut known = vec![Vec::new(); samples.count()];
    for first in (0..training.len()).step_by(AT_ONCE) {
        let part = coarse(training, first..(first + AT_ONCE).min(training.len()))?;
        let found = several_nearest(samples, &part, count, |sample, other, squared| {
            counts(sample, first + other, squared)
        })?;
        for (known, found) in known.iter_mut().zip(found) {
            known.extend(found.into_iter().map(|neighbour| Neighbour {
                index: first + neighbour.index,
                ..neighbour
            }));
            known.sort_by(|one: &Neighbour, other| one.distance.total_cmp(&other.distance));
            known.truncate(count);
        }
    }
    Ok(known)
}

/// The nearest, at its distance over the mean of all; nothing where there is none.
fn relative(around: &[Neighbour]) -> Option<Neighbour> {
    let mean = around.iter().map(|found| found.distance).sum::<f64>() / around.len() as f64;
    around.first().map(|&Neighbour { index, distance }| Neighbour {
        index,
        // Where all are at no distance, it is a copy.
        distance: if distance == 0.0 { 0.0 } else { distance / mean },
    })
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
        let training = Arc::new(training);
        let originals = Originals::new(training.clone(), training.len()).unwrap();
        let share = originals.copies(&other).unwrap().share.unwrap();
        assert!(share < 0.04, "{share}");

        let copied = [0, 8_191, 8_192, 19_999];
        let pixels = copied.map(|index| training.image(index).unwrap().into_owned()).concat();
        let copies = ImageSet::new("copies", pixels, None, shape).unwrap();
        let found = originals.copies(&copies).unwrap();
        assert_eq!(found.share, Some(1.0));
        assert_eq!(
            found.nearest.iter().map(|found| found.index).collect::<Vec<_>>(),
            copied
        );
        assert!(found.nearest.iter().all(|found| found.distance == 0.0));
    }

    #[test]
    fn a_copy_of_a_mirror_image_is_one() {
        let training = Arc::new(noise(50, [1, 20, 33], 1));
        let mirrored = Arc::new(Mirrored::new(training.clone()));
        let copy = ImageSet::new("copy", mirrored.image(57).unwrap().into_owned(), None, [1, 20, 33]).unwrap();
        let found = Originals::new(mirrored, 50).unwrap().copies(&copy).unwrap();
        assert_eq!((found.share, found.nearest[0].index), (Some(1.0), 57));
        let without = Originals::new(training, 50).unwrap().copies(&copy).unwrap();
        assert_eq!(without.share, Some(0.0));
    }

    #[test]
    fn a_plain_image_is_no_copy_though_it_is_near() {
        // Noise around its mean: the mean itself is nearer to each than they are to each other, and as near to one as to all.
        let shape = [1, 8, 8];
        let training = Arc::new(noise(3_000, shape, 1));
        let plain = ImageSet::new("plain", vec![127; 64], None, shape).unwrap();
        let originals = Originals::new(training.clone(), 3_000).unwrap();
        assert_eq!(originals.copies(&plain).unwrap().share, Some(0.0));
        // One that is half way to a training image is.
        let near = training.image(7).unwrap().iter().map(|&pixel| pixel / 2 + 63).collect();
        let near = ImageSet::new("near", near, None, shape).unwrap();
        let found = originals.copies(&near).unwrap();
        assert_eq!((found.share, found.nearest[0].index), (Some(1.0), 7));
    }

    /// As many of few as of many: mirror images and fewer than fifty change nothing in what is expected.
    #[test]
    fn of_thirty_images_with_their_mirror_images_none_is_a_copy_by_chance_more_often_than_one_is_nearest() {
        let shape = [1, 12, 12];
        let mirrored = Mirrored::new(Arc::new(noise(30, shape, 1)));
        let originals = Originals::new(Arc::new(mirrored), 30).unwrap();
        let share = originals.copies(&noise(2_000, shape, 2)).unwrap().share.unwrap();
        assert!(share < 0.1, "{share}");
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
        // Of images that are all the same nobody can say what a copy is.
        let equal = ImageSet::new("equal", vec![7; 40], None, [1, 2, 2]).unwrap();
        let found = Originals::new(Arc::new(equal.clone()), 10)
            .unwrap()
            .copies(&equal)
            .unwrap();
        assert_eq!((found.share, found.nearest.len()), (None, 10));
        let other = noise(3, [1, 3, 2], 1);
        let error = Originals::new(Arc::new(other), 3).unwrap().copies(&equal).unwrap_err();
        assert!(error.to_string().contains("equal: expected images of 1×3×2"), "{error}");
    }
}
