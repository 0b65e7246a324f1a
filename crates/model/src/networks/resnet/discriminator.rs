//! The discriminator.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};

use super::{
    ResnetConfig, Stages,
    block::{Block, Transition},
};
use crate::{
    Activation, DataShape, Discriminator, FeatureMap, ImageShape, Init, Labels, Linear, Normalization, Pass, halve,
    minibatch_stddev,
    networks::conditional::{ClassHead, classes},
    pack,
};

/// The generator backwards: a layer at every pixel, residual blocks at each size, halving between them, at the smallest size a weight for each
/// pixel of each channel, and a Dense to one logit.
#[derive(Module, Debug)]
pub struct ResnetDiscriminator<B: Backend> {
    input: Linear<B>,
    /// From the image's size to the smallest, `blocks` at each.
    blocks: Vec<Block<B>>,
    /// Between the sizes.
    transitions: Vec<Transition<B>>,
    /// `[channels, pixels]`
    basis: Param<Tensor<B, 2>>,
    linear: Linear<B>,
    /// Of a conditional discriminator.
    class_head: Option<ClassHead<B>>,
    image: [usize; 3],
    packing: usize,
    minibatch_stddev: bool,
}

impl<B: Backend> ResnetDiscriminator<B> {
    pub(super) fn new(config: &ResnetConfig, data: DataShape, init: &mut Init<'_, B>) -> Self {
        let Stages { widths, start } = Stages::of(config, data.image);
        let widths: Vec<usize> = widths.into_iter().rev().collect();
        let first = widths[0];
        let last = widths[widths.len() - 1] + usize::from(config.minibatch_stddev);
        let all = config.blocks * widths.len();
        init.set_gain(1.0);
        let input = Linear::new([config.packing * data.image.channels, first], true, init);
        let mut blocks = Vec::new();
        let mut transitions = Vec::new();
        for (stage, &width) in widths.iter().enumerate() {
            if stage > 0 {
                transitions.push(Transition::new([widths[stage - 1], width], init));
            }
            blocks.extend((0..config.blocks).map(|_| Block::new(width, config, all, init)));
        }
        init.set_gain(1.0);
        let pixels = start[0] * start[1];
        let fans = crate::Fans {
            fan_in: pixels,
            fan_out: 1,
            meeting: pixels as f64,
        };
        let basis = init.kernel([last, pixels], fans);
        let linear = Linear::new([last, 1], true, init);
        let classes = classes(config.conditional, data);
        Self {
            input,
            blocks,
            transitions,
            basis,
            linear,
            class_head: ClassHead::new(config.class_head, Normalization::None, classes, last, init),
            image: data.image.dims(),
            packing: config.packing,
            minibatch_stddev: config.minibatch_stddev,
        }
    }
}

impl<B: Backend> Discriminator<B> for ResnetDiscriminator<B> {
    fn image_shape(&self) -> ImageShape {
        self.image.into()
    }

    fn packing(&self) -> usize {
        self.packing
    }

    fn forward_pass(&self, images: Tensor<B, 4>, labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        let images = pack(FeatureMap::from_images(images), self.packing, pass);
        let mut x = images.map(|pixels| self.input.forward_pixels(pixels, Activation::Identity, pass));
        let per_stage = self.blocks.len() / (self.transitions.len() + 1);
        for (stage, blocks) in self.blocks.chunks(per_stage).enumerate() {
            if stage > 0 {
                x = self.transitions[stage - 1].forward(halve(x, pass), pass);
            }
            x = blocks.iter().fold(x, |x, block| block.forward(x, pass));
        }
        if self.minibatch_stddev {
            x = minibatch_stddev(x, pass);
        }
        let [channels, pixels] = self.basis.dims();
        pass.count(channels * pixels, channels);
        let basis = self.basis.val().reshape([channels, pixels, 1]);
        let features = (x.into_image_order().into_tensor() * basis.clone()).sum_dim(1);
        pass.record(&features, Activation::Identity, move |gradient| basis * gradient);
        let features = FeatureMap::from_tensor(features, [1, 1]);
        let logits = ClassHead::judge(self.class_head.as_ref(), &self.linear, features, labels, pass);
        let [_, _, count] = logits.dims();
        logits.reshape([count, 1])
    }
}
