//! What a generator computes, operation by operation, for whoever writes it down for another program.
//!
//! A network says it in [`Generator::describe`](crate::Generator::describe), layer by layer beside its forward pass; [`Graph::of`] reads it with the
//! weights. Inference alone is described: normalizations with their running statistics.

mod builder;
mod shapes;

use burn::tensor::backend::Backend;

pub use builder::GraphBuilder;

use crate::{Activation, Generator, ImageShape, ModelError, NamedTensor, named_tensors};

/// One of the values of a [`Graph`]: an input, or what an operation makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(usize);

impl Value {
    /// The noise, `[batch, latent]`.
    pub const Z: Self = Self(0);
    /// The class of each image, `[batch]`, counted from 0.
    pub const CLASS: Self = Self(1);
    /// What the first operation makes.
    const FIRST: usize = 2;

    /// What the operation of this number makes.
    pub fn of(node: usize) -> Self {
        Self(Self::FIRST + node)
    }

    /// Which operation makes it; none makes an input.
    pub fn node(self) -> Option<usize> {
        self.0.checked_sub(Self::FIRST)
    }
}

/// A generator as operations on tensors in PyTorch's and ONNX's usual layout, `[batch, channels, height, width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Random numbers an image, the length of z.
    pub latent_size: usize,
    /// How many classes images are made of; 0 where the class is no input.
    pub classes: usize,
    /// The images that come out.
    pub image: ImageShape,
    /// The operations, each after those whose values it takes.
    pub nodes: Vec<Node>,
    /// The images, `[batch, channels, height, width]`.
    pub output: Value,
    /// All weights and running statistics, by PyTorch's names, in the order of the network's fields.
    pub tensors: Vec<NamedTensor>,
}

/// An operation and what it is applied to.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What is done.
    pub operation: Operation,
    /// To which values.
    pub inputs: Vec<Value>,
}

/// What is done; weights are named, and stand in [`Graph::tensors`].
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// `x · weightᵀ + bias` on `[batch, in]`.
    Linear(Weights),
    /// The same at every pixel of `[batch, in, height, width]`.
    PixelLinear(Weights),
    /// A convolution.
    Conv {
        /// `[out, in, kernel, kernel]`
        weights: Weights,
        /// Step between neighbouring positions, in pixels.
        stride: usize,
        /// Zeros around the image, in pixels.
        padding: usize,
    },
    /// A transposed convolution.
    ConvTranspose {
        /// `[in, out, kernel, kernel]`
        weights: Weights,
        /// Step between neighbouring positions, in pixels.
        stride: usize,
        /// Pixels cut from the result's borders.
        padding: usize,
    },
    /// Batch normalization with running statistics, `[channels]` each.
    BatchNorm {
        /// What is multiplied with.
        scale: String,
        /// What is added then.
        shift: String,
        /// The running mean.
        mean: String,
        /// The running variance.
        variance: String,
        /// Added to the variance.
        epsilon: f64,
    },
    /// Normalization over channels and pixels of each image; scale and shift `[channels]`.
    LayerNorm {
        /// What is multiplied with.
        scale: String,
        /// What is added then.
        shift: String,
        /// Added to the variance.
        epsilon: f64,
    },
    /// An activation.
    Activation(Activation),
    /// `[batch, features]` as `[batch, channels, height, width]`.
    Unflatten {
        /// Height and width.
        size: [usize; 2],
        /// Whether the features are laid out (y, x, channel), as Keras has them, and not (channel, y, x).
        channels_last: bool,
    },
    /// The row of each image's class, `[batch]` to `[batch, features]`.
    Embedding {
        /// `[classes, features]`
        weight: String,
    },
    /// `x · (1 + gain) + shift` of each channel by the image's class; applied to x and the classes.
    ClassAffine {
        /// `[classes, channels]`
        gain: String,
        /// `[classes, channels]`
        shift: String,
    },
    /// The sum of two values of one shape.
    Add,
    /// A basis of feature maps, weighed: `[batch, channels]` to `[batch, channels, height, width]`.
    Basis {
        /// `[channels, height · width]`
        weight: String,
        /// Height and width.
        size: [usize; 2],
    },
    /// Bilinear doubling of both sides, zeros outside: a transposed convolution of each channel by (1, 3, 3, 1) / 4 along both sides, stride 2,
    /// padding 1.
    Double,
}

/// The names of a layer's weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// What is multiplied with.
    pub weight: String,
    /// What is added, where there is something.
    pub bias: Option<String>,
}

impl Operation {
    /// The names of all tensors that it takes.
    pub fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Linear(weights)
            | Self::PixelLinear(weights)
            | Self::Conv { weights, .. }
            | Self::ConvTranspose { weights, .. } => std::iter::once(&*weights.weight)
                .chain(weights.bias.as_deref())
                .collect(),
            Self::BatchNorm {
                scale,
                shift,
                mean,
                variance,
                ..
            } => vec![scale, shift, mean, variance],
            Self::LayerNorm { scale, shift, .. } => vec![scale, shift],
            Self::Embedding { weight } | Self::Basis { weight, .. } => vec![weight],
            Self::ClassAffine { gain, shift } => vec![gain, shift],
            Self::Activation(_) | Self::Unflatten { .. } | Self::Add | Self::Double => Vec::new(),
        }
    }
}

impl Graph {
    /// Reads what a generator computes, with its weights.
    ///
    /// # Errors
    /// [`ModelError::NotDescribed`] where the network, or a layer of it, does not say what it computes, or where it has weights that it does not mention.
    pub fn of<B: Backend, G: Generator<B>>(generator: &G) -> Result<Self, ModelError> {
        let mut builder = GraphBuilder::new(generator);
        let output = generator.describe(&mut builder);
        let (nodes, output) = builder.finish(output)?;
        let graph = Self {
            latent_size: generator.latent_size(),
            classes: generator.classes(),
            image: generator.image_shape(),
            nodes,
            output,
            tensors: named_tensors(generator),
        };
        if !graph.is_ordered() {
            return Err(ModelError::not_described(
                "an operation, which takes what is not made before it,",
            ));
        }
        // What is forgotten between two layers changes the shape more often than not.
        let shape = output.node().and_then(|node| graph.shapes().into_iter().nth(node));
        match shape.is_some_and(|shape| shape == graph.image.dims()) {
            true => Ok(graph),
            false => Err(ModelError::not_described(
                "the last layer, whose shape is not that of the images,",
            )),
        }
    }

    /// Whether each operation takes only what is made before it, and there is an output.
    pub fn is_ordered(&self) -> bool {
        let is_before = |value: &Value, number: usize| value.node().is_none_or(|node| node < number);
        let mut nodes = self.nodes.iter().enumerate();
        nodes.all(|(number, node)| node.inputs.iter().all(|value| is_before(value, number)))
            && self.output.node().is_some_and(|node| node < self.nodes.len())
    }

    /// Whether the class of each image is an input.
    pub fn takes_classes(&self) -> bool {
        self.nodes.iter().any(|node| node.inputs.contains(&Value::CLASS))
    }

    /// A tensor by its name.
    pub fn tensor(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}
