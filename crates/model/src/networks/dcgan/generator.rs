//! The generator.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};

use super::{
    DcganConfig, doubling,
    level::{After, Level, describe_after},
    pyramid,
};
use crate::{
    Activation, ClassAffine, ConvTranspose2d, DataShape, Embedding, Generator, GraphBuilder, ImageShape, Init, Labels,
    Linear, Operation, Pass, Value, columns,
    layers::Norm,
    networks::conditional::{classes, required},
};

/// Dense → normalization → ReLU, then transposed convolutions that double the side, the last one to the image and tanh.
///
/// 28×28 starts from 7×7 with 2·base channels, 32×32 from 4×4 with 4·base; each doubling halves the channels. 3×3 convolutions may stand before
/// each doubling. The first layer's
/// features are laid out (channel, y, x), as PyTorch's `view(-1, channels, height, width)` takes them.
#[derive(Module, Debug)]
pub struct DcganGenerator<B: Backend> {
    linear: Linear<B>,
    norm: Option<Norm<B>>,
    convs: Vec<ConvTranspose2d<B>>,
    /// One for each convolution, or none at all.
    norms: Vec<Norm<B>>,
    /// After the first layer, and after each of the convolutions.
    levels: Vec<Level<B>>,
    /// Of a conditional generator: what the class adds to the first layer's result.
    class_features: Option<Embedding<B>>,
    /// Of a conditional generator: after the first layer, and after each of the transposed convolutions but the last.
    affines: Vec<ClassAffine<B>>,
    output: ConvTranspose2d<B>,
    start: [usize; 2],
    image: [usize; 3],
}

impl<B: Backend> DcganGenerator<B> {
    pub(super) fn new(config: &DcganConfig, data: DataShape, init: &mut Init<'_, B>) -> Self {
        let image = data.image;
        let classes = classes(config.conditional, data);
        let (levels, start, widest) = pyramid(config, image);
        let normalization = config.generator_normalization;
        let bias = normalization.leaves_bias();
        let features = start[0] * start[1] * widest;
        let linear = Linear::new([config.latent_size, features], bias, init);
        // At each size, and after the first.
        let all: Vec<usize> = (0..levels).map(|level| widest >> level).collect();
        let widths = &all[1..];
        let conv =
            |&width: &usize| ConvTranspose2d::new(normalization.before(doubling([2 * width, width])), &mut *init);
        let convs = widths.iter().map(conv).collect();
        Self {
            linear,
            norm: normalization.layer(widest, init),
            convs,
            norms: widths
                .iter()
                .filter_map(|&width| normalization.layer(width, init))
                .collect(),
            levels: all
                .iter()
                .map(|&width| Level::new(width, config.generator_convolutions, normalization, classes, init))
                .collect(),
            // One weight of it meets each value.
            class_features: (classes > 0).then(|| Embedding::new([classes, features], 1, init)),
            affines: match classes {
                0 => Vec::new(),
                classes => all
                    .iter()
                    .map(|&width| ClassAffine::new(classes, width, init))
                    .collect(),
            },
            output: ConvTranspose2d::new(doubling([config.base_channels, image.channels]), init),
            start,
            image: image.dims(),
        }
    }
}

impl<B: Backend> Generator<B> for DcganGenerator<B> {
    fn latent_size(&self) -> usize {
        self.linear.inputs()
    }

    fn image_shape(&self) -> ImageShape {
        self.image.into()
    }

    fn classes(&self) -> usize {
        self.class_features.as_ref().map_or(0, Embedding::classes)
    }

    fn forward_pass(&self, z: Tensor<B, 2>, labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 4> {
        let classes = self
            .class_features
            .as_ref()
            .map(|features| required(labels, features.classes()));
        let after = |norm, index: usize| After {
            norm,
            affine: self.affines.get(index).zip(classes.as_ref()),
            activation: Activation::Relu,
        };
        let mut x = after(self.norm.as_ref(), 0).layer(pass, |activation, pass| {
            let features = self.linear.forward_features(columns(z), self.start, pass);
            let of_class = self.class_features.as_ref().zip(classes.clone());
            let of_class = of_class.map(|(features, classes)| features.forward(classes, pass));
            features.map(|pixels| {
                let shape = pixels.dims();
                let pixels = match of_class {
                    Some(of_class) => pixels + of_class.reshape(shape),
                    None => pixels,
                };
                activation.apply(pixels)
            })
        });
        for (index, level) in self.levels.iter().enumerate() {
            x = level.forward(x, classes.as_ref(), Activation::Relu, pass);
            if let Some(conv) = self.convs.get(index) {
                x = after(self.norms.get(index), index + 1)
                    .layer(pass, |activation, pass| conv.forward(x, activation, pass));
            }
        }
        self.output.forward(x, Activation::Tanh, pass).into_images()
    }

    fn describe(&self, graph: &mut GraphBuilder) -> Option<Value> {
        let relu = Activation::Relu;
        let mut x = self.linear.describe(graph, Value::Z, Activation::Identity);
        if let Some(features) = &self.class_features {
            let of_class = features.describe(graph, Value::CLASS);
            x = graph.push(Operation::Add, [x, of_class]);
        }
        let unflatten = Operation::Unflatten {
            size: self.start,
            channels_last: false,
        };
        x = graph.push(unflatten, [x]);
        x = describe_after(graph, x, self.norm.as_ref(), self.affines.first(), relu);
        for (index, level) in self.levels.iter().enumerate() {
            x = level.describe(graph, x, relu);
            if let Some(conv) = self.convs.get(index) {
                x = conv.describe(graph, x, Activation::Identity);
                x = describe_after(graph, x, self.norms.get(index), self.affines.get(index + 1), relu);
            }
        }
        Some(self.output.describe(graph, x, Activation::Tanh))
    }
}
