//! What can go wrong when a network is built or its weights are read.

use thiserror::Error;

/// An error of this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A hyperparameter has a value that the network cannot be built with.
    #[error("`{key}` is {found}, expected {expected}")]
    Config {
        /// The name of the hyperparameter.
        key: &'static str,
        /// What was given.
        found: String,
        /// What would be valid.
        expected: String,
    },
    /// A network has more values than its builder may make.
    #[error("the network has more than {limit} values")]
    TooLarge {
        /// The most that may be made.
        limit: u64,
    },
    /// A tensor that the network needs is not among those given.
    #[error("tensor `{name}` is missing, expected it with shape {shape:?}")]
    MissingTensor {
        /// The PyTorch-style name.
        name: String,
        /// The shape that the network expects.
        shape: Vec<usize>,
    },
    /// A tensor has another shape than the network's.
    #[error("tensor `{name}` has shape {found:?}, expected {expected:?}")]
    TensorShape {
        /// The PyTorch-style name.
        name: String,
        /// The shape that the network expects.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },
    /// A tensor is given that the network does not have.
    #[error("tensor `{name}` does not belong to this network")]
    UnknownTensor {
        /// The name found.
        name: String,
    },
    /// A tensor's element type is not 32-bit float.
    #[error("tensor `{name}` holds {found}, expected F32")]
    TensorType {
        /// The PyTorch-style name.
        name: String,
        /// The element type found.
        found: String,
    },
    /// A network has no gradient with respect to its input that can be differentiated again.
    #[error(
        "a penalty on the gradient with respect to the images needs a discriminator whose layers say how it goes back through them, \
         and {layer} does not"
    )]
    NoInputGradient {
        /// The first layer that does not.
        layer: &'static str,
    },
    /// A generator does not say what it computes ([`Generator::describe`](crate::Generator::describe)).
    #[error("the generator cannot be written down for other programs: {what} does not say what it computes")]
    NotDescribed {
        /// The first part that does not.
        what: String,
    },
    /// A discriminator does not read the classes that an objective trains it to read.
    #[error("`classification` needs a discriminator that reads the classes of images")]
    NoClassLogits,
    /// A discriminator reads classes that no objective trains it to read.
    #[error("the discriminator reads the classes of images, and nothing trains it to")]
    UnusedClassLogits,
    /// The bytes are not a whole safetensors file.
    #[error("not a valid safetensors file: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
}

impl ModelError {
    /// A [`ModelError::Config`].
    pub fn config(key: &'static str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Config {
            key,
            found: found.into(),
            expected: expected.into(),
        }
    }

    /// A [`ModelError::NotDescribed`].
    pub(crate) fn not_described(what: impl Into<String>) -> Self {
        Self::NotDescribed { what: what.into() }
    }
}

/// Checks that the families share.
pub(crate) mod expect {
    use super::ModelError;
    use crate::ImageShape;

    /// 1 to `most`. The upper bounds are far beyond any use; they keep a slip of the fingers from asking for all memory there
    /// is.
    pub(crate) fn within(key: &'static str, value: usize, most: usize) -> Result<(), ModelError> {
        match (1..=most).contains(&value) {
            true => Ok(()),
            false => Err(ModelError::config(key, value.to_string(), format!("1 to {most}"))),
        }
    }

    /// 0 to `most`.
    pub(crate) fn at_most(key: &'static str, value: usize, most: usize) -> Result<(), ModelError> {
        match value <= most {
            true => Ok(()),
            false => Err(ModelError::config(key, value.to_string(), format!("0 to {most}"))),
        }
    }

    /// A length of z.
    pub(crate) fn latent_size(value: usize) -> Result<(), ModelError> {
        within("latent_size", value, 16_384)
    }

    /// Images that a family cannot make.
    pub(crate) fn image(found: ImageShape, expected: &str) -> ModelError {
        ModelError::config("image", found.to_string(), expected)
    }
}
