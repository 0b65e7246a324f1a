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
    /// - rows: `[batch · pixels, channels]`
    /// - result: `[batch · positions, taps · channels]`
    pub(crate) fn gather<B: Backend>(&self, rows: Tensor<B, 2>, batch: usize) -> Tensor<B, 2> {
        let channels = rows.dims()[1];
        let patches = [batch * self.positions(), self.taps() * channels];
        if self.is_whole_image() {
            return rows.reshape(patches);
        }
        let device = rows.device();
        let mut pixels = rows.reshape([batch, self.pixels(), channels]);
        if self.has_outside() {
            pixels = Tensor::cat(vec![pixels, Tensor::zeros([batch, 1, channels], &device)], 1);
        }
        pixels.select(1, self.index::<B>(&device)).reshape(patches)
    }

    /// Patches added into an image (col2im), the transpose of [`gather`](Self::gather).
    ///
    /// # Shapes
    /// - patches: `[batch · positions, taps · channels]`
    /// - result: `[batch · pixels, channels]`
    pub(crate) fn scatter<B: Backend>(&self, patches: Tensor<B, 2>, batch: usize) -> Tensor<B, 2> {
        let channels = patches.dims()[1] / self.taps();
        let image = [batch * self.pixels(), channels];
        if self.is_whole_image() {
            return patches.reshape(image);
        }
        let device = patches.device();
        let outside = usize::from(self.has_outside());
        let values = patches.reshape([batch, self.positions() * self.taps(), channels]);
        let pixels = Tensor::<B, 3>::zeros([batch, self.pixels() + outside, channels], &device).select_assign(
            1,
            self.index::<B>(&device),
            values,
            IndexingUpdateOp::Add,
        );
        pixels.narrow(1, 0, self.pixels()).reshape(image)
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
