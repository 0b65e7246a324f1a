//! One forward pass through a network.

use burn::tensor::{Tensor, backend::Backend};

use super::{activation::Activation, adjoint::Adjoint, buffers::BufferUpdates, cost::Cost, feature_map::FeatureMap};

/// Says how a forward pass is meant, and collects what its layers report: buffer updates and cost.
///
/// Every layer's `forward` takes one; a network hands it on. [`Generator`](crate::Generator) and
/// [`Discriminator`](crate::Discriminator) make them.
#[derive(Debug)]
pub struct Pass<B: Backend> {
    training: bool,
    updates: BufferUpdates<B>,
    cost: Cost,
    adjoint: Option<Adjoint<B>>,
    class_logits: Option<Tensor<B, 2>>,
}

impl<B: Backend> Pass<B> {
    /// Layers use the statistics of the batch and push [`BufferUpdates`].
    pub fn training() -> Self {
        Self::new(true)
    }

    /// Layers use their buffers and leave them alone.
    pub fn inference() -> Self {
        Self::new(false)
    }

    /// As [`training`](Self::training), and layers leave behind how the gradient goes back through them.
    pub(crate) fn recording() -> Self {
        Self {
            adjoint: Some(Adjoint::default()),
            ..Self::training()
        }
    }

    fn new(training: bool) -> Self {
        Self {
            training,
            updates: BufferUpdates::default(),
            cost: Cost::default(),
            adjoint: None,
            class_logits: None,
        }
    }

    /// Whether layers should use the statistics of the batch.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Where layers push what they want changed; only in training.
    pub fn updates(&mut self) -> &mut BufferUpdates<B> {
        &mut self.updates
    }

    /// For a layer of the form `activation(product(input) + bias)`: gives its adjoint, how the gradient goes back through it, where that is wanted.
    /// A layer that says nothing is taken to be no layer, so its network cannot be trained with penalties on gradients.
    ///
    /// # Shapes
    /// - output: `[out, pixels, batch]`, after the activation
    /// - adjoint: from `[out, pixels, batch]` to the shape of the input, `[in, pixels, batch]`, linear in what it is given, in
    ///   operations that Burn differentiates
    pub fn record(
        &mut self,
        output: &Tensor<B, 3>,
        activation: Activation,
        adjoint: impl FnOnce(Tensor<B, 3>) -> Tensor<B, 3> + 'static,
    ) {
        if let Some(recorded) = &mut self.adjoint {
            recorded.push(output.clone(), activation, adjoint);
        }
    }

    /// Goes through two branches that begin with the same features, and adds what comes out of both.
    ///
    /// # Panics
    /// If that differs in shape.
    pub fn add_branches(
        &mut self,
        input: FeatureMap<B>,
        first: impl FnOnce(FeatureMap<B>, &mut Self) -> FeatureMap<B>,
        second: impl FnOnce(FeatureMap<B>, &mut Self) -> FeatureMap<B>,
    ) -> FeatureMap<B> {
        let input = input.into_image_order();
        if let Some(recorded) = &mut self.adjoint {
            recorded.fork(input.clone().into_tensor().dims());
        }
        let of_first = first(input.clone(), self).into_image_order().into_tensor();
        if let Some(recorded) = &mut self.adjoint {
            recorded.second();
        }
        let of_second = second(input, self).into_image_order();
        if let Some(recorded) = &mut self.adjoint {
            recorded.join();
        }
        of_second.map(|pixels| pixels + of_first)
    }

    /// For any other layer: says that it has no such adjoint.
    pub fn record_missing(&mut self, layer: &'static str) {
        if let Some(recorded) = &mut self.adjoint {
            recorded.push_missing(layer);
        }
    }

    /// For a discriminator that also reads the classes of images: gives their logits, for an
    /// [objective](crate::ObjectiveConfig) that trains them (ACGAN).
    ///
    /// # Shapes
    /// - logits: `[batch, classes]`
    pub fn classify(&mut self, logits: Tensor<B, 2>) {
        self.class_logits = Some(logits);
    }

    /// What was [given](Self::classify), `[batch, classes]`, where it was.
    pub fn take_class_logits(&mut self) -> Option<Tensor<B, 2>> {
        self.class_logits.take()
    }

    /// Goes through a layer that the gradient with respect to the input does not go back through, and that is no part of the adjoint.
    pub(crate) fn aside<R>(&mut self, layers: impl FnOnce(&mut Self) -> R) -> R {
        let adjoint = self.adjoint.take();
        let result = layers(self);
        self.adjoint = adjoint;
        result
    }

    /// For a layer that is a matrix product: counts the multiply-adds of one image, and the values that it puts out.
    pub fn count(&mut self, multiply_adds: usize, outputs: usize) {
        self.cost.layers.push(multiply_adds as u64);
        self.count_outputs(outputs);
    }

    /// For any other layer: counts the values that it puts out for one image.
    pub fn count_outputs(&mut self, outputs: usize) {
        self.cost.activations += outputs as u64;
    }

    /// The updates of the whole pass, and the adjoints of its layers where it was recorded.
    pub(crate) fn into_recorded(self) -> (BufferUpdates<B>, Adjoint<B>) {
        (self.updates, self.adjoint.unwrap_or_default())
    }

    /// The updates of the whole pass.
    pub fn into_updates(self) -> BufferUpdates<B> {
        self.updates
    }

    /// The cost of the whole pass.
    pub fn into_cost(self) -> Cost {
        self.cost
    }
}
