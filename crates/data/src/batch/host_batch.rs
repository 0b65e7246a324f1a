//! From bytes to the numbers a network sees, and back.

use rand::RngCore;

use crate::{DataError, ImageSource, Purpose, keyed_rng, normal_vec};

/// Maps a byte to the range −1 to 1: `(x − 127.5) / 127.5`.
///
/// −1 is black and 1 is white, the range of the tanh that ends a generator, so real and generated
/// images can be compared number by number.
#[must_use]
pub const fn normalize(byte: u8) -> f32 {
    (byte as f32 - 127.5) / 127.5
}

/// Maps −1 to 1 back to a byte: (x + 1) / 2, held to 0 and 1, times 255, rounded.
///
/// What lies outside the range becomes black or white, and what is not a number becomes black.
#[must_use]
pub fn denormalize(value: f32) -> u8 {
    // Rust's conversion saturates and takes NaN to 0, which is just what an image wants.
    (((value + 1.0) / 2.0).clamp(0.0, 1.0) * 255.0).round() as u8
}

/// What one update of the networks is computed from, in the memory of the host: real images with
/// their labels, and noise.
#[derive(Debug, Clone, PartialEq)]
pub struct HostBatch {
    /// Pixels from −1 to 1 in N·C·H·W order.
    pub images: Vec<f32>,
    /// Images, channels, height, width.
    pub shape: [usize; 4],
    /// The images' classes, where the source has labels.
    pub labels: Option<Vec<u32>>,
    /// z ~ N(0, 1), row after row.
    pub z: Vec<f32>,
    /// The classes that the rows of z are for, where the source has labels: those of the images, from the first on again where there are
    /// fewer.
    pub fake_labels: Option<Vec<u32>>,
    /// Rows and latent size of z.
    pub z_shape: [usize; 2],
    /// The number of the batch.
    pub number: u64,
    /// Decides whatever else is drawn for it.
    pub seed: u64,
}

impl HostBatch {
    /// Gathers the images that `indices` name, in their order, and [normalizes](normalize) them;
    /// without noise.
    ///
    /// # Errors
    ///
    /// [`DataError::IndexOutOfRange`] if an index is past the end of the source.
    pub fn assemble(source: &dyn ImageSource, indices: &[u32]) -> Result<Self, DataError> {
        let [channels, height, width] = source.shape();
        let mut images = Vec::with_capacity(indices.len() * channels * height * width);
        let mut labels = (source.classes() > 0).then(|| Vec::with_capacity(indices.len()));
        for &index in indices {
            let index = index as usize;
            images.extend(source.image(index)?.iter().map(|&byte| normalize(byte)));
            if let Some(labels) = &mut labels {
                let label = source.label(index);
                labels.push(label.ok_or_else(|| DataError::past_the_end(source, index))?);
            }
        }
        Ok(Self {
            images,
            shape: [indices.len(), channels, height, width],
            labels,
            z: Vec::new(),
            fake_labels: None,
            z_shape: [0, 0],
            number: 0,
            seed: 0,
        })
    }

    /// Draws the noise of batch `number`: of seed and number alone, the same for every backend.
    #[must_use]
    pub fn with_noise(self, seed: u64, number: u64, rows: usize, latent_size: usize) -> Self {
        let labels = self.labels.as_ref();
        Self {
            fake_labels: labels.map(|labels| labels.iter().copied().cycle().take(rows).collect()),
            z: normal_vec(&mut keyed_rng(seed, Purpose::Noise, number), rows * latent_size),
            z_shape: [rows, latent_size],
            number,
            seed: keyed_rng(seed, Purpose::Objective, number).next_u64(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageSet;
    use proptest::prelude::*;

    fn set() -> ImageSet {
        ImageSet::new("test", vec![0, 255, 51, 204, 102, 153], Some(vec![0, 1, 2]), [1, 1, 2]).unwrap()
    }

    #[test]
    fn every_byte_survives_the_round_trip() {
        for byte in 0..=u8::MAX {
            let value = normalize(byte);
            assert!((-1.0..=1.0).contains(&value));
            assert_eq!(denormalize(value), byte);
        }
        assert_eq!((normalize(0), normalize(255)), (-1.0, 1.0));
    }

    #[test]
    fn strange_numbers_become_black_or_white() {
        assert_eq!(denormalize(f32::NAN), 0);
        assert_eq!(denormalize(f32::NEG_INFINITY), 0);
        assert_eq!(denormalize(f32::INFINITY), 255);
    }

    proptest! {
        #[test]
        fn denormalized_numbers_are_within_half_a_step(value in -1.0_f32..=1.0) {
            prop_assert!((normalize(denormalize(value)) - value).abs() <= 0.5 / 127.5 + 1e-6);
        }
    }

    #[test]
    fn a_batch_keeps_the_order_of_its_indices() {
        let batch = HostBatch::assemble(&set(), &[2, 0]).unwrap();
        assert_eq!(batch.shape, [2, 1, 1, 2]);
        assert_eq!(batch.images, [102, 153, 0, 255].map(normalize));
        assert_eq!(batch.labels, Some(vec![2, 0]));
        let unlabelled = ImageSet::new("test", vec![0; 4], None, [1, 1, 2]).unwrap();
        assert_eq!(HostBatch::assemble(&unlabelled, &[1]).unwrap().labels, None);
    }

    #[test]
    fn generated_images_are_to_be_of_the_classes_of_the_real_ones() {
        let batch = HostBatch::assemble(&set(), &[2, 0]).unwrap().with_noise(1, 0, 5, 3);
        assert_eq!(batch.fake_labels, Some(vec![2, 0, 2, 0, 2]));
        let unlabelled = ImageSet::new("test", vec![0; 4], None, [1, 1, 2]).unwrap();
        let batch = HostBatch::assemble(&unlabelled, &[1]).unwrap().with_noise(1, 0, 5, 3);
        assert_eq!(batch.fake_labels, None);
    }

    #[test]
    fn an_index_past_the_end_is_an_error() {
        let error = HostBatch::assemble(&set(), &[0, 3]).unwrap_err().to_string();
        assert!(error.contains("image 3") && error.contains("3 images"), "{error}");
    }
}
