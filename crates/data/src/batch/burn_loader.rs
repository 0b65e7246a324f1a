//! Image sets in Burn's own data loader, for programs that already have a loop around it.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use crate::{ImageSet, ImageSource, normalize};

/// One image of an [`ImageSet`], as Burn's own data loader hands it round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageItem {
    /// The image's place in its set.
    pub index: usize,
    /// Bytes in C·H·W order.
    pub pixels: Vec<u8>,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// The image's class; 0 where the set has no labels.
    pub label: u8,
}

impl Dataset<ImageItem> for ImageSet {
    fn get(&self, index: usize) -> Option<ImageItem> {
        Some(ImageItem {
            index,
            pixels: self.image(index).ok()?.into_owned(),
            shape: self.shape(),
            label: self
                .labels()
                .and_then(|labels| labels.get(index).copied())
                .unwrap_or_default(),
        })
    }

    fn len(&self) -> usize {
        ImageSource::len(self)
    }
}

/// Turns [`ImageItem`]s into an [`ImageBatch`], for use with Burn's `DataLoaderBuilder`.
///
/// Ganvas itself trains through [`Prefetcher`](crate::Prefetcher), whose order is repeatable across
/// resumed runs; this is for programs that already have a loop around Burn's loader. All items of a
/// batch must have one shape, as those of one [`ImageSet`] do; Burn panics where they do not.
///
/// ```
/// use burn::data::dataloader::DataLoaderBuilder;
/// use ganvas_data::{ImageBatch, ImageBatcher, Split, synthetic_digits};
///
/// fn images_of_the_first_batch<B: burn::tensor::backend::Backend>() -> Option<burn::tensor::Tensor<B, 4>> {
///     let loader = DataLoaderBuilder::<B, _, ImageBatch<B>>::new(ImageBatcher)
///         .batch_size(8)
///         .shuffle(1)
///         .build(synthetic_digits(0, Split::Train, 20));
///     loader.iter().next().map(|batch| batch.images) // [8, 1, 28, 28], from −1 to 1
/// }
/// ```
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
        let images: Vec<f32> = items
            .into_iter()
            .flat_map(|item| item.pixels.into_iter().map(normalize))
            .collect();
        ImageBatch {
            images: Tensor::from_data(TensorData::new(images, [count, channels, height, width]), device),
            labels: Tensor::from_data(TensorData::new(labels, [count]), device),
        }
    }
}
