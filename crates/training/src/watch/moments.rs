//! Mean and standard deviation of each pixel of many images.

use ganvas_data::{DataError, ImageSource, normalize};

/// Mean and standard deviation of each pixel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    pub(super) means: Vec<f64>,
    pub(super) deviations: Vec<f64>,
}

impl Moments {
    /// Of some images of a source, normalized.
    pub(super) fn of_images(images: &dyn ImageSource, chosen: impl Iterator<Item = usize>) -> Result<Self, DataError> {
        let mut failure = None;
        let pixels = chosen.map_while(|index| images.image(index).map_err(|error| failure = Some(error)).ok());
        let values = pixels.flat_map(|image| image.iter().map(|&byte| normalize(byte)).collect::<Vec<f32>>());
        let found = Self::of(values, images.shape().iter().product());
        failure.map_or(Ok(found), Err)
    }

    /// Of images of `area` values, one after the other.
    pub(super) fn of(values: impl Iterator<Item = f32>, area: usize) -> Self {
        let (mut sums, mut squares, mut count) = (vec![0.0; area], vec![0.0; area], 0_usize);
        for (index, value) in values.enumerate() {
            let value = f64::from(value);
            sums[index % area] += value;
            squares[index % area] += value * value;
            count = index / area + 1;
        }
        let mean = |sum: f64| sum / count as f64;
        let deviation = |(sum, square): (&f64, &f64)| (mean(*square) - mean(*sum).powi(2)).max(0.0).sqrt();
        Self {
            deviations: sums.iter().zip(&squares).map(deviation).collect(),
            means: sums.into_iter().map(mean).collect(),
        }
    }
}
