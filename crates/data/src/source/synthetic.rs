//! Digits that the program writes itself, for runs without any download.
//!
//! Each digit is drawn from one of the hand-made [skeletons](crate::source::skeletons): its points are
//! moved a little, the whole is slanted, turned, stretched and bent, and a pen of changing width
//! goes along it. As in MNIST the ink is white (255) on black (0), the ink's box is fitted into 20
//! × 20 pixels with its proportions kept, and its centre of mass is put at the middle of 28 × 28
//! (LeCun, Cortes and Burges, "The MNIST database of handwritten digits").

use std::f32::consts::{PI, TAU};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::source::raster::{Point, Sheet, bounds, curve};
use crate::source::skeletons::{ControlPoint, DIGITS, Variant};
use crate::{ImageSet, Purpose, Split, keyed_rng};

/// The side of a finished image, in pixels.
const SIDE: usize = 28;

/// Height and width of synthetic digits.
pub(crate) const SYNTHETIC_SIZE: [usize; 2] = [SIDE; 2];

/// The side of the box into which the ink is fitted, in pixels.
const BOX: usize = 20;

const IMAGE_LEN: usize = SIDE * SIDE;
const CLASSES: usize = 10;

/// Draws `count` handwriting-like digits of 1 × 28 × 28 pixels with their classes.
///
/// Image `i` depends on `seed`, `split` and `i` alone, so a longer set begins with the shorter one,
/// and the two splits of one seed have no image in common. Every ten images hold each class once,
/// in random order. The work is shared among the processor's cores without any effect on the
/// result.
///
/// Sines and exponentials come from the system's mathematical library, so on another operating system
/// a pixel may come out one level lighter or darker.
#[must_use]
pub fn synthetic_digits(seed: u64, split: Split, count: usize) -> ImageSet {
    let mut pixels = vec![0; count * IMAGE_LEN];
    let mut labels = vec![0; count];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = count.div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let chunks = pixels.chunks_mut(share * IMAGE_LEN).zip(labels.chunks_mut(share));
        for (chunk, (pixels, labels)) in chunks.enumerate() {
            scope.spawn(move || draw_range(seed, split, chunk * share, pixels, labels));
        }
    });
    ImageSet::from_parts("synthetic", pixels, Some(labels), [1, SIDE, SIDE])
}

/// Draws the images from number `first` on into `pixels` and `labels`.
fn draw_range(seed: u64, split: Split, first: usize, pixels: &mut [u8], labels: &mut [u8]) {
    let mut sheet = Sheet::new(BOX);
    let images = pixels.chunks_exact_mut(IMAGE_LEN);
    for (index, (image, label)) in (first..).zip(images.zip(labels)) {
        *label = class_of(seed, split, index as u64);
        let mut rng = keyed_rng(
            seed,
            Purpose::SyntheticDigits,
            counter(split, Draw::Image, index as u64),
        );
        draw_digit(*label, &mut rng, &mut sheet);
        place(&sheet, image);
    }
}

/// What a stream is for, within [`Purpose::SyntheticDigits`].
#[derive(Clone, Copy)]
enum Draw {
    Image,
    ClassOrder,
}

/// Lays split, kind and index into the counter of the key, so that no two streams coincide.
fn counter(split: Split, draw: Draw, index: u64) -> u64 {
    let split = match split {
        Split::Train => 0,
        Split::Test => 1,
    };
    let draw = match draw {
        Draw::Image => 0,
        Draw::ClassOrder => 2,
    };
    (index << 2) | draw | split
}

/// The class of image `index`: its place in the shuffled classes of its group of ten.
fn class_of(seed: u64, split: Split, index: u64) -> u8 {
    let (group, place) = (index / CLASSES as u64, index % CLASSES as u64);
    let mut rng = keyed_rng(seed, Purpose::SyntheticDigits, counter(split, Draw::ClassOrder, group));
    let mut classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    for last in (1..CLASSES as u32).rev() {
        let chosen = rng.random_range(0..=last);
        classes.swap(last as usize, chosen as usize);
    }
    classes.get(place as usize).copied().unwrap_or_default()
}

/// A normal number with mean 0, held to three standard deviations of `deviation`.
fn normal(rng: &mut ChaCha8Rng, deviation: f32) -> f32 {
    let number: f32 = rng.sample(StandardNormal);
    number.clamp(-3.0, 3.0) * deviation
}

/// One writer's hand: what is the same all over a digit.
struct Hand {
    slant: f32,
    turn: f32,
    aspect: f32,
    jitter: f32,
    bend: [Wave; 2],
    /// Half the pen's width in pixels of the finished image.
    radius: f32,
    swell: Wave,
    nib: f32,
    nib_strength: f32,
    /// How ragged the stroke's edges are: the deviation of its width from point to point.
    raggedness: f32,
    softness: f32,
}

/// A slow wave with a random phase.
#[derive(Clone, Copy)]
struct Wave {
    height: f32,
    frequency: f32,
    phase: f32,
}

impl Wave {
    fn draw(rng: &mut ChaCha8Rng, deviation: f32, frequencies: std::ops::Range<f32>) -> Self {
        Self {
            height: normal(rng, deviation),
            frequency: rng.random_range(frequencies),
            phase: rng.random_range(0.0..TAU),
        }
    }

    fn at(self, t: f32) -> f32 {
        self.height * (TAU * self.frequency * t + self.phase).sin()
    }
}

impl Hand {
    /// Draws a hand. The numbers were set by eye and by comparing stroke widths and mean intensity
    /// with MNIST's.
    fn draw(rng: &mut ChaCha8Rng, digit: u8) -> Self {
        let one = digit == 1;
        Self {
            // MNIST's writers lean to the right, and furthest in the digit 1.
            slant: if one {
                (0.15 + normal(rng, 0.26)).clamp(-0.3, 0.8)
            } else {
                (0.14 + normal(rng, 0.22)).clamp(-0.3, 0.45)
            },
            turn: normal(rng, 0.09),
            aspect: (1.0 + normal(rng, 0.15)).clamp(0.6, 1.5),
            jitter: if one { 0.012 } else { rng.random_range(0.014..0.042) },
            bend: [
                Wave::draw(rng, if one { 0.008 } else { 0.03 }, 0.4..1.1),
                Wave::draw(rng, 0.03, 0.4..1.1),
            ],
            // A thick pen closes the small rings of 6, 8 and 9, so those are written with a finer
            // one.
            radius: if matches!(digit, 4 | 6 | 8 | 9) {
                (1.22 * normal(rng, 0.23).exp()).clamp(0.7, 1.9)
            } else {
                (1.30 * normal(rng, 0.25).exp()).clamp(0.72, 2.3)
            },
            swell: Wave::draw(rng, 0.10, 0.3..1.8),
            nib: rng.random_range(0.0..PI),
            nib_strength: rng.random_range(0.0..0.3),
            raggedness: rng.random_range(0.0..0.09),
            softness: rng.random_range(1.0..1.5),
        }
    }

    /// Where the hand puts the point (x, y) of a skeleton.
    fn place(&self, x: f32, y: f32) -> Point {
        let (x, y) = (x - 0.5, y - 0.5);
        let bent_x = x + self.bend[0].at(y);
        let bent_y = y + self.bend[1].at(x);
        let slanted = (bent_x * self.aspect * 0.86) - self.slant * bent_y;
        let (sin, cos) = self.turn.sin_cos();
        Point::new(slanted * cos - bent_y * sin, slanted * sin + bent_y * cos)
    }

    /// Half the pen's width where it goes along `direction`, `t` of the way through its stroke.
    fn radius(&self, direction: Point, t: f32) -> f32 {
        let angle = direction.y.atan2(direction.x);
        let nib = self.nib_strength * ((angle - self.nib).sin().abs() - 0.64);
        self.radius * (1.0 + self.swell.at(t) + nib).clamp(0.6, 1.5)
    }
}

fn choose(variants: &'static [Variant], rng: &mut ChaCha8Rng) -> Option<&'static Variant> {
    let total: f32 = variants.iter().map(|variant| variant.weight).sum();
    let mut left = rng.random::<f32>() * total;
    variants
        .iter()
        .find(|variant| {
            left -= variant.weight;
            left < 0.0
        })
        .or(variants.last())
}

/// Draws one digit so that its ink fills the sheet's height or width.
fn draw_digit(digit: u8, rng: &mut ChaCha8Rng, sheet: &mut Sheet) {
    sheet.clear();
    let hand = Hand::draw(rng, digit);
    let variants = DIGITS.get(usize::from(digit)).copied().unwrap_or_default();
    let Some(variant) = choose(variants, rng) else { return };
    let strokes: Vec<Vec<Point>> = variant.strokes.iter().map(|stroke| trace(stroke, &hand, rng)).collect();
    let Some((low, high)) = bounds(strokes.iter().flatten()) else {
        return;
    };

    // The pen is as wide as it is whatever the digit's size, so the line itself has that much less
    // room.
    let margin = hand.radius + hand.softness / 4.0;
    let extent = (high.x - low.x).max(high.y - low.y).max(1e-3);
    let scale = (BOX as f32 - 2.0 * margin) / extent;
    let middle = BOX as f32 / 2.0;
    let fit = |point: &Point| {
        Point::new(
            middle + (point.x - (low.x + high.x) / 2.0) * scale,
            middle + (point.y - (low.y + high.y) / 2.0) * scale,
        )
    };
    for stroke in &strokes {
        let count = stroke.len().max(2) as f32 - 1.0;
        let mut last_radius = None;
        for (index, pair) in stroke.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            let (from, to) = (fit(from), fit(to));
            let direction = Point::new(to.x - from.x, to.y - from.y);
            let radius = hand.radius(direction, index as f32 / count) * (1.0 + normal(rng, hand.raggedness));
            sheet.line(from, to, (last_radius.unwrap_or(radius), radius), hand.softness);
            last_radius = Some(radius);
        }
    }
}

/// Moves a stroke's points as this hand does and draws the curve through them.
fn trace(stroke: &[ControlPoint], hand: &Hand, rng: &mut ChaCha8Rng) -> Vec<Point> {
    let moved: Vec<ControlPoint> = stroke
        .iter()
        .map(|point| ControlPoint {
            x: point.x + normal(rng, hand.jitter),
            y: point.y + normal(rng, hand.jitter),
            corner: point.corner,
        })
        .collect();
    curve(&moved).iter().map(|point| hand.place(point.x, point.y)).collect()
}

/// Copies the sheet into an image so that the ink's centre of mass comes to lie at the middle.
fn place(sheet: &Sheet, image: &mut [u8]) {
    let centre = sheet.centre_of_mass().unwrap_or(Point::new(10.0, 10.0));
    // MNIST moves digits by whole pixels too; what would leave the image is kept in it.
    let offset = |centre: f32| ((SIDE as f32 / 2.0 - centre).round() as usize).min(SIDE - BOX);
    let (left, top) = (offset(centre.x), offset(centre.y));
    let rows = image.chunks_exact_mut(SIDE).skip(top);
    for (row, ink_row) in rows.zip(sheet.rows()) {
        for (pixel, ink) in row.iter_mut().skip(left).zip(ink_row) {
            *pixel = (ink * 255.0).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageSource;

    #[test]
    fn an_image_depends_on_its_number_alone() {
        let long = synthetic_digits(5, Split::Train, 47);
        let short = synthetic_digits(5, Split::Train, 13);
        assert_eq!(long.clone().truncated(13), short);
        assert_eq!(long, synthetic_digits(5, Split::Train, 47));
        assert_ne!(long.pixels(), synthetic_digits(6, Split::Train, 47).pixels());
        assert_ne!(long.pixels(), synthetic_digits(5, Split::Test, 47).pixels());
        assert!(synthetic_digits(5, Split::Train, 0).is_empty());
    }

    #[test]
    fn classes_are_balanced_and_shuffled() {
        let set = synthetic_digits(1, Split::Train, 200);
        for group in set.labels().unwrap().chunks(10) {
            let mut sorted = group.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
        let labels = set.labels().unwrap();
        assert_ne!(labels[..10], labels[10..20]);
    }

    #[test]
    fn the_ink_looks_like_mnists() {
        let set = synthetic_digits(2, Split::Train, 2_000);
        let mean = set.pixels().iter().map(|&byte| f64::from(byte)).sum::<f64>() / (set.pixels().len() as f64 * 255.0);
        // MNIST's training images have a mean of 0.1307.
        assert!((0.115..0.145).contains(&mean), "mean intensity {mean}");
        for index in 0..set.len() {
            let image = set.image(index).unwrap();
            assert!(image.iter().any(|&byte| byte > 200), "image {index} has no full ink");
            let rows = || image.chunks_exact(SIDE).filter(|row| row.iter().any(|&byte| byte > 40));
            assert!(rows().count() <= BOX);
            assert!(image[..SIDE].iter().all(|&byte| byte == 0));
        }
    }
}
