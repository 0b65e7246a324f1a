//! A generator, written down for other programs: as an ONNX file ([`onnx`]) and as a PyTorch module ([`pytorch`]).
//!
//! Both are made from a [`Graph`](ganvas_model::Graph), so a network that says what it computes
//! ([`Generator::describe`](ganvas_model::Generator::describe)) gets both. They know no backend and no file.

mod error;
mod onnx;
mod pytorch;
#[cfg(test)]
mod tests;

pub use error::ExportError;
pub use onnx::{OPSET, onnx};
pub use pytorch::pytorch;

/// Refuses graphs whose operations do not stand in their order, or take tensors that are not there.
fn check(graph: &ganvas_model::Graph) -> Result<(), ExportError> {
    if !graph.is_ordered() {
        return Err(ExportError::Order);
    }
    let taken = graph.nodes.iter().flat_map(|node| node.operation.tensors());
    match taken.into_iter().find(|name| graph.tensor(name).is_none()) {
        Some(name) => Err(ExportError::MissingTensor { name: name.to_owned() }),
        None => Ok(()),
    }
}
