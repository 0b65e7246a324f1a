//! The generator.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};

use super::{
    ResnetConfig, Stages,
    block::{Block, Transition},
};
use crate::{
    Activation, DataShape, Embedding, FeatureMap, Generator, GraphBuilder, ImageShape, Init, Labels, Linear, Operation,
    Pass, Value, columns, double,
    networks::conditional::{classes, required},
};

/// A basis of features at the smallest size, weighed by a Dense of z; at each size residual blocks; between sizes bilinear doubling; a layer at every
/// pixel to the image. Nothing follows it, as in R3GAN, so values may leave [-1, 1].
#[derive(Module, Debug)]
pub struct ResnetGenerator<B: Backend> {
    linear: Linear<B>,
    /// Of a conditional generator: what the class adds to the first layer's result.
    class_features: Option<Embedding<B>>,
    /// `[channels, pixels]`
    basis: Param<Tensor<B, 2>>,
    /// From the smallest size to the largest, `blocks` at each.
    blocks: Vec<Block<B>>,
    /// Between the sizes.
    transitions: Vec<Transition<B>>,
    output: Linear<B>,
    start: [usize; 2],
    image: [usize; 3],
}

impl<B: Backend> ResnetGenerator<B> {
    pub(super) fn new(config: &ResnetConfig, data: DataShape, init: &mut Init<'_, B>) -> Self {
        let Stages { widths, start } = Stages::of(config, data.image);
        let (first, last) = (widths[0], widths[widths.len() - 1]);
        let classes = classes(config.conditional, data);
        let all = config.blocks * widths.len();
        init.set_gain(1.0);
        let linear = Linear::new([config.latent_size, first], true, init);
        // A class adds as much as one number of z does.
        let class_features = (classes > 0).then(|| Embedding::new([classes, first], 1, init));
        let basis = init.kernel([first, start[0] * start[1]], crate::Fans::ONE);
        let mut blocks = Vec::new();
        let mut transitions = Vec::new();
        for (stage, &width) in widths.iter().enumerate() {
            if stage > 0 {
                transitions.push(Transition::new([widths[stage - 1], width], init));
            }
            blocks.extend((0..config.blocks).map(|_| Block::new(width, config, all, init)));
        }
        init.set_gain(1.0);
        Self {
            linear,
            class_features,
            basis,
            blocks,
            transitions,
            output: Linear::new([last, data.image.channels], true, init),
            start,
            image: data.image.dims(),
        }
    }
}

impl<B: Backend> Generator<B> for ResnetGenerator<B> {
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
        let mut weights = self.linear.forward_columns(columns(z), Activation::Identity, pass);
        if let Some(features) = &self.class_features {
            let classes = required(labels, features.classes());
            weights = weights + features.forward(classes, pass);
        }
        let [channels, pixels] = self.basis.dims();
        pass.record_missing("a generator's basis");
        pass.count_outputs(channels * pixels);
        let basis = self.basis.val().reshape([channels, pixels, 1]);
        let mut x = FeatureMap::from_tensor(basis * weights, self.start);
        let per_stage = self.blocks.len() / (self.transitions.len() + 1);
        for (stage, blocks) in self.blocks.chunks(per_stage).enumerate() {
            if stage > 0 {
                x = double(self.transitions[stage - 1].forward(x, pass), pass);
            }
            x = blocks.iter().fold(x, |x, block| block.forward(x, pass));
        }
        x.map(|pixels| self.output.forward_pixels(pixels, Activation::Identity, pass))
            .into_images()
    }

    fn describe(&self, graph: &mut GraphBuilder) -> Option<Value> {
        let mut weights = self.linear.describe(graph, Value::Z, Activation::Identity);
        if let Some(features) = &self.class_features {
            let of_class = features.describe(graph, Value::CLASS);
            weights = graph.push(Operation::Add, [weights, of_class]);
        }
        let basis = Operation::Basis {
            weight: graph.name(&self.basis),
            size: self.start,
        };
        let mut x = graph.push(basis, [weights]);
        let per_stage = self.blocks.len() / (self.transitions.len() + 1);
        for (stage, blocks) in self.blocks.chunks(per_stage).enumerate() {
            if stage > 0 {
                x = self.transitions[stage - 1].describe(graph, x);
                x = graph.push(Operation::Double, [x]);
            }
            x = blocks.iter().fold(x, |x, block| block.describe(graph, x));
        }
        Some(self.output.describe_pixels(graph, x, Activation::Identity))
    }
}
