//! The discriminator.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};

use super::{
    DcganConfig, LEAKY, doubling,
    level::{After, Level},
    pyramid,
};
use crate::{
    Conv2d, DataShape, Discriminator, FeatureMap, ImageShape, Init, Labels, Linear, Normalization, Pass,
    layers::Norm,
    minibatch_stddev,
    networks::conditional::{ClassHead, classes},
    pack,
};

/// Convolutions that halve the side, 3×3 convolutions after them where they are wanted, a normalization from the second on, LeakyReLU 0.2, and a Dense to one logit.
///
/// The features are flattened (channel, y, x), as PyTorch's `flatten(1)` does; `linear.weight` has its columns in that order.
#[derive(Module, Debug)]
pub struct DcganDiscriminator<B: Backend> {
    input: Conv2d<B>,
    convs: Vec<Conv2d<B>>,
    /// One for each of those, or none at all.
    norms: Vec<Norm<B>>,
    /// After each halving.
    levels: Vec<Level<B>>,
    linear: Linear<B>,
    /// Of a conditional discriminator.
    class_head: Option<ClassHead<B>>,
    image: [usize; 3],
    packing: usize,
    minibatch_stddev: bool,
}

impl<B: Backend> DcganDiscriminator<B> {
    pub(super) fn new(config: &DcganConfig, data: DataShape, init: &mut Init<'_, B>) -> Self {
        let image = data.image;
        let (levels, start, widest) = pyramid(config, image);
        let features = start[0] * start[1] * (widest + usize::from(config.minibatch_stddev));
        let base = config.base_channels;
        let normalization = config.discriminator_normalization;
        // No normalization follows the first layer, but its weights may be normalized.
        let input = match normalization {
            Normalization::Spectral => normalization,
            _ => Normalization::None,
        };
        let input = input.conv(doubling([config.packing * image.channels, base]), init);
        // At each size, and after the first.
        let all: Vec<usize> = (0..levels).map(|level| base << level).collect();
        let widths = &all[1..];
        let conv = |&width: &usize| normalization.conv(doubling([width / 2, width]), &mut *init);
        let convs = widths.iter().map(conv).collect();
        let norm = |&width: &usize| normalization.layer(width, &mut *init);
        Self {
            input,
            convs,
            norms: widths.iter().filter_map(norm).collect(),
            levels: all
                .iter()
                .map(|&width| Level::new(width, config.discriminator_convolutions, normalization, 0, init))
                .collect(),
            linear: normalization.last([features, 1], init),
            class_head: ClassHead::new(
                config.class_head,
                normalization,
                classes(config.conditional, data),
                features,
                init,
            ),
            image: image.dims(),
            packing: config.packing,
            minibatch_stddev: config.minibatch_stddev,
        }
    }
}

impl<B: Backend> Discriminator<B> for DcganDiscriminator<B> {
    fn image_shape(&self) -> ImageShape {
        self.image.into()
    }

    fn packing(&self) -> usize {
        self.packing
    }

    fn forward_pass(&self, images: Tensor<B, 4>, labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        let images = pack(FeatureMap::from_images(images), self.packing, pass);
        let mut x = self.input.forward(images, LEAKY, pass);
        for (index, level) in self.levels.iter().enumerate() {
            x = level.forward(x, None, LEAKY, pass);
            if let Some(conv) = self.convs.get(index) {
                let after = After {
                    norm: self.norms.get(index),
                    affine: None,
                    activation: LEAKY,
                };
                x = after.layer(pass, |activation, pass| conv.forward(x, activation, pass));
            }
        }
        if self.minibatch_stddev {
            x = minibatch_stddev(x, pass);
        }
        let logits = ClassHead::judge(self.class_head.as_ref(), &self.linear, x, labels, pass);
        let [_, _, count] = logits.dims();
        logits.reshape([count, 1])
    }
}
