//! The sizes of an image, and what a pair of networks is built for.

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

    /// The shape if it is one that small images have: 1 to 4096 channels and sides, and no more than 2²⁴ values.
    pub fn checked(dims: [usize; 3]) -> Option<Self> {
        let sides = dims.iter().all(|side| (1..=4096).contains(side));
        (sides && dims.iter().product::<usize>() <= 1 << 24).then(|| dims.into())
    }

    /// The number of values in one image.
    #[allow(clippy::len_without_is_empty)] // An image is never empty.
    pub const fn len(self) -> usize {
        self.channels * self.height * self.width
    }
}

impl From<[usize; 3]> for ImageShape {
    fn from([channels, height, width]: [usize; 3]) -> Self {
        Self::new(channels, height, width)
    }
}

/// `1×28×28`
impl std::fmt::Display for ImageShape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [channels, height, width] = self.dims();
        write!(formatter, "{channels}×{height}×{width}")
    }
}

/// What a pair of networks is built for: images of one shape, and their classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataShape {
    /// The images that are made and judged.
    pub image: ImageShape,
    /// How many classes the images have; 0 where they have none.
    pub classes: usize,
}

impl DataShape {
    /// Images of so many classes.
    pub const fn new(image: ImageShape, classes: usize) -> Self {
        Self { image, classes }
    }
}

impl From<ImageShape> for DataShape {
    /// Images without classes.
    fn from(image: ImageShape) -> Self {
        Self::new(image, 0)
    }
}
