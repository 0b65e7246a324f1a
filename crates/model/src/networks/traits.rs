//! What a generator, a discriminator and a family of both are.

use std::fmt::Debug;

use burn::{
    module::{AutodiffModule, Module},
    tensor::{
        Int, Tensor,
        backend::{AutodiffBackend, Backend},
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::input_gradient::{InputGradient, RecordedLogits};
use crate::{BufferUpdates, Cost, DataShape, GraphBuilder, ImageShape, Init, ModelError, Pass, Value};

/// Classes of a batch, `[batch]`, counted from 0.
pub type Labels<B> = Tensor<B, 1, Int>;

/// Makes images of noise.
///
/// A network of one's own implements the three required methods; everything that trains, saves, resumes and samples is
/// generic over this trait. The weights are saved under the names of the module's fields.
pub trait Generator<B: Backend>: Module<B> {
    /// Random numbers an image, the length of z.
    fn latent_size(&self) -> usize;

    /// The images that it makes.
    fn image_shape(&self) -> ImageShape;

    /// How many classes it makes images of, each of the one that it is asked for; 0 where it is not conditional, and ignores labels.
    fn classes(&self) -> usize {
        0
    }

    /// One pass, in training or not, as `pass` says; layers are handed `pass` on.
    ///
    /// # Shapes
    /// - z: `[batch, latent]`
    /// - labels: `[batch]`, where the data has classes; a network that is not conditional ignores them, and one that is cannot do without
    /// - result: `[batch, channels, height, width]`, usually in [-1, 1]
    fn forward_pass(&self, z: Tensor<B, 2>, labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 4>;

    /// Says what [`forward`](Self::forward) computes of [`Value::Z`] and, where it is conditional, [`Value::CLASS`], each layer by its own `describe`, and gives
    /// the images. `None`, which is what happens unless a network says more, where it is not for other programs: it trains and samples as well without.
    fn describe(&self, graph: &mut GraphBuilder) -> Option<Value> {
        let _ = graph;
        None
    }

    /// Inference: normalizations use their running statistics, so an image does not depend on its neighbours.
    ///
    /// # Shapes
    /// As [`forward_pass`](Self::forward_pass).
    fn forward(&self, z: Tensor<B, 2>, labels: Option<Labels<B>>) -> Tensor<B, 4> {
        self.forward_pass(z, labels, &mut Pass::inference())
    }

    /// Training: normalizations use the batch's statistics; with what the buffers want to become.
    ///
    /// # Shapes
    /// As [`forward_pass`](Self::forward_pass).
    fn forward_training(&self, z: Tensor<B, 2>, labels: Option<Labels<B>>) -> (Tensor<B, 4>, BufferUpdates<B>) {
        let mut pass = Pass::training();
        let images = self.forward_pass(z, labels, &mut pass);
        (images, pass.into_updates())
    }

    /// The multiply-adds of one image, counted by the layers in a pass.
    fn cost(&self, device: &B::Device) -> Cost {
        let mut pass = Pass::inference();
        let z = Tensor::zeros([1, self.latent_size()], device);
        self.forward_pass(z, Some(Tensor::zeros([1], device)), &mut pass);
        pass.into_cost()
    }
}

/// Tells real images from generated ones.
pub trait Discriminator<B: Backend>: Module<B> {
    /// The images that it judges.
    fn image_shape(&self) -> ImageShape;

    /// How many images it looks at together, for one logit.
    fn packing(&self) -> usize {
        1
    }

    /// One pass, in training or not, as `pass` says; layers are handed `pass` on.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`
    /// - labels: `[batch]`, where the data has classes; a network that is not conditional ignores them, and one that is cannot do without
    /// - result: `[batch, 1]`, logits: above zero for what it takes to be real; fewer where it looks at several images at once
    fn forward_pass(&self, images: Tensor<B, 4>, labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2>;

    /// Inference: normalizations use their running statistics.
    ///
    /// # Shapes
    /// As [`forward_pass`](Self::forward_pass).
    fn forward(&self, images: Tensor<B, 4>, labels: Option<Labels<B>>) -> Tensor<B, 2> {
        self.forward_pass(images, labels, &mut Pass::inference())
    }

    /// Training: normalizations use the batch's statistics; with what the buffers want to become.
    ///
    /// # Shapes
    /// As [`forward_pass`](Self::forward_pass).
    fn forward_training(&self, images: Tensor<B, 4>, labels: Option<Labels<B>>) -> (Tensor<B, 2>, BufferUpdates<B>) {
        let mut pass = Pass::training();
        let logits = self.forward_pass(images, labels, &mut pass);
        (logits, pass.into_updates())
    }

    /// As [`forward_training`](Self::forward_training), and keeps what the gradient with respect to the images is made of.
    fn forward_recorded(&self, images: Tensor<B, 4>, labels: Option<Labels<B>>) -> RecordedLogits<B> {
        let mut pass = Pass::recording();
        let shape = images.dims();
        let logits = self.forward_pass(images, labels, &mut pass);
        let class_logits = pass.take_class_logits();
        let (updates, adjoint) = pass.into_recorded();
        RecordedLogits {
            gradient: InputGradient::new(adjoint, shape, logits.dims()[0]),
            logits,
            class_logits,
            updates,
        }
    }

    /// The multiply-adds of one image, counted by the layers in a pass.
    fn cost(&self, device: &B::Device) -> Cost {
        let mut pass = Pass::inference();
        let ImageShape {
            channels,
            height,
            width,
        } = self.image_shape();
        let images = Tensor::zeros([1, channels, height, width], device);
        self.forward_pass(images, Some(Tensor::zeros([1], device)), &mut pass);
        // One image is looked at as often as it takes for a logit.
        pass.into_cost().shared_by(self.packing())
    }
}

/// The settings of a pair of networks: the section `[model]` of an experiment.
pub trait NetworkSettings: Clone + Debug + PartialEq + Serialize + DeserializeOwned {
    /// The values of the key `network`, where the settings are those of several families.
    const FAMILIES: &'static [&'static str] = &[];

    /// Whether the generator makes images of the class that it is given.
    fn is_conditional(&self) -> bool {
        false
    }

    /// Whether the discriminator reads the classes of images ([`Pass::classify`](crate::Pass::classify)), where the settings know: then that is held to
    /// the objective before anything is built.
    fn reads_classes(&self) -> Option<bool> {
        None
    }

    /// How many images the discriminator looks at together; batches have a multiple of it.
    fn packing(&self) -> usize {
        1
    }

    /// Checks that networks can be built with these settings, and, where `data` is known, for such images.
    ///
    /// # Errors
    /// [`ModelError::Config`] naming the key, what was given and what would do.
    fn validate(&self, data: Option<DataShape>) -> Result<(), ModelError> {
        let _ = data;
        Ok(())
    }
}

/// Builds a pair of networks from their settings.
pub trait Networks<B: Backend>: NetworkSettings {
    /// What makes the images.
    type Generator: Generator<B>;
    /// What judges them.
    type Discriminator: Discriminator<B>;

    /// Builds the generator for such images; the same random numbers give the same weights on every backend.
    ///
    /// # Errors
    /// As [`validate`](NetworkSettings::validate).
    fn generator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<Self::Generator, ModelError>;

    /// Builds the discriminator for such images; the same random numbers give the same weights on every backend.
    ///
    /// # Errors
    /// As [`validate`](NetworkSettings::validate).
    fn discriminator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<Self::Discriminator, ModelError>;
}

/// The generator of `N` on the backend without gradients.
pub type InnerGenerator<B, N> = <<N as Networks<B>>::Generator as AutodiffModule<B>>::InnerModule;

/// [`Networks`] that can be trained on `B`, and sampled on the backend without gradients: all that are made by
/// `#[derive(Module)]`.
pub trait TrainableNetworks<B: AutodiffBackend>:
    Networks<
        B,
        Generator: AutodiffModule<B, InnerModule: Generator<B::InnerBackend>>,
        Discriminator: AutodiffModule<B, InnerModule: Discriminator<B::InnerBackend>>,
    >
{
}

impl<B: AutodiffBackend, N> TrainableNetworks<B> for N where
    N: Networks<
            B,
            Generator: AutodiffModule<B, InnerModule: Generator<B::InnerBackend>>,
            Discriminator: AutodiffModule<B, InnerModule: Discriminator<B::InnerBackend>>,
        >
{
}
