//! The classes of a collection of images.

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{Fingerprint, ImageSource, Purpose, keyed_rng};

/// What the labels of a collection of images say: the classes, how frequent each is, and a sum over all labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// What people call them, in the order of their numbers.
    pub names: Vec<String>,
    /// Images of each.
    pub counts: Vec<u64>,
    /// SHA-256 over the labels, 32-bit little-endian numbers, in hexadecimal.
    pub labels: Fingerprint,
}

impl Classes {
    /// Those of a source; nothing where it has no labels.
    pub fn of(images: &dyn ImageSource) -> Option<Self> {
        let mut counts = vec![0; images.classes()];
        let labels: Option<Vec<u32>> = (0..images.len()).map(|index| images.label(index)).collect();
        let labels = labels.filter(|_| !counts.is_empty())?;
        for &label in &labels {
            *counts.get_mut(label as usize)? += 1;
        }
        Some(Self {
            names: images.class_names(),
            counts,
            labels: Fingerprint::of_bytes(labels.iter().flat_map(|label| label.to_le_bytes())),
        })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.counts.len()
    }

    /// The number of a class by its number, or by its name, whatever its case.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<u32> {
        let by_name = |name: &String| name.to_lowercase() == wanted.trim().to_lowercase();
        let by_number = || {
            wanted
                .trim()
                .parse()
                .ok()
                .filter(|&number: &usize| number < self.count())
        };
        let found = self.names.iter().position(by_name).or_else(by_number)?;
        u32::try_from(found).ok()
    }

    /// A class for image `index` of those that are drawn by `seed` for this purpose, each as often as it is among the images.
    #[must_use]
    pub fn draw(&self, seed: u64, purpose: Purpose, index: u64) -> u32 {
        let total: u64 = self.counts.iter().sum();
        let mut left = keyed_rng(seed, purpose, index).random_range(0..total.max(1));
        let is_it = |&(_, &count): &(usize, &u64)| match left.checked_sub(count) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        };
        let found = self.counts.iter().enumerate().find(is_it);
        found.map_or(0, |(class, _)| class as u32)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{ImageSet, Split, synthetic_digits};

    fn set(labels: Option<Vec<u8>>) -> ImageSet {
        ImageSet::new("test", vec![0; 5], labels, [1, 1, 1]).unwrap()
    }

    #[test]
    fn they_are_counted_and_summed_up() {
        let classes = Classes::of(&set(Some(vec![2, 0, 2, 2, 0]))).unwrap();
        assert_eq!((classes.counts.as_slice(), classes.count()), (&[2, 0, 3][..], 3));
        assert_eq!(classes.names, ["0", "1", "2"]);
        let moved = Classes::of(&set(Some(vec![0, 2, 2, 2, 0]))).unwrap();
        assert_ne!(classes.labels, moved.labels);
        // printf '\2\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0' | sha256sum
        assert_eq!(classes.labels.short(), "4f29e2ac");
        assert_eq!(Classes::of(&set(None)), None);
    }

    #[test]
    fn they_are_drawn_as_often_as_they_are_there() {
        let classes = Classes::of(&set(Some(vec![2, 0, 2, 2, 0]))).unwrap();
        let drawn: Vec<u32> = (0..10_000)
            .map(|index| classes.draw(7, Purpose::SampleLabels, index))
            .collect();
        let share = |class: u32| drawn.iter().filter(|&&drawn| drawn == class).count() as f64 / 10_000.0;
        // Three standard deviations of 10,000 draws.
        assert!((share(0) - 0.4).abs() < 0.015 && (share(2) - 0.6).abs() < 0.015);
        assert_eq!(share(1), 0.0);
        assert!(drawn.windows(2).any(|pair| pair[0] != pair[1]));
        assert_ne!(
            drawn[..20],
            (0..20)
                .map(|index| classes.draw(8, Purpose::SampleLabels, index))
                .collect::<Vec<_>>()[..]
        );
    }

    #[test]
    fn a_class_is_found_by_its_number_and_by_its_name() {
        let digits = Classes::of(&synthetic_digits(1, Split::Train, 100)).unwrap();
        assert_eq!(
            (digits.find("7"), digits.find(" 7 "), digits.find("10")),
            (Some(7), Some(7), None)
        );
        let names = ["T-shirt", "Sneaker", "0"].map(str::to_owned).to_vec();
        let classes = Classes {
            names,
            ..Classes::of(&set(Some(vec![2, 0, 1, 2, 0]))).unwrap()
        };
        assert_eq!(
            (classes.find("sneaker"), classes.find("t-SHIRT"), classes.find("1")),
            (Some(1), Some(0), Some(1))
        );
        // A name comes before a number.
        assert_eq!((classes.find("0"), classes.find("boot")), (Some(2), None));
    }
}
