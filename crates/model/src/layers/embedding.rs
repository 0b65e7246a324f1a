//! What a layer knows of each class.

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor, backend::Backend},
};

use super::{
    activation::Activation,
    feature_map::FeatureMap,
    fused::{fused_layers, primitive, tensor},
    init::Init,
    initialization::Fans,
    linear::product,
    matrix::transposed,
    pass::Pass,
    spectral_norm::SpectralNorm,
};
use crate::{GraphBuilder, Operation, Value};

/// A vector for each class, as in PyTorch's `nn.Embedding`.
#[derive(Module, Debug)]
pub struct Embedding<B: Backend> {
    /// `[classes, features]`
    pub weight: Param<Tensor<B, 2>>,
    /// What divides the weights by their largest singular value, where that is wanted.
    pub spectral: Option<SpectralNorm<B>>,
}

impl<B: Backend> Embedding<B> {
    /// Vectors that are drawn as a layer of so many inputs draws its weights.
    pub fn new([classes, features]: [usize; 2], inputs: usize, init: &mut Init<'_, B>) -> Self {
        let fans = Fans {
            fan_in: inputs,
            fan_out: features,
            meeting: inputs as f64,
        };
        Self {
            weight: init.kernel([classes, features], fans),
            spectral: None,
        }
    }

    /// Divides the weights by their largest singular value from now on.
    pub fn with_spectral_norm(self, init: &mut Init<'_, B>) -> Self {
        Self {
            spectral: Some(SpectralNorm::new(&self.weight, init)),
            ..self
        }
    }

    /// Vectors of zeros.
    pub fn zeros(shape: [usize; 2], init: &mut Init<'_, B>) -> Self {
        Self {
            weight: init.filled(shape, 0.0),
            spectral: None,
        }
    }

    /// How many classes it knows.
    pub fn classes(&self) -> usize {
        self.weight.dims()[0]
    }

    /// The vector of each image's class: a product, because the gradient of a selection adds up in no fixed order on graphics cards.
    ///
    /// # Shapes
    /// - classes: `[classes, 1, batch]`, of [`one_hot`]
    /// - result: `[features, 1, batch]`
    pub fn forward(&self, classes: Tensor<B, 3>, pass: &mut Pass<B>) -> Tensor<B, 3> {
        let weight = SpectralNorm::apply_to(self.spectral.as_ref(), self.weight.val(), pass);
        pass.count_outputs(weight.dims()[1]);
        product(transposed(weight), classes, None, Activation::Identity)
    }

    /// Says what the layer computes of the classes, `[batch]`.
    pub fn describe(&self, graph: &mut GraphBuilder, classes: Value) -> Value {
        SpectralNorm::describe(self.spectral.as_ref(), graph);
        let weight = graph.name(&self.weight);
        graph.push(Operation::Embedding { weight }, [classes])
    }
}

/// 1 at each image's class and 0 elsewhere; a label that is no class has zeros alone.
///
/// # Shapes
/// - labels: `[batch]`
/// - result: `[classes, 1, batch]`
pub fn one_hot<B: Backend>(labels: Tensor<B, 1, Int>, classes: usize) -> Tensor<B, 3> {
    let batch = labels.dims()[0];
    let shape = [classes, 1, batch];
    let numbers = Tensor::<B, 1, Int>::arange(0..classes as i64, &labels.device());
    let numbers = numbers.reshape([classes, 1, 1]).expand(shape);
    labels.reshape([1, 1, batch]).expand(shape).equal(numbers).float()
}

/// A gain and a shift for each channel that the class decides, after a normalization (Dumoulin et al., 2017, arXiv:1610.07629; in GANs Miyato and
/// Koyama, 2018, arXiv:1802.05637): `x · (1 + gain) + shift`, and at first x itself.
#[derive(Module, Debug)]
pub struct ClassAffine<B: Backend> {
    /// `[classes, channels]`
    pub gain: Embedding<B>,
    /// `[classes, channels]`
    pub shift: Embedding<B>,
}

impl<B: Backend> ClassAffine<B> {
    /// For feature maps of so many channels.
    pub fn new(classes: usize, channels: usize, init: &mut Init<'_, B>) -> Self {
        let [gain, shift] = [(); 2].map(|()| Embedding::zeros([classes, channels], init));
        Self { gain, shift }
    }

    /// Applies it, and then `activation`.
    ///
    /// # Shapes
    /// - input and result: `[channels, pixels, batch]`
    /// - classes: `[classes, 1, batch]`, of [`one_hot`]
    pub fn forward(
        &self,
        input: FeatureMap<B>,
        classes: Tensor<B, 3>,
        activation: Activation,
        pass: &mut Pass<B>,
    ) -> FeatureMap<B> {
        let gain = self.gain.forward(classes.clone(), pass) + 1.0;
        let shift = self.shift.forward(classes, pass);
        pass.record_missing("a gain that the class decides");
        input.map(|pixels| {
            let [channels, count, _] = pixels.dims();
            pass.count_outputs(channels * count);
            match fused_layers::<B>(&pixels.device()) {
                Some(layers) => {
                    tensor(layers.image_affine(primitive(pixels), primitive(gain), primitive(shift), activation))
                }
                None => activation.apply(pixels * gain + shift),
            }
        })
    }

    /// Says what the layer computes.
    pub fn describe(&self, graph: &mut GraphBuilder, input: Value, classes: Value, activation: Activation) -> Value {
        let operation = Operation::ClassAffine {
            gain: graph.name(&self.gain.weight),
            shift: graph.name(&self.shift.weight),
        };
        let output = graph.push(operation, [input, classes]);
        graph.activation(activation, output)
    }
}
