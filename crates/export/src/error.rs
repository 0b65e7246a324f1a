//! What cannot be written down.

use thiserror::Error;

/// An error of this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The file would be larger than its format allows.
    #[error("an ONNX file holds at most 2 GiB, this generator takes {bytes} bytes")]
    TooLarge {
        /// How large it would be.
        bytes: usize,
    },
    /// An operation takes a tensor that the graph does not have.
    #[error("tensor `{name}` is missing in the graph")]
    MissingTensor {
        /// The tensor.
        name: String,
    },
    /// An operation takes what is not made before it, or nothing comes out.
    #[error("the graph's operations do not stand in their order")]
    Order,
    /// A weight whose name no PyTorch module can have.
    #[error("a PyTorch module cannot have the weight `{name}`: {reason}")]
    Name {
        /// The weight.
        name: String,
        /// Why not.
        reason: &'static str,
    },
}
