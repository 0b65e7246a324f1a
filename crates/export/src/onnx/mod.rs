//! ONNX files.

mod nodes;
pub(crate) mod proto;

use ganvas_model::Graph;
use prost::Message;

use crate::{ExportError, check};
use nodes::{CLASS, IMAGES, Nodes, Z};
use proto::{
    Dimension, DimensionValue, FLOAT, GraphProto, INT64, ModelProto, OperatorSetId, Shape, StringEntry, TensorType,
    TypeProto, ValueInfo,
};

/// The version of ONNX's operators that files are written in, of 2022: every runtime of today reads it.
pub const OPSET: i64 = 17;

/// The version of the file's format that came with it.
const IR_VERSION: i64 = 8;

/// Writes a generator as an ONNX file, opset [`OPSET`].
///
/// # Shapes
/// - input `z`: float `[batch, latent]`
/// - input `class`, of a conditional generator: int64 `[batch]`, counted from 0
/// - output `images`: float `[batch, channels, height, width]`
///
/// `about` are pairs of words that stand in the file's `metadata_props`.
///
/// # Errors
/// [`ExportError`].
pub fn onnx(graph: &Graph, about: impl IntoIterator<Item = (String, String)>) -> Result<Vec<u8>, ExportError> {
    check(graph)?;
    let mut inputs = vec![float_input(Z, &[graph.latent_size])];
    if graph.takes_classes() {
        inputs.push(value(CLASS, INT64, &[]));
    }
    let mut nodes = Nodes::new(graph);
    for number in 0..graph.nodes.len() {
        nodes.add(number)?;
    }
    let (node, initializer) = nodes.finish();
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetId {
            domain: String::new(),
            version: OPSET,
        }],
        producer_name: "ganvas".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(GraphProto {
            node,
            name: "generator".into(),
            initializer,
            input: inputs,
            output: vec![float_input(IMAGES, &graph.image.dims())],
        }),
        metadata_props: about
            .into_iter()
            .map(|(key, value)| StringEntry { key, value })
            .collect(),
    };
    let bytes = model.encoded_len();
    match i32::try_from(bytes) {
        Ok(_) => Ok(model.encode_to_vec()),
        Err(_) => Err(ExportError::TooLarge { bytes }),
    }
}

/// A float input or output with the batch before the other sides.
fn float_input(name: &str, sides: &[usize]) -> ValueInfo {
    value(name, FLOAT, sides)
}

fn value(name: &str, element: i32, sides: &[usize]) -> ValueInfo {
    let batch = Dimension {
        value: Some(DimensionValue::Named("batch".into())),
    };
    let fixed = sides.iter().map(|&side| Dimension {
        value: Some(DimensionValue::Fixed(side as i64)),
    });
    ValueInfo {
        name: name.into(),
        r#type: Some(TypeProto {
            tensor: Some(TensorType {
                element,
                shape: Some(Shape {
                    sides: std::iter::once(batch).chain(fixed).collect(),
                }),
            }),
        }),
    }
}
