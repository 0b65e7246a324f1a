//! Activations with the channels first and the batch last, the form in which every layer is one product of two matrices.

use burn::tensor::{Tensor, backend::Backend};

/// A batch of feature maps, `[channels, pixels, batch]`.
///
/// Read as a matrix `[channels, pixels · batch]` it is multiplied with a layer's weights from the left, all pixels of all
/// images in one product, with the weights as PyTorch lays them out. What belongs to a channel (bias, normalization) belongs
/// to a row of that matrix; what a convolution gathers and scatters are runs of `batch` numbers.
///
/// The pixels of an image stand in row-major order, unless layers with kernel = stride have put them in *blocks*: such
/// a transposed convolution turns each pixel into k·k pixels, one for each tap of its kernel, and its result has the taps
/// before the pixels that they were made of. Whatever treats each pixel alone (activation, batch normalization, a per-pixel
/// [`Linear`](crate::Linear)) does not mind, so the pixels are put in order once, by
/// [`into_image_order`](Self::into_image_order), when they have the fewest channels.
#[derive(Debug, Clone)]
pub struct FeatureMap<B: Backend> {
    tensor: Tensor<B, 3>,
    /// Height and width before the pixels were split.
    grid: [usize; 2],
    /// Side lengths of the kernels that split them, first to last.
    blocks: Vec<usize>,
}

impl<B: Backend> FeatureMap<B> {
    /// Takes activations whose pixels are already in image order.
    ///
    /// # Shapes
    /// - tensor: `[channels, height · width, batch]`
    ///
    /// # Panics
    /// If the number of pixels is not `height · width`.
    pub fn from_tensor(tensor: Tensor<B, 3>, [height, width]: [usize; 2]) -> Self {
        let [_, pixels, _] = tensor.dims();
        assert_eq!(pixels, height * width, "the pixels of {height}×{width} images");
        Self {
            tensor,
            grid: [height, width],
            blocks: Vec::new(),
        }
    }

    /// Takes images in Burn's usual layout.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`
    pub fn from_images(images: Tensor<B, 4>) -> Self {
        let [batch, channels, height, width] = images.dims();
        let tensor = images.permute([1, 2, 3, 0]).reshape([channels, height * width, batch]);
        Self::from_tensor(tensor, [height, width])
    }

    /// Gives images in Burn's usual layout.
    ///
    /// # Shapes
    /// - result: `[batch, channels, height, width]`
    pub fn into_images(self) -> Tensor<B, 4> {
        let map = self.into_image_order();
        let [channels, _, batch] = map.tensor.dims();
        let [height, width] = map.grid;
        let images = map
            .tensor
            .reshape([channels, height, width, batch])
            .permute([3, 0, 1, 2]);
        // Values of their own: burn-tch 0.21 takes a permuted view for the only owner of its memory and would change it in place
        // (`images + noise`), where the layer keeps it for its backward pass. Two owners make it write elsewhere.
        let shared = images.clone();
        let images = images * 1.0;
        drop(shared);
        images
    }

    /// Puts the pixels of each image in row-major order.
    pub fn into_image_order(self) -> Self {
        let [channels, pixels, batch] = self.tensor.dims();
        let Self {
            mut tensor,
            mut grid,
            blocks,
        } = self;
        let mut splits = pixels / (grid[0] * grid[1]);
        // The first split is resolved first; those after it stand before it and wait beside the channels.
        for side in blocks {
            splits /= side * side;
            let [height, width] = grid;
            tensor = tensor
                .reshape([channels * splits, side, side, height, width, batch])
                .permute([0, 3, 1, 4, 2, 5])
                .reshape([channels, pixels, batch]);
            grid = [height * side, width * side];
        }
        Self {
            tensor,
            grid,
            blocks: Vec::new(),
        }
    }

    /// The tensor itself, `[channels, pixels, batch]`.
    pub fn into_tensor(self) -> Tensor<B, 3> {
        self.tensor
    }

    /// Applies what treats each pixel alone; it may change the number of channels, nothing else.
    ///
    /// # Panics
    /// If the function returns another number of pixels or images.
    pub fn map(self, function: impl FnOnce(Tensor<B, 3>) -> Tensor<B, 3>) -> Self {
        let [_, pixels, batch] = self.tensor.dims();
        let tensor = function(self.tensor);
        let [_, pixels_after, batch_after] = tensor.dims();
        assert_eq!(
            [pixels, batch],
            [pixels_after, batch_after],
            "a per-pixel function keeps the pixels"
        );
        Self { tensor, ..self }
    }

    /// Applies what turns each pixel into `side · side` pixels.
    ///
    /// # Shapes
    /// - before: `[channels, pixels, batch]`
    /// - after: `[other channels, side · side · pixels, batch]`, all pixels of a kernel's first tap, then those of the next
    ///
    /// # Panics
    /// If the function returns another number of pixels.
    pub(crate) fn split_into_blocks(self, side: usize, function: impl FnOnce(Tensor<B, 3>) -> Tensor<B, 3>) -> Self {
        let mut blocks = self.blocks;
        blocks.push(side);
        let pixels = self.tensor.dims()[1];
        let tensor = function(self.tensor);
        assert_eq!(
            tensor.dims()[1],
            pixels * side * side,
            "each pixel becomes {side}×{side}"
        );
        Self { tensor, blocks, ..self }
    }

    /// Height and width in pixels.
    pub fn size(&self) -> [usize; 2] {
        let side: usize = self.blocks.iter().product();
        self.grid.map(|cells| cells * side)
    }
}
