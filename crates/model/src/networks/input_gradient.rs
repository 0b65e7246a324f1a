//! The gradient of a discriminator with respect to the images.

use burn::tensor::{Tensor, backend::Backend};

use crate::{BufferUpdates, FeatureMap, ModelError, layers::Adjoint};

/// A discriminator's logits, and what their gradient with respect to the images is made of.
#[derive(Debug)]
pub struct RecordedLogits<B: Backend> {
    /// `[batch, 1]`
    pub logits: Tensor<B, 2>,
    /// `[batch, classes]`, of a discriminator that also reads the classes of images.
    pub class_logits: Option<Tensor<B, 2>>,
    /// What the discriminator's buffers want to become.
    pub updates: BufferUpdates<B>,
    /// Of each logit, with respect to its image.
    pub gradient: InputGradient<B>,
}

/// The gradient of a discriminator's logits with respect to the images, not computed yet.
#[derive(Debug)]
pub struct InputGradient<B: Backend> {
    adjoint: Adjoint<B>,
    shape: [usize; 4],
    /// Fewer than images where those are packed.
    logits: usize,
}

impl<B: Backend> InputGradient<B> {
    /// Of images `[batch, channels, height, width]` that have gone through the layers to so many logits.
    pub(super) fn new(adjoint: Adjoint<B>, shape: [usize; 4], logits: usize) -> Self {
        Self { adjoint, shape, logits }
    }

    /// The gradient of each image's logit with respect to that image, in operations that Burn differentiates: the gradient with
    /// respect to the weights of whatever is made of it is that of double backpropagation.
    ///
    /// # Shapes
    /// - result: `[batch, channels, height, width]`
    ///
    /// # Errors
    /// [`ModelError::NoInputGradient`] where a layer does not say how the gradient goes back through it: batch normalization, through which
    /// an image's gradient depends on the other images.
    pub fn compute(self, device: &B::Device) -> Result<Tensor<B, 4>, ModelError> {
        let [batch, channels, height, width] = self.shape;
        let ones = Tensor::ones([1, 1, self.logits], device);
        let gradient = self.adjoint.apply(ones, [channels, height * width, batch])?;
        Ok(FeatureMap::from_tensor(gradient, [height, width]).into_images())
    }
}
