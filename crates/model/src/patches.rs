//! Which input pixel each tap of a kernel meets: the index table behind both kinds of convolution.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData, backend::Backend};

/// A square kernel that slides over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Height and width of the image that the window slides over.
    pub image: [usize; 2],
    /// Height and width of the grid of its positions.
    pub positions: [usize; 2],
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Window {
    fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    fn positions(&self) -> usize {
        self.positions[0] * self.positions[1]
    }

    /// True where one position covers the whole image, so that gathering is reshaping.
    fn is_whole_image(&self) -> bool {
        self.padding == 0 && self.image == [self.kernel; 2] && self.positions == [1, 1]
    }

    /// The pixel under every tap, positions row-major, then taps row-major; taps outside the image point one past the
    /// last pixel.
    fn table(&self) -> Vec<i32> {
        let outside = self.pixels();
        let coordinate = |position: usize, tap: usize, size: usize| {
            (position * self.stride + tap)
                .checked_sub(self.padding)
                .filter(|&coordinate| coordinate < size)
        };
        let [height, width] = self.image;
        let mut table = Vec::with_capacity(self.positions() * self.taps());
        for y in 0..self.positions[0] {
            for x in 0..self.positions[1] {
                for tap_y in 0..self.kernel {
                    for tap_x in 0..self.kernel {
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
    /// - pixels: `[pixels, channels, batch]`
    /// - result: `[positions, taps · channels, batch]`
    pub(crate) fn gather<B: Backend>(&self, pixels: Tensor<B, 3>) -> Tensor<B, 3> {
        let [_, channels, batch] = pixels.dims();
        let patches = [self.positions(), self.taps() * channels, batch];
        if self.is_whole_image() {
            return pixels.reshape(patches);
        }
        let device = pixels.device();
        // As a matrix, because backends copy whole rows of matrices fastest.
        let mut rows = pixels.reshape([self.pixels(), channels * batch]);
        if self.has_outside() {
            rows = Tensor::cat(vec![rows, Tensor::zeros([1, channels * batch], &device)], 0);
        }
        rows.select(0, self.index::<B>(&device)).reshape(patches)
    }

    /// Patches added into an image (col2im), the transpose of [`gather`](Self::gather).
    ///
    /// # Shapes
    /// - patches: `[positions, taps · channels, batch]`
    /// - result: `[pixels, channels, batch]`
    pub(crate) fn scatter<B: Backend>(&self, patches: Tensor<B, 3>) -> Tensor<B, 3> {
        let [_, features, batch] = patches.dims();
        let channels = features / self.taps();
        let pixels = [self.pixels(), channels, batch];
        if self.is_whole_image() {
            return patches.reshape(pixels);
        }
        let device = patches.device();
        let outside = usize::from(self.has_outside());
        let values = patches.reshape([self.positions() * self.taps(), channels * batch]);
        Tensor::<B, 2>::zeros([self.pixels() + outside, channels * batch], &device)
            .select_assign(0, self.index::<B>(&device), values, IndexingUpdateOp::Add)
            .narrow(0, 0, self.pixels())
            .reshape(pixels)
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
