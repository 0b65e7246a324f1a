//! From bytes to the numbers a network sees, and back.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use crate::{DataError, ImageSet};

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

/// A batch of normalized images in the memory of the host, ready to be copied to a device.
#[derive(Debug, Clone, PartialEq)]
pub struct HostBatch {
    /// Pixels from −1 to 1 in N·C·H·W order.
    pub images: Vec<f32>,
    /// The batch's shape: images, channels, height, width.
    pub shape: [usize; 4],
}

impl HostBatch {
    /// Gathers the images that `indices` name, in their order, and [normalizes](normalize) them.
    ///
    /// # Errors
    ///
    /// [`DataError::IndexOutOfRange`] if an index is past the end of the set.
    pub fn assemble(set: &ImageSet, indices: &[u32]) -> Result<Self, DataError> {
        let mut images = Vec::with_capacity(indices.len() * set.image_len());
        for &index in indices {
            let pixels = usize::try_from(index).ok().and_then(|at| set.image(at));
            let Some(pixels) = pixels else {
                return Err(DataError::IndexOutOfRange {
                    name: set.name().to_owned(),
                    index: u64::from(index),
                    len: set.len(),
                });
            };
            images.extend(pixels.iter().map(|&byte| normalize(byte)));
        }
        let [channels, height, width] = set.shape();
        Ok(Self {
            images,
            shape: [indices.len(), channels, height, width],
        })
    }

    /// Copies the batch to `device` as a tensor of shape `[N, C, H, W]`.
    ///
    /// # Panics
    ///
    /// Burn panics if `images` and `shape` were changed so that they no longer agree.
    #[must_use]
    pub fn into_tensor<B: Backend>(self, device: &B::Device) -> Tensor<B, 4> {
        Tensor::from_data(TensorData::new(self.images, self.shape), device)
    }
}

/// One image of an [`ImageSet`], as Burn's own data loader hands it round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageItem {
    /// The image's place in its set.
    pub index: usize,
    /// Bytes in C·H·W order.
    pub pixels: Vec<u8>,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// The image's class.
    pub label: u8,
}

impl Dataset<ImageItem> for ImageSet {
    fn get(&self, index: usize) -> Option<ImageItem> {
        Some(ImageItem {
            index,
            pixels: self.image(index)?.to_vec(),
            shape: self.shape(),
            label: self.label(index)?,
        })
    }

    fn len(&self) -> usize {
        ImageSet::len(self)
    }
}

/// Turns [`ImageItem`]s into an [`ImageBatch`], for use with Burn's `DataLoaderBuilder`.
///
/// Ganvas itself trains through [`Prefetcher`](crate::Prefetcher), whose order is repeatable across
/// resumed runs; this is for programs that already have a loop around Burn's loader. All items of a
/// batch must have one shape, as those of one [`ImageSet`] do; Burn panics where they do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageBatcher;

/// A batch as [`ImageBatcher`] makes it.
#[derive(Debug, Clone)]
pub struct ImageBatch<B: Backend> {
    /// Normalized pixels, `[N, C, H, W]`.
    pub images: Tensor<B, 4>,
    /// Classes, `[N]`.
    pub labels: Tensor<B, 1, Int>,
}

impl<B: Backend> Batcher<B, ImageItem, ImageBatch<B>> for ImageBatcher {
    fn batch(&self, items: Vec<ImageItem>, device: &B::Device) -> ImageBatch<B> {
        let count = items.len();
        let [channels, height, width] = items.first().map_or([0; 3], |item| item.shape);
        let labels: Vec<i32> = items.iter().map(|item| i32::from(item.label)).collect();
        let images = items
            .into_iter()
            .flat_map(|item| item.pixels.into_iter().map(normalize))
            .collect();
        let batch = HostBatch {
            images,
            shape: [count, channels, height, width],
        };
        ImageBatch {
            images: batch.into_tensor(device),
            labels: Tensor::from_data(TensorData::new(labels, [count]), device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set() -> ImageSet {
        ImageSet::new("test", vec![0, 255, 51, 204, 102, 153], vec![0, 1, 2], [1, 1, 2]).unwrap()
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
    }

    #[test]
    fn an_index_past_the_end_is_an_error() {
        let error = HostBatch::assemble(&set(), &[0, 3]).unwrap_err().to_string();
        assert!(error.contains("image 3") && error.contains("3 images"), "{error}");
    }
}
