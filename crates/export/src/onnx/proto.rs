//! The messages of an ONNX file, as far as they are written here; field numbers as in [onnx.proto].
//!
//! [onnx.proto]: https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto

use prost::{Message, Oneof};

/// `TensorProto.DataType.FLOAT`
pub(crate) const FLOAT: i32 = 1;
/// `TensorProto.DataType.INT64`
pub(crate) const INT64: i32 = 7;
/// `AttributeProto.AttributeType.FLOAT`
pub(crate) const ATTRIBUTE_FLOAT: i32 = 1;
/// `AttributeProto.AttributeType.INT`
pub(crate) const ATTRIBUTE_INT: i32 = 2;
/// `AttributeProto.AttributeType.INTS`
pub(crate) const ATTRIBUTE_INTS: i32 = 7;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ModelProto {
    #[prost(int64, tag = 1)]
    pub(crate) ir_version: i64,
    #[prost(message, repeated, tag = 8)]
    pub(crate) opset_import: Vec<OperatorSetId>,
    #[prost(string, tag = 2)]
    pub(crate) producer_name: String,
    #[prost(string, tag = 3)]
    pub(crate) producer_version: String,
    #[prost(message, optional, tag = 7)]
    pub(crate) graph: Option<GraphProto>,
    #[prost(message, repeated, tag = 14)]
    pub(crate) metadata_props: Vec<StringEntry>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OperatorSetId {
    #[prost(string, tag = 1)]
    pub(crate) domain: String,
    #[prost(int64, tag = 2)]
    pub(crate) version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct StringEntry {
    #[prost(string, tag = 1)]
    pub(crate) key: String,
    #[prost(string, tag = 2)]
    pub(crate) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GraphProto {
    #[prost(message, repeated, tag = 1)]
    pub(crate) node: Vec<NodeProto>,
    #[prost(string, tag = 2)]
    pub(crate) name: String,
    #[prost(message, repeated, tag = 5)]
    pub(crate) initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = 11)]
    pub(crate) input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = 12)]
    pub(crate) output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NodeProto {
    #[prost(string, repeated, tag = 1)]
    pub(crate) input: Vec<String>,
    #[prost(string, repeated, tag = 2)]
    pub(crate) output: Vec<String>,
    #[prost(string, tag = 3)]
    pub(crate) name: String,
    #[prost(string, tag = 4)]
    pub(crate) op_type: String,
    #[prost(message, repeated, tag = 5)]
    pub(crate) attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attribute {
    #[prost(string, tag = 1)]
    pub(crate) name: String,
    #[prost(float, optional, tag = 2)]
    pub(crate) f: Option<f32>,
    #[prost(int64, optional, tag = 3)]
    pub(crate) i: Option<i64>,
    #[prost(int64, repeated, packed = "false", tag = 8)]
    pub(crate) ints: Vec<i64>,
    #[prost(int32, tag = 20)]
    pub(crate) r#type: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorProto {
    #[prost(int64, repeated, packed = "false", tag = 1)]
    pub(crate) dims: Vec<i64>,
    #[prost(int32, tag = 2)]
    pub(crate) data_type: i32,
    #[prost(string, tag = 8)]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = 9)]
    pub(crate) raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ValueInfo {
    #[prost(string, tag = 1)]
    pub(crate) name: String,
    #[prost(message, optional, tag = 2)]
    pub(crate) r#type: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TypeProto {
    #[prost(message, optional, tag = 1)]
    pub(crate) tensor: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TensorType {
    #[prost(int32, tag = 1)]
    pub(crate) element: i32,
    #[prost(message, optional, tag = 2)]
    pub(crate) shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Shape {
    #[prost(message, repeated, tag = 1)]
    pub(crate) sides: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Dimension {
    #[prost(oneof = "DimensionValue", tags = "1, 2")]
    pub(crate) value: Option<DimensionValue>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum DimensionValue {
    #[prost(int64, tag = 1)]
    Fixed(i64),
    #[prost(string, tag = 2)]
    Named(String),
}
