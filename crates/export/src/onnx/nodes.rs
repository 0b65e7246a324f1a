//! ONNX's operators for each of ours.

use std::collections::BTreeMap;

use ganvas_model::{Activation, Graph, NamedTensor, Operation, Value, Weights};

use super::{
    ExportError,
    proto::{ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_INTS, Attribute, FLOAT, INT64, NodeProto, TensorProto},
};

/// The input of noise.
pub(super) const Z: &str = "z";
/// The input of classes.
pub(super) const CLASS: &str = "class";
/// The output.
pub(super) const IMAGES: &str = "images";

/// The names that users of a file see.
const PUBLIC: [&str; 3] = [Z, CLASS, IMAGES];

/// The nodes and the constants of a file.
pub(super) struct Nodes<'a> {
    graph: &'a Graph,
    shapes: Vec<Vec<usize>>,
    nodes: Vec<NodeProto>,
    /// By name, so that one that several nodes take is written once.
    tensors: BTreeMap<String, TensorProto>,
}

impl<'a> Nodes<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        Self {
            graph,
            shapes: graph.shapes(),
            nodes: Vec::new(),
            tensors: BTreeMap::new(),
        }
    }

    pub(super) fn finish(self) -> (Vec<NodeProto>, Vec<TensorProto>) {
        (self.nodes, self.tensors.into_values().collect())
    }

    /// Writes the operation of this number.
    pub(super) fn add(&mut self, number: usize) -> Result<(), ExportError> {
        let node = &self.graph.nodes[number];
        let inputs: Vec<String> = node.inputs.iter().map(|&value| self.name(value)).collect();
        let x = inputs.first().cloned().unwrap_or_default();
        let output = self.result(number);
        match &node.operation {
            Operation::Linear(weights) => {
                let taken = self.layer(x, weights, |_| None)?;
                self.node("Gemm", taken, &output, vec![int("transB", 1)]);
            }
            Operation::PixelLinear(weights) => {
                // A convolution of one pixel.
                let taken = self.layer(x, weights, |shape| Some([shape, &[1, 1]].concat()))?;
                self.node("Conv", taken, &output, Vec::new());
            }
            Operation::Conv {
                weights,
                stride,
                padding,
            } => {
                let taken = self.layer(x, weights, |_| None)?;
                self.node("Conv", taken, &output, window(*stride, *padding));
            }
            Operation::ConvTranspose {
                weights,
                stride,
                padding,
            } => {
                let taken = self.layer(x, weights, |_| None)?;
                self.node("ConvTranspose", taken, &output, window(*stride, *padding));
            }
            Operation::BatchNorm {
                scale,
                shift,
                mean,
                variance,
                epsilon,
            } => {
                let mut taken = vec![x];
                for name in [scale, shift, mean, variance] {
                    taken.push(self.tensor(name, None)?);
                }
                self.node("BatchNormalization", taken, &output, vec![float("epsilon", *epsilon)]);
            }
            Operation::LayerNorm { scale, shift, epsilon } => self.layer_norm(number, x, [scale, shift], *epsilon)?,
            Operation::Activation(activation) => match activation {
                Activation::Identity => self.node("Identity", vec![x], &output, Vec::new()),
                Activation::Relu => self.node("Relu", vec![x], &output, Vec::new()),
                Activation::LeakyRelu { slope } => {
                    let attributes = vec![float("alpha", f64::from(*slope))];
                    self.node("LeakyRelu", vec![x], &output, attributes);
                }
                Activation::Tanh => self.node("Tanh", vec![x], &output, Vec::new()),
            },
            Operation::Unflatten {
                size: [height, width],
                channels_last,
            } => {
                let [height, width] = [*height, *width].map(|side| side as i64);
                // Not -1, which could be anything in a batch of no images.
                let channels = self.shapes[number][0] as i64;
                match channels_last {
                    false => self.reshape(x, &[-1, channels, height, width], &output),
                    true => {
                        let pixels = self.inner(number, "pixels");
                        self.reshape(x, &[-1, height, width, channels], &pixels);
                        self.node("Transpose", vec![pixels], &output, vec![ints("perm", &[0, 3, 1, 2])]);
                    }
                }
            }
            Operation::Embedding { weight } => {
                let weight = self.tensor(weight, None)?;
                self.node("Gather", vec![weight, x], &output, Vec::new());
            }
            Operation::ClassAffine { gain, shift } => {
                let classes = inputs.get(1).cloned().unwrap_or_default();
                let gain = self.of_class(number, "gain", gain, &classes)?;
                let shift = self.of_class(number, "shift", shift, &classes)?;
                let one = self.floats("constant/one", &[], &[1.0]);
                let factor = self.inner(number, "factor");
                self.node("Add", vec![gain, one], &factor, Vec::new());
                let scaled = self.inner(number, "scaled");
                self.node("Mul", vec![x, factor], &scaled, Vec::new());
                self.node("Add", vec![scaled, shift], &output, Vec::new());
            }
            Operation::Add => self.node("Add", inputs, &output, Vec::new()),
            Operation::Basis {
                weight,
                size: [height, width],
            } => {
                let weight = self.tensor(weight, None)?;
                let axes = self.numbers("constant/axis_2", &[2]);
                let (channels, weighed) = (self.inner(number, "channels"), self.inner(number, "weighed"));
                self.node("Unsqueeze", vec![x, axes], &channels, Vec::new());
                self.node("Mul", vec![channels, weight], &weighed, Vec::new());
                self.reshape(weighed, &[0, 0, *height as i64, *width as i64], &output);
            }
            Operation::Double => {
                let channels = self.shapes[number][0];
                let taps = [1.0, 3.0, 3.0, 1.0].map(|tap: f32| tap / 4.0);
                let kernel: Vec<f32> = taps.iter().flat_map(|row| taps.map(|column| row * column)).collect();
                let name = format!("constant/bilinear_{channels}");
                let kernel = self.floats(&name, &[channels, 1, 4, 4], &kernel.repeat(channels));
                let mut attributes = window(2, 1);
                attributes.push(int("group", channels as i64));
                self.node("ConvTranspose", vec![x, kernel], &output, attributes);
            }
        }
        Ok(())
    }

    /// Over channels and pixels of each image, as PyTorch writes a `GroupNorm` of one group.
    fn layer_norm(&mut self, number: usize, x: String, weights: [&str; 2], epsilon: f64) -> Result<(), ExportError> {
        let [flat, normal, shape, image, scaled] =
            ["flat", "normal", "shape", "image", "scaled"].map(|part| self.inner(number, part));
        let (one, zero) = (
            self.floats("constant/ones_1", &[1], &[1.0]),
            self.floats("constant/zeros_1", &[1], &[0.0]),
        );
        self.reshape(x.clone(), &[0, 1, -1], &flat);
        let attributes = vec![float("epsilon", epsilon)];
        self.node("InstanceNormalization", vec![flat, one, zero], &normal, attributes);
        self.node("Shape", vec![x], &shape, Vec::new());
        self.node("Reshape", vec![normal, shape], &image, Vec::new());
        let mut by_channel = |name: &str| {
            let shape = [&self.shape_of(name)[..], &[1, 1]].concat();
            self.tensor(name, Some(shape))
        };
        let [scale, shift] = [by_channel(weights[0])?, by_channel(weights[1])?];
        let output = self.result(number);
        self.node("Mul", vec![image, scale], &scaled, Vec::new());
        self.node("Add", vec![scaled, shift], &output, Vec::new());
        Ok(())
    }

    /// The row of each image's class, `[batch, channels, 1, 1]`.
    fn of_class(&mut self, number: usize, part: &str, weight: &str, classes: &str) -> Result<String, ExportError> {
        let weight = self.tensor(weight, None)?;
        let row = self.inner(number, &format!("{part}_row"));
        self.node("Gather", vec![weight, classes.to_owned()], &row, Vec::new());
        let axes = self.numbers("constant/axes_2_3", &[2, 3]);
        let by_channel = self.inner(number, part);
        self.node("Unsqueeze", vec![row, axes], &by_channel, Vec::new());
        Ok(by_channel)
    }

    fn reshape(&mut self, x: String, sides: &[i64], output: &str) {
        let words: Vec<String> = sides.iter().map(i64::to_string).collect();
        let shape = self.numbers(&format!("constant/shape_{}", words.join("_")), sides);
        self.node("Reshape", vec![x, shape], output, Vec::new());
    }

    fn node(&mut self, op_type: &str, input: Vec<String>, output: &str, attribute: Vec<Attribute>) {
        self.nodes.push(NodeProto {
            input,
            output: vec![output.to_owned()],
            name: format!("{op_type}_{output}"),
            op_type: op_type.to_owned(),
            attribute,
        });
    }

    /// What a layer takes: its input, its weight, in another shape where it says one, and its bias.
    fn layer(
        &mut self,
        x: String,
        weights: &Weights,
        shape: impl Fn(&[usize]) -> Option<Vec<usize>>,
    ) -> Result<Vec<String>, ExportError> {
        let mut taken = vec![x, self.tensor(&weights.weight, shape(&self.shape_of(&weights.weight)))?];
        if let Some(bias) = &weights.bias {
            taken.push(self.tensor(bias, None)?);
        }
        Ok(taken)
    }

    fn shape_of(&self, name: &str) -> Vec<usize> {
        self.graph
            .tensor(name)
            .map(|tensor| tensor.shape.clone())
            .unwrap_or_default()
    }

    /// Writes a tensor of the graph, in another shape of as many values where one is given.
    fn tensor(&mut self, name: &str, shape: Option<Vec<usize>>) -> Result<String, ExportError> {
        let tensor = self
            .graph
            .tensor(name)
            .ok_or_else(|| ExportError::MissingTensor { name: name.to_owned() })?;
        let NamedTensor {
            shape: usual, values, ..
        } = tensor;
        let shape = shape.unwrap_or_else(|| usual.clone());
        // A field of a network may be called like an input; of the other names here none can be, since they have a slash.
        let own = match PUBLIC.contains(&name) {
            true => format!("weight/{name}"),
            false => name.to_owned(),
        };
        // Once for each shape that it is taken in.
        let is_other = |known: &TensorProto| !known.dims.iter().map(|&side| side as usize).eq(shape.iter().copied());
        match self.tensors.get(&own).is_some_and(is_other) {
            true => Ok(self.floats(&format!("{own}/{}", shape.len()), &shape, values)),
            false => Ok(self.floats(&own, &shape, values)),
        }
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let bytes = || values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, FLOAT, shape, bytes)
    }

    fn numbers(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = || values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, INT64, &[values.len()], bytes)
    }

    fn constant(&mut self, name: &str, data_type: i32, shape: &[usize], bytes: impl FnOnce() -> Vec<u8>) -> String {
        self.tensors.entry(name.to_owned()).or_insert_with(|| TensorProto {
            dims: shape.iter().map(|&side| side as i64).collect(),
            data_type,
            name: name.to_owned(),
            raw_data: bytes(),
        });
        name.to_owned()
    }

    fn name(&self, value: Value) -> String {
        match value.node() {
            Some(number) => self.result(number),
            None if value == Value::CLASS => CLASS.into(),
            None => Z.into(),
        }
    }

    /// What the operation of this number makes.
    fn result(&self, number: usize) -> String {
        match self.graph.output.node() == Some(number) {
            true => IMAGES.into(),
            false => format!("value/{number}"),
        }
    }

    /// A value inside of the operation of this number.
    fn inner(&self, number: usize, part: &str) -> String {
        format!("value/{number}/{part}")
    }
}

fn int(name: &str, value: i64) -> Attribute {
    Attribute {
        name: name.into(),
        i: Some(value),
        r#type: ATTRIBUTE_INT,
        ..Attribute::default()
    }
}

fn float(name: &str, value: f64) -> Attribute {
    Attribute {
        name: name.into(),
        f: Some(value as f32),
        r#type: ATTRIBUTE_FLOAT,
        ..Attribute::default()
    }
}

fn ints(name: &str, values: &[i64]) -> Attribute {
    Attribute {
        name: name.into(),
        ints: values.to_vec(),
        r#type: ATTRIBUTE_INTS,
        ..Attribute::default()
    }
}

/// The attributes of a convolution.
fn window(stride: usize, padding: usize) -> Vec<Attribute> {
    vec![ints("strides", &[stride as i64; 2]), ints("pads", &[padding as i64; 4])]
}
