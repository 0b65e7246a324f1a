//! Activations as a matrix of rows, the form in which every layer is one matrix product.

use burn::tensor::{Tensor, backend::Backend};

/// A batch of feature maps as a matrix of rows `[batch · pixels, channels]`, channels last.
///
/// The pixels of an image stand in row-major order, unless layers with kernel = stride have put them in *blocks*: such
/// a transposed convolution turns each row into k·k rows, which lie beside each other instead of in their image rows.
/// Whatever treats each pixel alone (activation, batch normalization, a per-pixel [`Linear`](crate::Linear)) does not
/// mind, so the pixels are put in order once, by [`into_image_order`](Self::into_image_order), when they are fewest or
/// narrowest.
#[derive(Debug, Clone)]
pub struct FeatureMap<B: Backend> {
    rows: Tensor<B, 2>,
    batch: usize,
    /// Height and width in whole blocks.
    grid: [usize; 2],
    /// Side lengths of the nested blocks, outermost first.
    blocks: Vec<usize>,
}

impl<B: Backend> FeatureMap<B> {
    /// Takes rows that are already in image order.
    ///
    /// # Shapes
    /// - rows: `[batch · height · width, channels]`
    ///
    /// # Panics
    /// If the number of rows is not a multiple of `height · width`.
    pub fn from_rows(rows: Tensor<B, 2>, [height, width]: [usize; 2]) -> Self {
        let [count, _] = rows.dims();
        assert!(
            count.is_multiple_of(height * width),
            "{count} rows are no whole number of {height}×{width} images"
        );
        Self {
            rows,
            batch: count / (height * width),
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
        let rows = if channels == 1 {
            images
        } else {
            images.permute([0, 2, 3, 1])
        };
        Self {
            rows: rows.reshape([batch * height * width, channels]),
            batch,
            grid: [height, width],
            blocks: Vec::new(),
        }
    }

    /// Gives images in Burn's usual layout.
    ///
    /// # Shapes
    /// - result: `[batch, channels, height, width]`
    pub fn into_images(self) -> Tensor<B, 4> {
        let map = self.into_image_order();
        let (batch, channels, [height, width]) = (map.batch, map.channels(), map.grid);
        if channels == 1 {
            return map.rows.reshape([batch, 1, height, width]);
        }
        map.rows.reshape([batch, height, width, channels]).permute([0, 3, 1, 2])
    }

    /// Puts the pixels of each image in row-major order.
    pub fn into_image_order(self) -> Self {
        let channels = self.channels();
        let Self {
            mut rows,
            batch,
            mut grid,
            blocks,
        } = self;
        // The outermost block is resolved first: what lies inside it moves along as one wide pixel.
        for (level, &side) in blocks.iter().enumerate() {
            let inside: usize = blocks[level + 1..].iter().map(|side| side * side).product::<usize>() * channels;
            let [height, width] = grid;
            rows = rows
                .reshape([batch * height, width, side, side * inside])
                .swap_dims(1, 2)
                .reshape([batch * height * side * width * side, inside]);
            grid = [height * side, width * side];
        }
        Self {
            rows: rows.reshape([batch * grid[0] * grid[1], channels]),
            batch,
            grid,
            blocks: Vec::new(),
        }
    }

    /// The matrix itself, `[batch · pixels, channels]`.
    pub fn into_rows(self) -> Tensor<B, 2> {
        self.rows
    }

    /// Applies what treats each pixel alone; it may change the number of channels, not the number of rows.
    ///
    /// # Panics
    /// If the function returns another number of rows.
    pub fn map_rows(self, function: impl FnOnce(Tensor<B, 2>) -> Tensor<B, 2>) -> Self {
        let [before, _] = self.rows.dims();
        let rows = function(self.rows);
        let [after, _] = rows.dims();
        assert_eq!(before, after, "a per-pixel function must keep the number of rows");
        Self { rows, ..self }
    }

    /// Each row becomes `side · side` rows, a block of pixels that lie beside each other in memory.
    ///
    /// # Shapes
    /// - rows before: `[batch · pixels, side · side · channels]`, the block's pixels row-major
    /// - rows after: `[batch · pixels · side · side, channels]`
    pub(crate) fn split_into_blocks(self, side: usize) -> Self {
        let [count, width] = self.rows.dims();
        let mut blocks = self.blocks;
        blocks.push(side);
        Self {
            rows: self.rows.reshape([count * side * side, width / (side * side)]),
            blocks,
            ..self
        }
    }

    /// The number of images.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.rows.dims()[1]
    }

    /// Height and width in pixels.
    pub fn size(&self) -> [usize; 2] {
        let side: usize = self.blocks.iter().product();
        self.grid.map(|cells| cells * side)
    }
}
