//! The sizes of an image.

/// Channels, height and width of the images that a pair of networks makes and judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageShape {
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// In pixels.
    pub height: usize,
    /// In pixels.
    pub width: usize,
}

impl ImageShape {
    /// A shape from its three sizes.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Self {
            channels,
            height,
            width,
        }
    }

    /// `[channels, height, width]`.
    pub const fn dims(self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// The number of values in one image.
    #[allow(clippy::len_without_is_empty)] // An image is never empty.
    pub const fn len(self) -> usize {
        self.channels * self.height * self.width
    }
}
