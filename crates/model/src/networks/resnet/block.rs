//! A residual block.

use burn::{module::Module, tensor::backend::Backend};

use super::ResnetConfig;
use crate::{
    Activation, Conv2d, ConvConfig, FeatureMap, GraphBuilder, Init, Linear, Operation, Pass, Value,
    networks::dcgan::LEAKY,
};

/// The gain that keeps the variance through LeakyReLU 0.2.
pub(super) const LEAKY_GAIN: f64 = 1.386_750_490_563_072_8; // √(2 / (1 + 0.2²))

/// `x + C(φ(B(φ(A x))))`: a layer at every pixel to more channels, a 3×3 convolution, and a layer back, with LeakyReLU 0.2 and biases between. The
/// last begins at zero, so a new block is the identity; the others are initialized as in R3GAN (Fixup; Zhang et al., 2019, arXiv:1901.09321). Unlike
/// there, the convolution is not grouped.
#[derive(Module, Debug)]
pub(super) struct Block<B: Backend> {
    expand: Linear<B>,
    conv: Conv2d<B>,
    project: Linear<B>,
}

impl<B: Backend> Block<B> {
    /// A block of a network of so many.
    pub(super) fn new(width: usize, config: &ResnetConfig, blocks: usize, init: &mut Init<'_, B>) -> Self {
        let inside = width * config.expansion;
        // Three layers a block: each takes the fourth root.
        init.set_gain(LEAKY_GAIN * (blocks as f64).powf(-0.25));
        let expand = Linear::new([width, inside], true, init);
        let conv = Conv2d::new(ConvConfig::new([inside, inside], 3, 1).with_padding(1), init);
        init.set_gain(0.0);
        let project = Linear::new([inside, width], false, init);
        Self { expand, conv, project }
    }

    pub(super) fn forward(&self, x: FeatureMap<B>, pass: &mut Pass<B>) -> FeatureMap<B> {
        let branch = |x: FeatureMap<B>, pass: &mut Pass<B>| {
            let x = x.map(|pixels| self.expand.forward_pixels(pixels, LEAKY, pass));
            let x = self.conv.forward(x, LEAKY, pass);
            x.map(|pixels| self.project.forward_pixels(pixels, Activation::Identity, pass))
        };
        pass.add_branches(x, branch, |x, _| x)
    }

    pub(super) fn describe(&self, graph: &mut GraphBuilder, x: Value) -> Value {
        let branch = self.expand.describe_pixels(graph, x, LEAKY);
        let branch = self.conv.describe(graph, branch, LEAKY);
        let branch = self.project.describe_pixels(graph, branch, Activation::Identity);
        graph.push(Operation::Add, [x, branch])
    }
}

/// What stands between two sizes: other channels, where they differ. The size itself is changed by [`halve`](crate::halve) or
/// [`double`](crate::double).
#[derive(Module, Debug)]
pub(super) struct Transition<B: Backend> {
    channels: Option<Linear<B>>,
}

impl<B: Backend> Transition<B> {
    pub(super) fn new([inputs, outputs]: [usize; 2], init: &mut Init<'_, B>) -> Self {
        init.set_gain(1.0);
        Self {
            channels: (inputs != outputs).then(|| Linear::new([inputs, outputs], false, init)),
        }
    }

    /// At each pixel.
    pub(super) fn forward(&self, x: FeatureMap<B>, pass: &mut Pass<B>) -> FeatureMap<B> {
        match &self.channels {
            Some(layer) => x.map(|pixels| layer.forward_pixels(pixels, Activation::Identity, pass)),
            None => x,
        }
    }

    pub(super) fn describe(&self, graph: &mut GraphBuilder, x: Value) -> Value {
        match &self.channels {
            Some(layer) => layer.describe_pixels(graph, x, Activation::Identity),
            None => x,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LEAKY_GAIN;

    #[test]
    fn the_gain_is_that_of_the_slope() {
        assert_eq!(LEAKY_GAIN, (2.0 / (1.0 + 0.2_f64 * 0.2)).sqrt());
    }
}
