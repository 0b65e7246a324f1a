//! A set of small images in memory, as bytes.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::{DataError, Fingerprint, ImageSource};

/// The most classes that a set of images can have: its labels are bytes.
pub(crate) const MOST_CLASSES: usize = 256;

/// Images of one shape, one byte a value, with one label each or without labels.
///
/// The pixels lie in N·C·H·W order: image after image, within it channel after channel, row after
/// row. MNIST's 60,000 images take 47 megabytes this way, and a quarter of what they would take as
/// `f32`.
#[derive(Clone)]
pub struct ImageSet {
    name: String,
    pixels: Vec<u8>,
    labels: Option<Vec<u8>>,
    classes: usize,
    /// What they are called; empty for their numbers.
    class_names: Vec<String>,
    shape: [usize; 3],
    fingerprint: OnceLock<Fingerprint>,
}

impl PartialEq for ImageSet {
    fn eq(&self, other: &Self) -> bool {
        // Whether the fingerprint has been asked for makes no difference.
        (&self.name, self.shape, self.classes) == (&other.name, other.shape, other.classes)
            && self.labels == other.labels
            && self.pixels == other.pixels
    }
}

impl Eq for ImageSet {}

impl ImageSet {
    /// Puts a set together from `pixels` in N·C·H·W order, the shape `[C, H, W]`, and one label for
    /// each image or none at all.
    ///
    /// # Errors
    ///
    /// [`DataError::ImageSetShape`] if a side is zero, if `pixels` holds no whole images, or if
    /// there are not as many labels as images.
    pub fn new(
        name: impl Into<String>,
        pixels: Vec<u8>,
        labels: Option<Vec<u8>>,
        shape: [usize; 3],
    ) -> Result<Self, DataError> {
        let name = name.into();
        let size = shape
            .iter()
            .try_fold(1_usize, |size, &side| size.checked_mul(side))
            .filter(|&size| size > 0 && pixels.len().is_multiple_of(size));
        let count = size.map(|size| pixels.len() / size);
        if count.is_none() || labels.as_ref().is_some_and(|labels| Some(labels.len()) != count) {
            return Err(DataError::ImageSetShape {
                name,
                shape,
                labels: labels.map(|labels| labels.len()),
                found: pixels.len(),
            });
        }
        Ok(Self::from_parts(name, pixels, labels, shape))
    }

    /// A set whose parts are known to fit together.
    pub(crate) fn from_parts(
        name: impl Into<String>,
        pixels: Vec<u8>,
        labels: Option<Vec<u8>>,
        shape: [usize; 3],
    ) -> Self {
        let highest = labels.as_ref().and_then(|labels| labels.iter().max());
        Self {
            name: name.into(),
            pixels,
            classes: highest.map_or(0, |&highest| usize::from(highest) + 1),
            labels,
            class_names: Vec::new(),
            shape,
            fingerprint: OnceLock::new(),
        }
    }

    /// The same images, their classes called by these names; those of more classes are left out.
    #[must_use]
    pub fn with_class_names(mut self, names: &[&str]) -> Self {
        self.class_names = names.iter().take(self.classes).map(|&name| name.to_owned()).collect();
        self
    }

    /// How many bytes one image takes: channels × height × width.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// All pixels in N·C·H·W order.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels alone, without a copy.
    pub(crate) fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// All labels, in the order of the images, where the set has any.
    #[must_use]
    pub fn labels(&self) -> Option<&[u8]> {
        self.labels.as_deref()
    }

    /// The first `count` images; the whole set if it holds fewer.
    #[must_use]
    pub fn truncated(mut self, count: usize) -> Self {
        let count = count.min(self.len());
        self.pixels.truncate(count * self.image_len());
        self.pixels.shrink_to_fit();
        if let Some(labels) = &mut self.labels {
            labels.truncate(count);
        }
        self.fingerprint = OnceLock::new();
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
        let [channels, height, width] = self.shape;
        if size < height || size < width {
            return Err(DataError::PadTooSmall {
                name: self.name,
                height,
                width,
                size,
            });
        }
        if size == height && size == width {
            return Ok(self);
        }
        let planes = self.len() * channels;
        let total = size.checked_mul(size).and_then(|area| area.checked_mul(planes));
        let Some(total) = total.filter(|&total| isize::try_from(total).is_ok()) else {
            return Err(DataError::ImageSetShape {
                name: self.name,
                shape: [channels, size, size],
                labels: self.labels.map(|labels| labels.len()),
                found: self.pixels.len(),
            });
        };
        let top = (size - height) / 2;
        let left = (size - width) / 2;
        let mut pixels = vec![0; total];
        let sources = self.pixels.chunks_exact(height * width);
        for (plane, source) in pixels.chunks_exact_mut(size * size).zip(sources) {
            let rows = plane.chunks_exact_mut(size).skip(top);
            for (row, source_row) in rows.zip(source.chunks_exact(width)) {
                row[left..left + width].copy_from_slice(source_row);
            }
        }
        Ok(Self {
            pixels,
            shape: [channels, size, size],
            fingerprint: OnceLock::new(),
            ..self
        })
    }
}

impl ImageSource for ImageSet {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> usize {
        self.pixels.len() / self.image_len()
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn image(&self, index: usize) -> Result<Cow<'_, [u8]>, DataError> {
        let size = self.image_len();
        let start = index.checked_mul(size);
        start
            .and_then(|start| self.pixels.get(start..start.checked_add(size)?))
            .map(Cow::Borrowed)
            .ok_or_else(|| DataError::past_the_end(self, index))
    }

    /// The names that were given, then numbers.
    fn class_names(&self) -> Vec<String> {
        let mut names = self.class_names.clone();
        names.extend((names.len()..self.classes).map(|class| class.to_string()));
        names
    }

    /// One more than the highest label.
    fn classes(&self) -> usize {
        self.classes
    }

    fn label(&self, index: usize) -> Option<u32> {
        self.labels.as_ref()?.get(index).copied().map(u32::from)
    }

    fn fingerprint(&self) -> Result<Fingerprint, DataError> {
        if let Some(found) = self.fingerprint.get() {
            return Ok(found.clone());
        }
        let found = Fingerprint::of(
            self.shape,
            self.len(),
            std::iter::once(Ok::<_, DataError>(&self.pixels)),
        )?;
        Ok(self.fingerprint.get_or_init(|| found).clone())
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
        ImageSet::new("test", (1..=12).collect(), Some(vec![4, 9]), [1, 2, 3]).unwrap()
    }

    #[test]
    fn pixels_must_match_labels_and_shape() {
        assert!(ImageSet::new("test", vec![0; 11], Some(vec![0, 1]), [1, 2, 3]).is_err());
        assert!(ImageSet::new("test", vec![0; 11], None, [1, 2, 3]).is_err());
        assert!(ImageSet::new("test", vec![0; 12], Some(vec![0]), [1, 2, 3]).is_err());
        assert!(ImageSet::new("test", vec![], Some(vec![0]), [0, 2, 3]).is_err());
        assert!(ImageSet::new("test", vec![], Some(vec![1]), [usize::MAX, 2, 3]).is_err());
        assert!(
            ImageSet::new("test", vec![], Some(vec![]), [1, 2, 3])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_set_without_labels_has_no_classes() {
        let set = ImageSet::new("test", vec![0; 12], None, [1, 2, 3]).unwrap();
        assert_eq!((set.len(), set.classes(), set.label(0)), (2, 0, None));
        assert_eq!(two_by_three().classes(), 10);
    }

    #[test]
    fn the_fingerprint_is_that_of_the_images_as_they_are_now() {
        let set = two_by_three();
        let from_images = Fingerprint::of([1, 2, 3], 2, (0..2).map(|index| set.image(index))).unwrap();
        assert_eq!(set.fingerprint().unwrap(), from_images);
        let first = set.clone().truncated(1);
        assert_ne!(first.fingerprint().unwrap(), set.fingerprint().unwrap());
        let padded = set.clone().padded_to(4).unwrap();
        assert_ne!(padded.fingerprint().unwrap(), set.fingerprint().unwrap());
        let unlabelled = ImageSet::new("other", set.pixels().to_vec(), None, [1, 2, 3]).unwrap();
        assert_eq!(unlabelled.fingerprint().unwrap(), set.fingerprint().unwrap());
    }

    #[test]
    fn images_and_labels_are_found_by_index() {
        let set = two_by_three();
        assert_eq!(set.len(), 2);
        assert_eq!(*set.image(1).unwrap(), [7, 8, 9, 10, 11, 12]);
        assert_eq!(set.label(1), Some(9));
        assert!(matches!(
            set.image(2),
            Err(DataError::IndexOutOfRange { index: 2, len: 2, .. })
        ));
        assert!(set.image(usize::MAX).is_err());
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
        assert_eq!(*set.image(0).unwrap(), [0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0]);
        assert_eq!(set.labels(), Some([4, 9].as_slice()));
    }

    #[test]
    fn padding_never_crops() {
        let error = two_by_three().padded_to(2).unwrap_err().to_string();
        assert!(error.contains("2 × 3") && error.contains("2 × 2"), "{error}");
        assert!(two_by_three().padded_to(usize::MAX).is_err());
    }
}
