//! The network that looks at images.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use ganvas_model::{
    Activation, BatchNorm, BatchNormConfig, Conv2d, ConvConfig, FeatureMap, ImageShape, Init, Initialization, Linear,
    Pass,
};
use serde::{Deserialize, Serialize};

/// Features of an image: what distances are measured in.
pub const FEATURES: usize = 64;

/// Channels after the first convolution.
const FIRST_CHANNELS: usize = 32;

/// Channels after each further convolution.
const CHANNELS: usize = 64;

/// Convolutions go on halving an image until no side is longer than this.
const LAST_SIDE: usize = 4;

/// What a classifier is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierConfig {
    /// Channels, height and width of the images.
    pub shape: [usize; 3],
    /// Classes that it tells apart.
    pub classes: usize,
}

/// Reads the class of an image; what its last hidden layer has of the image are the image's features.
///
/// Convolutions of stride 2, each with batch normalization and ReLU, halve the image until it has at most 4×4 places; then come
/// [`FEATURES`] hidden units (normalized, ReLU) and one logit a class.
#[derive(Module, Debug)]
pub struct Classifier<B: Backend> {
    convs: Vec<Conv2d<B>>,
    norms: Vec<BatchNorm<B>>,
    hidden: Linear<B>,
    hidden_norm: BatchNorm<B>,
    output: Linear<B>,
}

/// What a classifier has to say of a batch of images.
#[derive(Debug)]
pub struct Seen<B: Backend> {
    /// `[features, batch]`, none below zero.
    pub features: Tensor<B, 2>,
    /// `[classes, batch]`
    pub logits: Tensor<B, 2>,
}

impl<B: Backend> Classifier<B> {
    /// A new classifier; the same random numbers give the same one on every backend.
    pub fn new(config: ClassifierConfig, init: &mut Init<'_, B>) -> Self {
        let shape = ImageShape::from(config.shape);
        init.set_scheme(Initialization::He);
        let (mut convs, mut norms) = (Vec::new(), Vec::new());
        let mut sides = [shape.height, shape.width];
        let mut channels = shape.channels;
        while convs.is_empty() || sides.iter().any(|&side| side > LAST_SIDE) {
            let (outputs, kernel) = match convs.is_empty() {
                true => (FIRST_CHANNELS, 5),
                false => (CHANNELS, 3),
            };
            let conv = ConvConfig::new([channels, outputs], kernel, 2)
                .with_padding(kernel / 2)
                .without_bias();
            convs.push(Conv2d::new(conv, init));
            norms.push(BatchNorm::new(BatchNormConfig::PYTORCH, outputs, init));
            sides = sides.map(|side| side.div_ceil(2));
            channels = outputs;
        }
        let places = sides[0] * sides[1];
        Self {
            convs,
            norms,
            hidden: Linear::new([channels * places, FEATURES], false, init),
            hidden_norm: BatchNorm::new(BatchNormConfig::PYTORCH, FEATURES, init),
            output: Linear::new([FEATURES, config.classes], true, init),
        }
    }

    /// Looks at images, in training or not, as `pass` says.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`, from −1 to 1
    pub fn forward_pass(&self, images: Tensor<B, 4>, pass: &mut Pass<B>) -> Seen<B> {
        let mut map = FeatureMap::from_images(images);
        for (conv, norm) in self.convs.iter().zip(&self.norms) {
            map = conv.forward(map, Activation::Identity, pass);
            map = norm.forward(map, Activation::Relu, pass);
        }
        let hidden = FeatureMap::from_tensor(self.hidden.forward_flattened(map, pass), [1, 1]);
        let features = self.hidden_norm.forward(hidden, Activation::Relu, pass).into_tensor();
        let logits = self
            .output
            .forward_columns(features.clone(), Activation::Identity, pass);
        Seen {
            features: flat(features),
            logits: flat(logits),
        }
    }
}

/// `[rows, 1, batch]` as `[rows, batch]`.
fn flat<B: Backend>(columns: Tensor<B, 3>) -> Tensor<B, 2> {
    let [rows, _, batch] = columns.dims();
    columns.reshape([rows, batch])
}
