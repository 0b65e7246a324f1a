//! What makes a pair of networks conditional: images are made of a class, and judged by it.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Serialize};

use super::traits::Labels;
use crate::{
    Activation, DataShape, Embedding, FeatureMap, Init, Linear, ModelError, Normalization, Pass,
    error::expect,
    layers::{add_bias, transposed},
    one_hot,
};

/// How a conditional discriminator takes the class into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClassHeadKind {
    /// Each class has weights of its own that are added to those of the last layer: how well an image fits its class (Miyato and Koyama, 2018,
    /// arXiv:1802.05637, over the flattened features).
    #[default]
    Projection,
    /// A second last layer reads the class, and the discriminator is not given it (ACGAN; Odena, Olah and Shlens, 2017, arXiv:1610.09585): takes
    /// `objective.classification`.
    Classifier,
}

/// What a conditional discriminator has beside its last layer.
#[derive(Module, Debug)]
pub(super) enum ClassHead<B: Backend> {
    Projection(Embedding<B>),
    Classifier(Linear<B>),
}

/// The classes of networks that are conditional or not; 0 for those that are not.
pub(super) fn classes(conditional: bool, data: DataShape) -> usize {
    if conditional { data.classes } else { 0 }
}

/// Holds `packing` to what else there is.
pub(super) fn check_packing(packing: usize, conditional: bool) -> Result<(), ModelError> {
    expect::within("packing", packing, 16)?;
    match conditional && packing > 1 {
        true => Err(ModelError::config(
            "packing",
            packing.to_string(),
            "1 for conditional networks, whose images have a class each",
        )),
        false => Ok(()),
    }
}

/// Holds `conditional` to the data.
pub(super) fn check_classes(conditional: bool, head: ClassHeadKind, data: Option<DataShape>) -> Result<(), ModelError> {
    if !conditional && head != ClassHeadKind::default() {
        let expected = "`projection` where `conditional` is false";
        return Err(ModelError::config("class_head", "`classifier`", expected));
    }
    match data {
        Some(DataShape { classes, .. }) if conditional && classes < 2 => Err(ModelError::config(
            "conditional",
            "true",
            "false for images without labels of two classes or more",
        )),
        _ => Ok(()),
    }
}

/// The one-hot classes that a conditional network is given.
///
/// # Panics
/// Without labels: an image of no class is nothing that such a network can make or judge.
#[allow(clippy::panic)]
pub(super) fn required<B: Backend>(labels: Option<Labels<B>>, classes: usize) -> Tensor<B, 3> {
    match labels {
        Some(labels) => one_hot(labels, classes),
        None => panic!("a conditional network was given no labels"),
    }
}

impl<B: Backend> ClassHead<B> {
    /// For flattened features of this number; nothing for no classes.
    pub(super) fn new(
        kind: ClassHeadKind,
        normalization: Normalization,
        classes: usize,
        features: usize,
        init: &mut Init<'_, B>,
    ) -> Option<Self> {
        (classes > 0).then(|| match kind {
            ClassHeadKind::Projection => {
                let embedding = Embedding::new([classes, features], features, init);
                Self::Projection(match normalization {
                    Normalization::Spectral => embedding.with_spectral_norm(init),
                    Normalization::Batch | Normalization::Layer | Normalization::None => embedding,
                })
            }
            ClassHeadKind::Classifier => Self::Classifier(normalization.last([features, classes], init)),
        })
    }

    /// The logit of each image, `[1, 1, batch]`, by the discriminator's last layer and this.
    pub(super) fn judge(
        head: Option<&Self>,
        last: &Linear<B>,
        features: FeatureMap<B>,
        labels: Option<Labels<B>>,
        pass: &mut Pass<B>,
    ) -> Tensor<B, 3> {
        match head {
            None => last.forward_flattened(features, pass),
            Some(Self::Classifier(classifier)) => {
                let logits = pass.aside(|pass| classifier.forward_flattened(features.clone(), pass));
                let [classes, _, batch] = logits.dims();
                pass.classify(transposed(logits.reshape([classes, batch])));
                last.forward_flattened(features, pass)
            }
            Some(Self::Projection(embedding)) => {
                let classes = required(labels, embedding.classes());
                let of_class = pass.aside(|pass| embedding.forward(classes, pass));
                let [count, _, batch] = of_class.dims();
                pass.count(2 * count, 1);
                // What the features are multiplied with is what the gradient goes back by.
                let weights = of_class + last.weights(pass).reshape([count, 1, 1]);
                let features = features.into_image_order().into_tensor();
                let fits = (features.reshape([count, 1, batch]) * weights.clone()).sum_dim(0);
                let logits = add_bias(fits, last.bias.as_ref());
                pass.record(&logits, Activation::Identity, move |gradient| weights * gradient);
                logits
            }
        }
    }
}
