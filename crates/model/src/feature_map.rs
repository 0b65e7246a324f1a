//! Activations with the batch innermost, the form in which every layer is a product of matrices and nothing is reordered.

use burn::tensor::{Tensor, backend::Backend};

/// A batch of feature maps, `[pixels, channels, batch]`.
///
/// With the pixels first, what a convolution gathers and scatters are whole rows of `channels · batch` numbers; with the
/// batch last, each pixel is a matrix `[channels, batch]` that weights are multiplied with from the left.
///
/// The pixels of an image stand in row-major order, unless layers with kernel = stride have put them in *blocks*: such
/// a transposed convolution turns each pixel into k·k pixels, which lie beside each other instead of in their image
/// rows. Whatever treats each pixel alone (activation, batch normalization, a per-pixel [`Linear`](crate::Linear)) does
/// not mind, so the pixels are put in order once, by [`into_image_order`](Self::into_image_order), when they are
/// narrowest.
#[derive(Debug, Clone)]
pub struct FeatureMap<B: Backend> {
    tensor: Tensor<B, 3>,
    /// Height and width in whole blocks.
    grid: [usize; 2],
    /// Side lengths of the nested blocks, outermost first.
    blocks: Vec<usize>,
}

impl<B: Backend> FeatureMap<B> {
    /// Takes activations whose pixels are already in image order.
    ///
    /// # Shapes
    /// - tensor: `[height · width, channels, batch]`
    ///
    /// # Panics
    /// If the number of pixels is not `height · width`.
    pub fn from_tensor(tensor: Tensor<B, 3>, [height, width]: [usize; 2]) -> Self {
        let [pixels, _, _] = tensor.dims();
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
        let tensor = images.permute([2, 3, 1, 0]).reshape([height * width, channels, batch]);
        Self::from_tensor(tensor, [height, width])
    }

    /// Gives images in Burn's usual layout.
    ///
    /// # Shapes
    /// - result: `[batch, channels, height, width]`
    pub fn into_images(self) -> Tensor<B, 4> {
        let map = self.into_image_order();
        let [_, channels, batch] = map.tensor.dims();
        let [height, width] = map.grid;
        map.tensor
            .reshape([height, width, channels, batch])
            .permute([3, 2, 0, 1])
    }

    /// Puts the pixels of each image in row-major order.
    pub fn into_image_order(self) -> Self {
        let [_, channels, batch] = self.tensor.dims();
        let Self {
            mut tensor,
            mut grid,
            blocks,
        } = self;
        // The outermost block is resolved first: what lies inside it moves along as one wide pixel.
        for (level, &side) in blocks.iter().enumerate() {
            let inside: usize = blocks[level + 1..].iter().map(|side| side * side).product();
            let [height, width] = grid;
            tensor = tensor
                .reshape([height, width, side, side * inside * channels * batch])
                .swap_dims(1, 2)
                .reshape([height * side * width * side * inside, channels, batch]);
            grid = [height * side, width * side];
        }
        Self {
            tensor,
            grid,
            blocks: Vec::new(),
        }
    }

    /// The tensor itself, `[pixels, channels, batch]`.
    pub fn into_tensor(self) -> Tensor<B, 3> {
        self.tensor
    }

    /// Applies what treats each pixel alone; it may change the number of channels, nothing else.
    ///
    /// # Panics
    /// If the function returns another number of pixels or images.
    pub fn map(self, function: impl FnOnce(Tensor<B, 3>) -> Tensor<B, 3>) -> Self {
        let [pixels, _, batch] = self.tensor.dims();
        let tensor = function(self.tensor);
        let [pixels_after, _, batch_after] = tensor.dims();
        assert_eq!(
            [pixels, batch],
            [pixels_after, batch_after],
            "a per-pixel function keeps the pixels"
        );
        Self { tensor, ..self }
    }

    /// Each pixel becomes `side · side` pixels, a block that lies together in memory.
    ///
    /// # Shapes
    /// - before: `[pixels, side · side · channels, batch]`, the block's pixels row-major, then the channels
    /// - after: `[pixels · side · side, channels, batch]`
    pub(crate) fn split_into_blocks(self, side: usize) -> Self {
        let [pixels, features, batch] = self.tensor.dims();
        let mut blocks = self.blocks;
        blocks.push(side);
        let taps = side * side;
        Self {
            tensor: self.tensor.reshape([pixels * taps, features / taps, batch]),
            blocks,
            ..self
        }
    }

    /// Height and width in pixels.
    pub fn size(&self) -> [usize; 2] {
        let side: usize = self.blocks.iter().product();
        self.grid.map(|cells| cells * side)
    }
}
