//! One forward pass through a network.

use burn::tensor::backend::Backend;

use super::{buffers::BufferUpdates, cost::Cost};

/// Says how a forward pass is meant, and collects what its layers report: buffer updates and cost.
///
/// Every layer's `forward` takes one; a network hands it on. [`Generator`](crate::Generator) and
/// [`Discriminator`](crate::Discriminator) make them.
#[derive(Debug)]
pub struct Pass<B: Backend> {
    training: bool,
    updates: BufferUpdates<B>,
    cost: Cost,
}

impl<B: Backend> Pass<B> {
    /// Layers use the statistics of the batch and push [`BufferUpdates`].
    pub fn training() -> Self {
        Self::new(true)
    }

    /// Layers use their buffers and leave them alone.
    pub fn inference() -> Self {
        Self::new(false)
    }

    fn new(training: bool) -> Self {
        Self {
            training,
            updates: BufferUpdates::default(),
            cost: Cost::default(),
        }
    }

    /// Whether layers should use the statistics of the batch.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Where layers push what they want changed; only in training.
    pub fn updates(&mut self) -> &mut BufferUpdates<B> {
        &mut self.updates
    }

    /// For a layer that is a matrix product: counts the multiply-adds of one image, and the values that it puts out.
    pub fn count(&mut self, multiply_adds: usize, outputs: usize) {
        self.cost.layers.push(multiply_adds as u64);
        self.count_outputs(outputs);
    }

    /// For any other layer: counts the values that it puts out for one image.
    pub fn count_outputs(&mut self, outputs: usize) {
        self.cost.activations += outputs as u64;
    }

    /// The updates of the whole pass.
    pub fn into_updates(self) -> BufferUpdates<B> {
        self.updates
    }

    /// The cost of the whole pass.
    pub fn into_cost(self) -> Cost {
        self.cost
    }
}
