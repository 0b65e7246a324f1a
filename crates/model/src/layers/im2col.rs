//! Which input pixel each tap of a kernel meets: the index table behind both kinds of convolution.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData, backend::Backend};

/// A square kernel that slides over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Height and width of the image that the window slides over.
    pub image: [usize; 2],
    /// Height and width of the grid of its positions.
    pub positions: [usize; 2],
    /// Side of the square kernel.
    pub kernel: usize,
    /// Step between neighbouring positions.
    pub stride: usize,
    /// Pixels beyond each border that a position may reach.
    pub padding: usize,
}

impl Window {
    /// Values of a kernel.
    pub fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Pixels of the image.
    pub fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    /// Positions of the kernel.
    pub fn position_count(&self) -> usize {
        self.positions[0] * self.positions[1]
    }

    /// True where one position covers the whole image, so that gathering is reshaping.
    pub fn is_whole_image(&self) -> bool {
        self.padding == 0 && self.image == [self.kernel; 2] && self.positions == [1, 1]
    }

    /// The pixel under every tap, taps row-major, then positions row-major; taps outside the image point one past the
    /// last pixel.
    pub fn table(&self) -> Vec<i32> {
        let outside = self.pixels();
        let coordinate = |position: usize, tap: usize, size: usize| {
            (position * self.stride + tap)
                .checked_sub(self.padding)
                .filter(|&coordinate| coordinate < size)
        };
        let [height, width] = self.image;
        let mut table = Vec::with_capacity(self.position_count() * self.taps());
        for tap_y in 0..self.kernel {
            for tap_x in 0..self.kernel {
                for y in 0..self.positions[0] {
                    for x in 0..self.positions[1] {
                        let pixel = match (coordinate(y, tap_y, height), coordinate(x, tap_x, width)) {
                            (Some(row), Some(column)) => row * width + column,
                            _ => outside,
                        };
                        // Small images: the index fits i32 with room to spare, and every backend has i32.
                        table.push(pixel as i32);
                    }
                }
            }
        }
        table
    }

    fn index<B: Backend>(&self, device: &B::Device) -> Tensor<B, 1, Int> {
        let table = self.table();
        let count = table.len();
        Tensor::from_data(TensorData::new(table, [count]), device)
    }

    fn has_outside(&self) -> bool {
        let reach = |axis: usize| (self.positions[axis] - 1) * self.stride + self.kernel;
        self.padding > 0 || (0..2).any(|axis| reach(axis) > self.image[axis])
    }

    /// Image to patches (im2col).
    ///
    /// # Shapes
    /// - pixels: `[channels, pixels, batch]`
    /// - result: `[channels · taps, positions, batch]`
    pub(crate) fn gather<B: Backend>(&self, pixels: Tensor<B, 3>) -> Tensor<B, 3> {
        let [channels, _, batch] = pixels.dims();
        let patches = [channels * self.taps(), self.position_count(), batch];
        if self.is_whole_image() {
            return pixels.reshape(patches);
        }
        let device = pixels.device();
        let mut pixels = pixels;
        if self.has_outside() {
            pixels = Tensor::cat(vec![pixels, Tensor::zeros([channels, 1, batch], &device)], 1);
        }
        pixels.select(1, self.index::<B>(&device)).reshape(patches)
    }

    /// Patches added into an image (col2im), the transpose of [`gather`](Self::gather).
    ///
    /// # Shapes
    /// - patches: `[channels · taps, positions, batch]`
    /// - result: `[channels, pixels, batch]`
    pub(crate) fn scatter<B: Backend>(&self, patches: Tensor<B, 3>) -> Tensor<B, 3> {
        let [features, _, batch] = patches.dims();
        let channels = features / self.taps();
        if self.is_whole_image() {
            return patches.reshape([channels, self.pixels(), batch]);
        }
        let device = patches.device();
        let outside = usize::from(self.has_outside());
        let values = patches.reshape([channels, self.taps() * self.position_count(), batch]);
        Tensor::<B, 3>::zeros([channels, self.pixels() + outside, batch], &device)
            .select_assign(1, self.index::<B>(&device), values, IndexingUpdateOp::Add)
            .narrow(1, 0, self.pixels())
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn table_of_a_padded_window_points_outside_at_the_border() {
        let window = Window {
            image: [2, 2],
            positions: [1, 1],
            kernel: 4,
            stride: 2,
            padding: 1,
        };
        let outside = 4;
        #[rustfmt::skip]
        let expected = vec![
            outside, outside, outside, outside,
            outside, 0, 1, outside,
            outside, 2, 3, outside,
            outside, outside, outside, outside,
        ];
        assert_eq!(window.table(), expected);
    }

    #[test]
    fn a_window_of_the_image_size_needs_no_gather() {
        let whole = Window {
            image: [4, 4],
            positions: [1, 1],
            kernel: 4,
            stride: 3,
            padding: 0,
        };
        assert!(whole.is_whole_image());
        assert!(!whole.has_outside());
        assert_eq!(whole.table(), (0..16).collect::<Vec<_>>());
    }
}
