//! Digits stacked in the three channels of colour images: a thousand modes, of which a generator may lose some.

use std::borrow::Cow;
use std::sync::OnceLock;

use rand::Rng;

use crate::{DataError, Fingerprint, ImageSet, ImageSource, Purpose, keyed_rng};

/// Digits that are stacked.
const CHANNELS: usize = 3;

/// Images of three channels, each a digit drawn at random from a set of grey ones (Metz et al. 2016, arXiv:1611.02163,
/// section 3.3.1). Nothing is stored but the digits: image `i` is a function of seed and `i`.
///
/// The label is the number that the three digits make, channel after channel: 0 to 999 for ten classes of digits.
#[derive(Debug)]
pub struct StackedDigits {
    name: String,
    digits: ImageSet,
    seed: u64,
    count: usize,
    fingerprint: OnceLock<Fingerprint>,
}

impl StackedDigits {
    /// `count` images of grey `digits`, drawn by `seed`.
    ///
    /// # Errors
    ///
    /// [`DataError::ImageSetShape`] if there are no digits, or if they are not grey.
    pub fn new(name: impl Into<String>, digits: ImageSet, seed: u64, count: usize) -> Result<Self, DataError> {
        if digits.is_empty() || digits.shape()[0] != 1 {
            return Err(DataError::ImageSetShape {
                name: digits.name().to_owned(),
                shape: digits.shape(),
                labels: digits.labels().map(<[u8]>::len),
                found: digits.pixels().len(),
            });
        }
        Ok(Self {
            name: name.into(),
            digits,
            seed,
            count,
            fingerprint: OnceLock::new(),
        })
    }

    /// The digits that are stacked.
    #[must_use]
    pub fn digits(&self) -> &ImageSet {
        &self.digits
    }

    /// The digits of image `index`, in the order of its channels.
    fn drawn(&self, index: usize) -> Option<[usize; CHANNELS]> {
        let mut rng = keyed_rng(self.seed, Purpose::StackedDigits, index as u64);
        // Indices of 32 bits are the same where `usize` has another width.
        let last = u32::try_from(self.digits.len() - 1).unwrap_or(u32::MAX);
        (index < self.count).then(|| [(); CHANNELS].map(|()| rng.random_range(0..=last) as usize))
    }

    /// The images in memory; without their labels, which bytes do not hold.
    ///
    /// # Errors
    ///
    /// [`DataError::ImageSetShape`], which these images never are.
    pub fn to_image_set(&self) -> Result<ImageSet, DataError> {
        let mut pixels = Vec::with_capacity(self.count * CHANNELS * self.digits.image_len());
        for index in 0..self.count {
            pixels.extend_from_slice(&self.image(index)?);
        }
        ImageSet::new(&self.name, pixels, None, self.shape())
    }
}

impl ImageSource for StackedDigits {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> usize {
        self.count
    }

    fn shape(&self) -> [usize; 3] {
        let [_, height, width] = self.digits.shape();
        [CHANNELS, height, width]
    }

    fn image(&self, index: usize) -> Result<Cow<'_, [u8]>, DataError> {
        let drawn = self.drawn(index).ok_or_else(|| DataError::past_the_end(self, index))?;
        let mut pixels = Vec::with_capacity(CHANNELS * self.digits.image_len());
        for digit in drawn {
            pixels.extend_from_slice(&self.digits.image(digit)?);
        }
        Ok(pixels.into())
    }

    fn classes(&self) -> usize {
        self.digits.classes().pow(CHANNELS as u32)
    }

    /// The digits, one after the other.
    fn class_names(&self) -> Vec<String> {
        let width = if self.digits.classes() == 10 { CHANNELS } else { 0 };
        (0..self.classes()).map(|class| format!("{class:0width$}")).collect()
    }

    fn label(&self, index: usize) -> Option<u32> {
        let classes = u32::try_from(self.digits.classes()).ok()?;
        let digits = self.drawn(index)?.map(|digit| self.digits.label(digit));
        digits
            .into_iter()
            .try_fold(0, |label, digit| Some(label * classes + digit?))
    }

    fn fingerprint(&self) -> Result<Fingerprint, DataError> {
        if let Some(found) = self.fingerprint.get() {
            return Ok(found.clone());
        }
        let images = (0..self.count).map(|index| self.image(index));
        let found = Fingerprint::of(self.shape(), self.count, images)?;
        Ok(self.fingerprint.get_or_init(|| found).clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{Split, synthetic_digits};

    fn stacked(seed: u64, count: usize) -> StackedDigits {
        StackedDigits::new("stacked", synthetic_digits(1, Split::Train, 500), seed, count).unwrap()
    }

    #[test]
    fn each_channel_is_the_digit_that_the_label_says() {
        let images = stacked(3, 50);
        assert_eq!(
            (images.len(), images.shape(), images.classes()),
            (50, [3, 28, 28], 1000)
        );
        for index in 0..50 {
            let (image, label) = (images.image(index).unwrap(), images.label(index).unwrap());
            let digits = [label / 100, label / 10 % 10, label % 10];
            for (plane, digit) in image.chunks_exact(784).zip(digits) {
                let is_it = |at: usize| *images.digits.image(at).unwrap() == *plane;
                let found = (0..500).find(|&at| is_it(at)).unwrap();
                assert_eq!(images.digits.label(found), Some(digit));
            }
        }
        assert!(images.image(50).is_err() && images.label(50).is_none());
    }

    #[test]
    fn images_depend_on_seed_and_number_alone_and_have_all_modes() {
        let (some, more) = (stacked(3, 20), stacked(3, 12_000));
        assert!((0..20).all(|index| some.image(index).unwrap() == more.image(index).unwrap()));
        assert_ne!(some.image(0).unwrap(), stacked(4, 20).image(0).unwrap());
        let modes: HashSet<u32> = (0..12_000).filter_map(|index| more.label(index)).collect();
        // 12 images a mode leave out six of a million, and synthetic classes are nearly as frequent.
        assert!(modes.len() > 990, "{}", modes.len());
    }

    #[test]
    fn in_memory_they_are_the_same() {
        let images = stacked(5, 7);
        let set = images.to_image_set().unwrap();
        assert_eq!((set.len(), set.shape(), set.labels()), (7, [3, 28, 28], None));
        assert!((0..7).all(|index| set.image(index).unwrap() == images.image(index).unwrap()));
        assert_eq!(set.fingerprint().unwrap(), images.fingerprint().unwrap());
    }

    #[test]
    fn colour_and_nothing_cannot_be_stacked() {
        for digits in [
            ImageSet::new("none", vec![], None, [1, 2, 2]).unwrap(),
            ImageSet::new("colour", vec![0; 12], None, [3, 2, 2]).unwrap(),
        ] {
            assert!(StackedDigits::new("stacked", digits, 1, 5).is_err());
        }
    }
}
