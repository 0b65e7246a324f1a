//! A generator, written down for other programs: as an ONNX file ([`onnx`]) and as a PyTorch module ([`pytorch`]).
//!
//! Both are made from a [`Graph`](ganvas_model::Graph), so a network that says what it computes
//! ([`Generator::describe`](ganvas_model::Generator::describe)) gets both. They know no backend and no file.

mod onnx;
mod pytorch;
#[cfg(test)]
mod tests;

pub use onnx::{ExportError, OPSET, onnx};
pub use pytorch::pytorch;
