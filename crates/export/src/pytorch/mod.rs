//! PyTorch modules.

mod layers;

use std::{collections::BTreeMap, fmt::Write};

use ganvas_model::{Activation, Graph, Operation, Value, Weights};

use crate::{ExportError, check};
use layers::{Layer, Layers};

/// Before a line of a method.
const INDENT: &str = "        ";

/// Writes a generator as a Python file with the class `Generator`, a `torch.nn.Module`, and the function `load`, which fills it from the file
/// `generator.safetensors` beside it. The names of its weights are those of [`Graph::tensors`].
///
/// # Shapes
/// - `forward(z)`, of a conditional generator `forward(z, classes)`: float `[batch, latent]`, int64 `[batch]`
/// - result: float `[batch, channels, height, width]`
///
/// `title` is a line that says where the generator is from.
///
/// # Errors
/// [`ExportError::Name`] for weights that no module of PyTorch can have, [`ExportError::Order`], [`ExportError::MissingTensor`].
pub fn pytorch(graph: &Graph, title: &str) -> Result<String, ExportError> {
    check(graph)?;
    let is_conditional = graph.takes_classes();
    let (layers, forward) = Forward::of(graph)?;
    let arguments = if is_conditional { "self, z, classes" } else { "self, z" };
    let [channels, height, width] = graph.image.dims();
    let classes = match is_conditional {
        true => format!(" and classes [batch], 0 to {},", graph.classes.saturating_sub(1)),
        false => String::new(),
    };
    let title = title.replace('\\', "/").replace('"', "'");
    Ok(format!(
        r#""""{title}

    from generator import load
    images = load()(torch.randn(16, {latent}){example})

Needs torch and safetensors.
"""

import pathlib

import torch
from torch import nn


class Generator(nn.Module):
    """z [batch, {latent}]{classes} to images [batch, {channels}, {height}, {width}] in -1..1."""

    def __init__(self):
        super().__init__()
{layers}
    def forward({arguments}):
{forward}

def load(weights=pathlib.Path(__file__).with_name("generator.safetensors")):
    """The generator with its weights, ready to make images."""
    from safetensors.torch import load_file

    network = Generator()
    missing, unexpected = network.load_state_dict(load_file(weights), strict=False)
    # Counters of batches, which only a training looks at, are not written.
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{{weights}}: missing {{missing}}, unexpected {{unexpected}}")
    return network.eval()
"#,
        latent = graph.latent_size,
        example = match is_conditional {
            true => format!(", torch.arange(16) % {}", graph.classes),
            false => String::new(),
        },
    ))
}

/// The body of `forward`, and the layers that it takes.
struct Forward<'a> {
    graph: &'a Graph,
    shapes: Vec<Vec<usize>>,
    layers: Layers,
    /// How the result of each operation is called.
    names: Vec<String>,
    body: String,
}

impl<'a> Forward<'a> {
    /// The lines of `__init__` and of `forward`.
    fn of(graph: &'a Graph) -> Result<(String, String), ExportError> {
        let mut forward = Self {
            graph,
            shapes: graph.shapes(),
            layers: Layers::default(),
            names: names(graph),
            body: String::new(),
        };
        for number in 0..graph.nodes.len() {
            let line = forward.operation(number);
            let name = forward.names[number].clone();
            // Writing to a string cannot fail.
            let _ = writeln!(forward.body, "{INDENT}{name} = {line}");
        }
        let output = forward.name(graph.output);
        let _ = writeln!(forward.body, "{INDENT}return {output}");
        Ok((forward.layers.lines()?, forward.body))
    }

    fn name(&self, value: Value) -> String {
        match value.node() {
            Some(number) => self.names[number].clone(),
            None if value == Value::CLASS => "classes".into(),
            None => "z".into(),
        }
    }

    fn side(&self, name: &str, side: usize) -> usize {
        let tensor = self.graph.tensor(name);
        tensor
            .and_then(|tensor| tensor.shape.get(side).copied())
            .unwrap_or_default()
    }

    /// Declares a layer, and gives how it is called.
    fn layer(&mut self, weights: &Weights, layer: impl FnOnce(&Self, &str) -> Layer) -> String {
        let declared = layer(self, bias(weights));
        self.layers.declare(&weights.weight, declared)
    }

    /// The expression of an operation.
    fn operation(&mut self, number: usize) -> String {
        let node = &self.graph.nodes[number];
        let inputs: Vec<String> = node.inputs.iter().map(|&value| self.name(value)).collect();
        let x = inputs.first().cloned().unwrap_or_default();
        match &node.operation {
            Operation::Linear(weights) => format!("{}({x})", self.linear(weights)),
            Operation::PixelLinear(weights) => {
                format!("{}({x}.movedim(1, -1)).movedim(-1, 1)", self.linear(weights))
            }
            Operation::Conv {
                weights,
                stride,
                padding,
            } => {
                let layer = self.layer(weights, |forward, bias| {
                    let [outputs, inputs, kernel] = [0, 1, 2].map(|side| forward.side(&weights.weight, side));
                    Layer::Module(format!(
                        "nn.Conv2d({inputs}, {outputs}, {kernel}, {stride}, {padding}{bias})"
                    ))
                });
                format!("{layer}({x})")
            }
            Operation::ConvTranspose {
                weights,
                stride,
                padding,
            } => {
                let layer = self.layer(weights, |forward, bias| {
                    let [inputs, outputs, kernel] = [0, 1, 2].map(|side| forward.side(&weights.weight, side));
                    let sizes = format!("{inputs}, {outputs}, {kernel}, {stride}, {padding}");
                    Layer::Module(format!("nn.ConvTranspose2d({sizes}{bias})"))
                });
                format!("{layer}({x})")
            }
            Operation::BatchNorm { scale, epsilon, .. } => {
                let channels = self.side(scale, 0);
                let layer = Layer::Module(format!("nn.BatchNorm2d({channels}, eps={epsilon:e})"));
                format!("{}({x})", self.layers.declare(scale, layer))
            }
            Operation::LayerNorm { scale, epsilon, .. } => {
                let channels = self.side(scale, 0);
                let layer = Layer::Module(format!("nn.GroupNorm(1, {channels}, eps={epsilon:e})"));
                format!("{}({x})", self.layers.declare(scale, layer))
            }
            Operation::Activation(activation) => match activation {
                Activation::Identity => x,
                Activation::Relu => format!("{x}.relu()"),
                Activation::LeakyRelu { slope } => format!("nn.functional.leaky_relu({x}, {slope})"),
                Activation::Tanh => format!("{x}.tanh()"),
            },
            Operation::Unflatten {
                size: [height, width],
                channels_last,
            } => {
                let channels = self.shapes[number][0];
                match channels_last {
                    false => format!("{x}.view(-1, {channels}, {height}, {width})"),
                    true => format!("{x}.view(-1, {height}, {width}, {channels}).movedim(-1, 1)"),
                }
            }
            Operation::Embedding { weight } => {
                let table = self.embedding(weight);
                format!("{table}({x})")
            }
            Operation::ClassAffine { gain, shift } => {
                let classes = inputs.get(1).cloned().unwrap_or_default();
                let [gain, shift] = [gain, shift].map(|weight| self.embedding(weight));
                format!("{x} * (1 + {gain}({classes})[..., None, None]) + {shift}({classes})[..., None, None]")
            }
            Operation::Add => inputs.join(" + "),
            Operation::Basis {
                weight,
                size: [height, width],
            } => {
                let shape = [0, 1].map(|side| self.side(weight, side));
                let basis = self.layers.declare(weight, Layer::Parameter(shape.to_vec()));
                format!("({x}[:, :, None] * {basis}).unflatten(2, ({height}, {width}))")
            }
            Operation::Double => {
                let channels = self.shapes[number][0];
                self.layers.take_doubling();
                format!(
                    "nn.functional.conv_transpose2d({x}, self.doubling.expand({channels}, 1, 4, 4), stride=2, padding=1, groups={channels})"
                )
            }
        }
    }

    fn linear(&mut self, weights: &Weights) -> String {
        self.layer(weights, |forward, bias| {
            let [outputs, inputs] = [0, 1].map(|side| forward.side(&weights.weight, side));
            Layer::Module(format!("nn.Linear({inputs}, {outputs}{bias})"))
        })
    }

    fn embedding(&mut self, weight: &str) -> String {
        let [classes, features] = [0, 1].map(|side| self.side(weight, side));
        self.layers
            .declare(weight, Layer::Module(format!("nn.Embedding({classes}, {features})")))
    }
}

/// The argument of a layer that has no bias.
fn bias(weights: &Weights) -> &'static str {
    match weights.bias {
        Some(_) => "",
        None => ", bias=False",
    }
}

/// How results are called: `x` where the next operation is the only one that takes it, else by a number.
fn names(graph: &Graph) -> Vec<String> {
    let mut uses: BTreeMap<Value, Vec<usize>> = BTreeMap::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        for &input in &node.inputs {
            uses.entry(input).or_default().push(number);
        }
    }
    let of_node: BTreeMap<usize, &Vec<usize>> = uses
        .iter()
        .filter_map(|(value, uses)| Some((value.node()?, uses)))
        .collect();
    (0..graph.nodes.len())
        .map(|number| match of_node.get(&number) {
            _ if graph.output.node() == Some(number) => "images".into(),
            None => "x".into(),
            Some(uses) if uses[..] == [number + 1] => "x".into(),
            Some(_) => format!("x{number}"),
        })
        .collect()
}
