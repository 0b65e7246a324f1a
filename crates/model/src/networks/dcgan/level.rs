//! Convolutions of one size of the image, and what follows a layer.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};

use super::keeping;
use crate::{
    Activation, ClassAffine, Conv2d, FeatureMap, GraphBuilder, Init, Normalization, Pass, Value, layers::Norm,
};

/// Convolutions of one size of the image, each with its normalization, where there is one.
#[derive(Module, Debug)]
pub(super) struct Level<B: Backend> {
    convs: Vec<Conv2d<B>>,
    /// One for each of those, or none at all.
    norms: Vec<Norm<B>>,
    /// One for each of the convolutions of a conditional generator.
    affines: Vec<ClassAffine<B>>,
}

impl<B: Backend> Level<B> {
    pub(super) fn new(
        width: usize,
        count: usize,
        normalization: Normalization,
        classes: usize,
        init: &mut Init<'_, B>,
    ) -> Self {
        let convs = (0..count).map(|_| normalization.conv(keeping(width), init)).collect();
        let norms = (0..count).filter_map(|_| normalization.layer(width, init)).collect();
        let affines = match classes {
            0 => Vec::new(),
            classes => (0..count).map(|_| ClassAffine::new(classes, width, init)).collect(),
        };
        Self { convs, norms, affines }
    }

    pub(super) fn forward(
        &self,
        x: FeatureMap<B>,
        classes: Option<&Tensor<B, 3>>,
        activation: Activation,
        pass: &mut Pass<B>,
    ) -> FeatureMap<B> {
        self.convs.iter().enumerate().fold(x, |x, (index, conv)| {
            let after = After {
                norm: self.norms.get(index),
                affine: self.affines.get(index).zip(classes),
                activation,
            };
            after.layer(pass, |activation, pass| conv.forward(x, activation, pass))
        })
    }

    pub(super) fn describe(&self, graph: &mut GraphBuilder, x: Value, activation: Activation) -> Value {
        self.convs.iter().enumerate().fold(x, |x, (index, conv)| {
            let x = conv.describe(graph, x, Activation::Identity);
            describe_after(graph, x, self.norms.get(index), self.affines.get(index), activation)
        })
    }
}

/// Says what follows a layer: as [`After`], each where there is one.
pub(super) fn describe_after<B: Backend>(
    graph: &mut GraphBuilder,
    x: Value,
    norm: Option<&Norm<B>>,
    affine: Option<&ClassAffine<B>>,
    activation: Activation,
) -> Value {
    let x = norm.map_or(x, |norm| norm.describe(graph, x, Activation::Identity));
    let x = affine.map_or(x, |affine| {
        affine.describe(graph, x, Value::CLASS, Activation::Identity)
    });
    graph.activation(activation, x)
}

/// What follows a layer.
pub(super) struct After<'a, B: Backend> {
    pub(super) norm: Option<&'a Norm<B>>,
    /// With the one-hot classes, `[classes, 1, batch]`.
    pub(super) affine: Option<(&'a ClassAffine<B>, &'a Tensor<B, 3>)>,
    pub(super) activation: Activation,
}

impl<B: Backend> After<'_, B> {
    /// A layer and what follows it; each is given the activation that it applies itself, which is that of the last of them.
    pub(super) fn layer(
        self,
        pass: &mut Pass<B>,
        layer: impl FnOnce(Activation, &mut Pass<B>) -> FeatureMap<B>,
    ) -> FeatureMap<B> {
        let last = self.activation;
        let unless = |later: bool| if later { Activation::Identity } else { last };
        let x = layer(unless(self.norm.is_some() || self.affine.is_some()), pass);
        let x = match self.norm {
            Some(norm) => norm.forward(x, unless(self.affine.is_some()), pass),
            None => x,
        };
        match self.affine {
            Some((affine, classes)) => affine.forward(x, classes.clone(), last, pass),
            None => x,
        }
    }
}
