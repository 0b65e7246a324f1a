//! A set of small images with their labels, held in memory as bytes.

use crate::DataError;

/// Images of one shape, one byte a channel, with one label each.
///
/// The pixels lie in N·C·H·W order: image after image, within it channel after channel, row after
/// row. MNIST's 60,000 images take 47 megabytes this way, and a quarter of what they would take as
/// `f32`.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageSet {
    name: String,
    pixels: Vec<u8>,
    labels: Vec<u8>,
    channels: usize,
    height: usize,
    width: usize,
}

impl ImageSet {
    /// Puts a set together from `pixels` in N·C·H·W order, one label for each image, and the shape
    /// `[C, H, W]`.
    ///
    /// # Errors
    ///
    /// [`DataError::ImageSetShape`] if a side is zero, or if `pixels` is not as long as `labels`
    /// and the shape say.
    pub fn new(
        name: impl Into<String>,
        pixels: Vec<u8>,
        labels: Vec<u8>,
        shape: [usize; 3],
    ) -> Result<Self, DataError> {
        let name = name.into();
        let [channels, height, width] = shape;
        let expected = channels
            .checked_mul(height)
            .and_then(|area| area.checked_mul(width))
            .filter(|&area| area > 0)
            .and_then(|area| area.checked_mul(labels.len()));
        if expected != Some(pixels.len()) {
            return Err(DataError::ImageSetShape {
                name,
                shape,
                labels: labels.len(),
                found: pixels.len(),
            });
        }
        Ok(Self {
            name,
            pixels,
            labels,
            channels,
            height,
            width,
        })
    }

    /// A set of images that this crate has made itself and that therefore fit together.
    pub(crate) fn from_parts(name: &str, pixels: Vec<u8>, labels: Vec<u8>, shape: [usize; 3]) -> Self {
        let [channels, height, width] = shape;
        debug_assert_eq!(pixels.len(), labels.len() * channels * height * width);
        Self {
            name: name.to_owned(),
            pixels,
            labels,
            channels,
            height,
            width,
        }
    }

    /// The name of the data set, for reports and file names.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many images the set holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether the set holds no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The shape of each image: channels, height and width.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// How many bytes one image takes: channels × height × width.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// All pixels in N·C·H·W order.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All labels, in the order of the images.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The pixels of image `index` in C·H·W order, or `None` past the end.
    #[must_use]
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        let size = self.image_len();
        let start = index.checked_mul(size)?;
        self.pixels.get(start..start.checked_add(size)?)
    }

    /// The label of image `index`, or `None` past the end.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<u8> {
        self.labels.get(index).copied()
    }

    /// The first `count` images; the whole set if it holds fewer.
    #[must_use]
    pub fn truncated(mut self, count: usize) -> Self {
        let count = count.min(self.len());
        self.pixels.truncate(count * self.image_len());
        self.pixels.shrink_to_fit();
        self.labels.truncate(count);
        self
    }

    /// The same images with a border of zeros (black) that makes them `size` × `size`.
    ///
    /// The image sits in the middle; where the difference is odd, the extra row or column goes
    /// below or to the right. Models that halve the side several times want a power of two, so 28 ×
    /// 28 becomes 32 × 32.
    ///
    /// # Errors
    ///
    /// [`DataError::PadTooSmall`] if `size` is less than the images' height or width, and
    /// [`DataError::ImageSetShape`] if the padded set would not fit the address space.
    pub fn padded_to(self, size: usize) -> Result<Self, DataError> {
        if size < self.height || size < self.width {
            return Err(DataError::PadTooSmall {
                name: self.name,
                height: self.height,
                width: self.width,
                size,
            });
        }
        if size == self.height && size == self.width {
            return Ok(self);
        }
        let planes = self.len() * self.channels;
        let total = size.checked_mul(size).and_then(|area| area.checked_mul(planes));
        let Some(total) = total.filter(|&total| isize::try_from(total).is_ok()) else {
            return Err(DataError::ImageSetShape {
                name: self.name,
                shape: [self.channels, size, size],
                labels: self.labels.len(),
                found: self.pixels.len(),
            });
        };
        let top = (size - self.height) / 2;
        let left = (size - self.width) / 2;
        let mut pixels = vec![0; total];
        let sources = self.pixels.chunks_exact(self.height * self.width);
        for (plane, source) in pixels.chunks_exact_mut(size * size).zip(sources) {
            let rows = plane.chunks_exact_mut(size).skip(top);
            for (row, source_row) in rows.zip(source.chunks_exact(self.width)) {
                row[left..left + self.width].copy_from_slice(source_row);
            }
        }
        Self::new(self.name, pixels, self.labels, [self.channels, size, size])
    }
}

impl std::fmt::Debug for ImageSet {
    /// Leaves the pixels out: a failed assertion on two sets should not print megabytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageSet")
            .field("name", &self.name)
            .field("len", &self.len())
            .field("shape", &self.shape())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_by_three() -> ImageSet {
        ImageSet::new("test", (1..=12).collect(), vec![4, 9], [1, 2, 3]).unwrap()
    }

    #[test]
    fn pixels_must_match_labels_and_shape() {
        assert!(ImageSet::new("test", vec![0; 11], vec![0, 1], [1, 2, 3]).is_err());
        assert!(ImageSet::new("test", vec![], vec![0], [0, 2, 3]).is_err());
        assert!(ImageSet::new("test", vec![], vec![1], [usize::MAX, 2, 3]).is_err());
        assert!(ImageSet::new("test", vec![], vec![], [1, 2, 3]).unwrap().is_empty());
    }

    #[test]
    fn images_and_labels_are_found_by_index() {
        let set = two_by_three();
        assert_eq!(set.len(), 2);
        assert_eq!(set.image(1), Some([7, 8, 9, 10, 11, 12].as_slice()));
        assert_eq!(set.label(1), Some(9));
        assert_eq!(set.image(2), None);
        assert_eq!(set.image(usize::MAX), None);
        assert_eq!(set.label(2), None);
    }

    #[test]
    fn truncation_keeps_the_first_images() {
        let set = two_by_three().truncated(1);
        assert_eq!((set.len(), set.pixels()), (1, [1, 2, 3, 4, 5, 6].as_slice()));
        assert_eq!(two_by_three().truncated(5), two_by_three());
    }

    #[test]
    fn padding_centres_the_image() {
        let set = two_by_three().padded_to(4).unwrap();
        assert_eq!(set.shape(), [1, 4, 4]);
        assert_eq!(set.image(0).unwrap(), [0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0]);
        assert_eq!(set.labels(), [4, 9]);
    }

    #[test]
    fn padding_never_crops() {
        let error = two_by_three().padded_to(2).unwrap_err().to_string();
        assert!(error.contains("2 × 3") && error.contains("2 × 2"), "{error}");
        assert!(two_by_three().padded_to(usize::MAX).is_err());
    }
}
