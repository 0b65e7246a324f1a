//! The fully connected layer.

use super::{
    activation::Activation,
    feature_map::FeatureMap,
    fused::{LayerCall, Lowering, fused_layers, primitive, tensor},
    init::Init,
    initialization::Fans,
    matrix::{multiply, transposed},
    pass::Pass,
    spectral_norm::SpectralNorm,
};
use crate::{GraphBuilder, Operation, Value, Weights};
use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};

/// `output = input · weightᵀ + bias`, with PyTorch's weight layout.
///
/// Burn's own layer keeps `[in, out]` by default; this one keeps `[out, in]`, so that every tensor of a network has the
/// name and shape that PyTorch's users expect.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// `[out, in]`
    pub weight: Param<Tensor<B, 2>>,
    /// `[out]`
    pub bias: Option<Param<Tensor<B, 1>>>,
    /// What divides the weights by their largest singular value, where that is wanted.
    pub spectral: Option<SpectralNorm<B>>,
}

impl<B: Backend> Linear<B> {
    /// A new layer from `inputs` to `outputs` features.
    pub fn new([inputs, outputs]: [usize; 2], bias: bool, init: &mut Init<'_, B>) -> Self {
        let fans = Fans {
            fan_in: inputs,
            fan_out: outputs,
            meeting: inputs as f64,
        };
        Self {
            weight: init.kernel([outputs, inputs], fans),
            bias: bias.then(|| init.constant(outputs, 0.0)),
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

    /// `[out, in]`, as the layer multiplies with them.
    pub(crate) fn weights(&self, pass: &mut Pass<B>) -> Tensor<B, 2> {
        SpectralNorm::apply_to(self.spectral.as_ref(), self.weight.val(), pass)
    }

    /// Features in.
    pub fn inputs(&self) -> usize {
        self.weight.dims()[1]
    }

    /// Applies the layer, and then `activation`, to one column an image.
    ///
    /// # Shapes
    /// - input: `[in, 1, batch]`
    /// - result: `[out, 1, batch]`
    pub fn forward_columns(&self, input: Tensor<B, 3>, activation: Activation, pass: &mut Pass<B>) -> Tensor<B, 3> {
        self.apply(input, activation, pass)
    }

    /// Applies the layer, and then `activation`, to every pixel of a [`FeatureMap`](crate::FeatureMap)'s tensor.
    ///
    /// # Shapes
    /// - input: `[in, pixels, batch]`
    /// - result: `[out, pixels, batch]`
    pub fn forward_pixels(&self, input: Tensor<B, 3>, activation: Activation, pass: &mut Pass<B>) -> Tensor<B, 3> {
        self.apply(input, activation, pass)
    }

    /// Applies the layer to one column an image and takes the result for a [`FeatureMap`], channel first, as PyTorch's
    /// `view(-1, channels, height, width)` does.
    ///
    /// # Shapes
    /// - input: `[in, 1, batch]`
    /// - result: `[out / (height · width), height · width, batch]`
    ///
    /// # Panics
    /// If the number of outputs is no multiple of `height · width`.
    pub fn forward_features(
        &self,
        input: Tensor<B, 3>,
        [height, width]: [usize; 2],
        pass: &mut Pass<B>,
    ) -> FeatureMap<B> {
        let features = self.apply(input, Activation::Identity, pass);
        let [count, _, batch] = features.dims();
        let pixels = height * width;
        FeatureMap::from_tensor(features.reshape([count / pixels, pixels, batch]), [height, width])
    }

    /// Applies the layer to one column an image and takes the result for a [`FeatureMap`], channels last, as Keras'
    /// `Reshape` does.
    ///
    /// # Shapes
    /// - input: `[in, 1, batch]`
    /// - result: `[out / (height · width), height · width, batch]`
    ///
    /// # Panics
    /// If the number of outputs is no multiple of `height · width`.
    pub fn forward_features_channels_last(
        &self,
        input: Tensor<B, 3>,
        [height, width]: [usize; 2],
        pass: &mut Pass<B>,
    ) -> FeatureMap<B> {
        let pixels = height * width;
        pass.count(self.weight.shape().num_elements(), self.weight.dims()[0]);
        pass.record_missing("a layer of features with channels last");
        let features = match fused_layers::<B>(&input.device()) {
            Some(layers) => tensor(layers.layer(LayerCall {
                input: primitive(input),
                weight: primitive(self.weights(pass)),
                bias: self.bias.as_ref().map(Param::val).map(primitive),
                lowering: Lowering::Features { pixels },
                activation: Activation::Identity,
            })),
            None => {
                // The weights are put into the order of the channels, not the features: burn-std 0.21 gives a permuted batch of one
                // image the wrong strides when it is reshaped (`split_strides`), and burn-cubecl then reads other pixels.
                let [count, inputs] = self.weight.dims();
                let channels = count / pixels;
                let by_channel_first = |rows: Tensor<B, 2>, columns: usize| {
                    let rows = rows.reshape([pixels, channels, columns]).swap_dims(0, 1);
                    rows.reshape([count, columns])
                };
                let features = multiply(by_channel_first(self.weights(pass), inputs), input);
                let features = match &self.bias {
                    Some(bias) => features + by_channel_first(bias.val().reshape([count, 1]), 1).reshape([count, 1, 1]),
                    None => features,
                };
                let [_, _, batch] = features.dims();
                features.reshape([channels, pixels, batch])
            }
        };
        FeatureMap::from_tensor(features, [height, width])
    }

    /// Applies the layer to all features of an image, channel first, as after PyTorch's `flatten(1)`.
    ///
    /// # Shapes
    /// - input: `[channels, pixels, batch]` with `channels · pixels` = in
    /// - result: `[out, 1, batch]`
    pub fn forward_flattened(&self, input: FeatureMap<B>, pass: &mut Pass<B>) -> Tensor<B, 3> {
        let input = input.into_image_order().into_tensor();
        let [channels, pixels, batch] = input.dims();
        self.apply(input.reshape([channels * pixels, 1, batch]), Activation::Identity, pass)
    }

    /// Says what the layer computes of features `[batch, in]`.
    pub fn describe(&self, graph: &mut GraphBuilder, input: Value, activation: Activation) -> Value {
        let weights = self.describe_weights(graph);
        let output = graph.push(Operation::Linear(weights), [input]);
        graph.activation(activation, output)
    }

    /// Says what the layer computes at every pixel.
    pub fn describe_pixels(&self, graph: &mut GraphBuilder, input: Value, activation: Activation) -> Value {
        let weights = self.describe_weights(graph);
        let output = graph.push(Operation::PixelLinear(weights), [input]);
        graph.activation(activation, output)
    }

    fn describe_weights(&self, graph: &mut GraphBuilder) -> Weights {
        SpectralNorm::describe(self.spectral.as_ref(), graph);
        graph.weights(&self.weight, self.bias.as_ref())
    }

    fn apply(&self, input: Tensor<B, 3>, activation: Activation, pass: &mut Pass<B>) -> Tensor<B, 3> {
        let (weight, bias) = (self.weights(pass), self.bias.as_ref());
        let pixels = input.dims()[1];
        pass.count(weight.shape().num_elements() * pixels, weight.dims()[0] * pixels);
        let output = product(weight.clone(), input, bias, activation);
        pass.record(&output, activation, move |gradient| {
            product(transposed(weight), gradient, None, Activation::Identity)
        });
        output
    }
}

/// `activation(weight · input + bias)` at every pixel.
pub(super) fn product<B: Backend>(
    weight: Tensor<B, 2>,
    input: Tensor<B, 3>,
    bias: Option<&Param<Tensor<B, 1>>>,
    activation: Activation,
) -> Tensor<B, 3> {
    match fused_layers::<B>(&input.device()) {
        Some(layers) => tensor(layers.layer(LayerCall {
            input: primitive(input),
            weight: primitive(weight),
            bias: bias.map(Param::val).map(primitive),
            lowering: Lowering::Pixels,
            activation,
        })),
        None => activation.apply(add_bias(multiply(weight, input), bias)),
    }
}

/// Rows of features `[batch, in]` as one column an image, `[in, 1, batch]`.
///
/// The new dimension comes first: burn-std 0.21 gives a transposed `[in, 1]` that is reshaped to more dimensions the wrong strides
/// (`split_strides`), and on burn-cubecl a batch of one image would be read past its end.
pub fn columns<B: Backend>(rows: Tensor<B, 2>) -> Tensor<B, 3> {
    let [batch, inputs] = rows.dims();
    rows.reshape([batch, 1, inputs]).permute([2, 1, 0])
}

/// Adds a bias to every channel of `[channels, pixels, batch]`, where there is one.
pub(crate) fn add_bias<B: Backend>(pixels: Tensor<B, 3>, bias: Option<&Param<Tensor<B, 1>>>) -> Tensor<B, 3> {
    match bias {
        Some(bias) => pixels + by_channel(bias.val()),
        None => pixels,
    }
}

/// A vector over channels as `[channels, 1, 1]`, to meet `[channels, pixels, batch]`.
pub(crate) fn by_channel<B: Backend>(vector: Tensor<B, 1>) -> Tensor<B, 3> {
    let channels = vector.dims()[0];
    vector.reshape([channels, 1, 1])
}
