//! Files of a graph with every operation; what they compute is held to other programs in the suite.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use ganvas_model::{Activation, Graph, ImageShape, NamedTensor, Node, Operation, Value, Weights};
use prost::Message;

use crate::{ExportError, OPSET, onnx, onnx::proto::ModelProto, pytorch};

/// A graph of every operation, in which a weight has the name of an input.
fn graph() -> Graph {
    let mut tensors = Vec::new();
    let mut tensor = |name: &str, shape: &[usize]| {
        tensors.push(NamedTensor {
            name: name.into(),
            shape: shape.to_vec(),
            values: vec![0.5; shape.iter().product()],
        });
        name.to_owned()
    };
    let mut layer = |name: &str, shape: &[usize], bias: Option<usize>| Weights {
        weight: tensor(&format!("{name}.weight"), shape),
        bias: bias.map(|count| tensor(&format!("{name}.bias"), &[count])),
    };
    let first = layer("first", &[8, 3], None);
    let levels = [0, 2].map(|level| layer(&format!("levels.{level}.convs.0"), &[2, 2, 3, 3], Some(2)));
    let transposed = layer("up", &[2, 4, 4, 4], Some(4));
    let norms = ["batch", "layer"].map(|name| layer(name, &[4], Some(4)));
    let pixels = layer("pixels", &[4, 4], Some(4));
    let basis = layer("weigh", &[4, 3], Some(4));
    let [mean, variance, embedded, gain, shift, z] = [
        ("batch.running_mean", &[4][..]),
        ("batch.running_var", &[4]),
        ("of_class.weight", &[5, 8]),
        ("affine.gain.weight", &[5, 4]),
        ("affine.shift.weight", &[5, 4]),
        ("z", &[4, 4]),
    ]
    .map(|(name, shape)| tensor(name, shape));
    let unflatten = |channels_last| Operation::Unflatten {
        size: [2, 2],
        channels_last,
    };
    let [one, two] = levels;
    let conv = |weights| Operation::Conv {
        weights,
        stride: 1,
        padding: 1,
    };
    let [batch, by_layer] = norms;
    let mut nodes: Vec<Node> = Vec::new();
    let mut push = |operation, inputs: &[Value]| {
        nodes.push(Node {
            operation,
            inputs: inputs.to_vec(),
        });
        Value::of(nodes.len() - 1)
    };
    let x = push(Operation::Linear(first), &[Value::Z]);
    let class = push(Operation::Embedding { weight: embedded }, &[Value::CLASS]);
    let x = push(Operation::Add, &[x, class]);
    let last = push(unflatten(true), &[x]);
    let x = push(unflatten(false), &[x]);
    let x = push(Operation::Add, &[x, last]);
    let x = push(conv(one), &[x]);
    let x = push(Operation::Activation(Activation::LeakyRelu { slope: 0.2 }), &[x]);
    let x = push(conv(two), &[x]);
    let up = Operation::ConvTranspose {
        weights: transposed,
        stride: 2,
        padding: 1,
    };
    let x = push(up, &[x]);
    let batch = Operation::BatchNorm {
        scale: batch.weight,
        shift: "batch.bias".into(),
        mean,
        variance,
        epsilon: 1e-5,
    };
    let x = push(batch, &[x]);
    let x = push(Operation::Activation(Activation::Relu), &[x]);
    let by_layer = Operation::LayerNorm {
        scale: by_layer.weight,
        shift: "layer.bias".into(),
        epsilon: 1e-5,
    };
    let x = push(by_layer, &[x]);
    let x = push(Operation::ClassAffine { gain, shift }, &[x, Value::CLASS]);
    let x = push(Operation::PixelLinear(pixels), &[x]);
    let x = push(Operation::Double, &[x]);
    let weights = push(Operation::Linear(basis), &[Value::Z]);
    let basis = Operation::Basis {
        weight: z,
        size: [2, 2],
    };
    let other = push(basis, &[weights]);
    let other = push(Operation::Double, &[other]);
    let other = push(Operation::Double, &[other]);
    let x = push(Operation::Add, &[x, other]);
    let output = push(Operation::Activation(Activation::Tanh), &[x]);
    Graph {
        latent_size: 3,
        classes: 5,
        image: ImageShape::new(4, 8, 8),
        nodes,
        output,
        tensors,
    }
}

#[test]
fn every_value_of_an_onnx_file_is_made_once_and_before_it_is_taken() {
    let graph = graph();
    assert_eq!(graph.shapes().last().unwrap(), &[4, 8, 8]);
    let bytes = onnx(&graph, [("step".to_owned(), "7".to_owned())]).unwrap();
    let model = ModelProto::decode(&bytes[..]).unwrap();
    assert_eq!(model.opset_import[0].version, OPSET);
    assert_eq!(model.metadata_props[0].value, "7");
    let file = model.graph.unwrap();
    let inputs = file.input.iter().map(|input| input.name.clone());
    assert_eq!(inputs.clone().collect::<Vec<_>>(), ["z", "class"]);
    let mut known: BTreeSet<String> = BTreeSet::new();
    for name in inputs.chain(file.initializer.iter().map(|tensor| tensor.name.clone())) {
        assert!(known.insert(name.clone()), "{name}");
    }
    for node in &file.node {
        for input in &node.input {
            assert!(known.contains(input), "{} takes {input}", node.name);
        }
        for output in &node.output {
            assert!(known.insert(output.clone()), "{output} is made twice");
        }
    }
    assert_eq!(file.output[0].name, "images");
    assert!(known.contains("images"));
    for tensor in &file.initializer {
        let values: i64 = tensor.dims.iter().product();
        let bytes = if tensor.data_type == 1 { 4 } else { 8 };
        assert_eq!(tensor.raw_data.len() as i64, values * bytes, "{}", tensor.name);
    }
    // All of the graph's own are there, whatever they are called.
    for tensor in &graph.tensors {
        let names = [tensor.name.clone(), format!("weight/{}", tensor.name)];
        assert!(names.iter().any(|name| known.contains(name)), "{names:?}");
    }
}

#[test]
fn a_graph_without_a_tensor_is_refused() {
    let mut graph = graph();
    graph.tensors.retain(|tensor| tensor.name != "up.bias");
    match onnx(&graph, []) {
        Err(ExportError::MissingTensor { name }) => assert_eq!(name, "up.bias"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn graphs_out_of_order_are_refused() {
    let mut late = graph();
    late.nodes[0].inputs = vec![Value::of(99)];
    let mut nothing = graph();
    nothing.output = Value::Z;
    for graph in [late, nothing] {
        assert!(matches!(onnx(&graph, []), Err(ExportError::Order)));
        assert!(matches!(pytorch(&graph, ""), Err(ExportError::Order)));
    }
}

#[test]
fn weights_that_no_module_can_have_are_refused_by_name() {
    let renamed = |name: &str| {
        let mut graph = graph();
        let first = graph
            .tensors
            .iter_mut()
            .find(|tensor| tensor.name == "first.weight")
            .unwrap();
        name.clone_into(&mut first.name);
        match &mut graph.nodes[0].operation {
            Operation::Linear(weights) => name.clone_into(&mut weights.weight),
            other => panic!("{other:?}"),
        }
        pytorch(&graph, "")
    };
    assert!(renamed("other.0.weight").is_ok());
    // Where two layers cannot stand together, the later is named.
    let others = ["levels.weight", "z.weight"];
    for name in [
        "from.weight",
        "double.weight",
        "a.type.weight",
        "first.kernel",
        "0.weight",
        "levels.weight",
        "z.weight",
        "a b.weight",
    ] {
        match renamed(name) {
            Err(ExportError::Name { name: found, .. }) => assert!(found == name || others.contains(&name), "{found}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_weight_in_two_shapes_is_written_twice() {
    let mut graph = graph();
    let number = graph
        .nodes
        .iter()
        .position(|node| matches!(node.operation, Operation::PixelLinear(_)))
        .unwrap();
    let Operation::PixelLinear(weights) = graph.nodes[number].operation.clone() else {
        panic!("no layer at every pixel");
    };
    let node = Node {
        operation: Operation::Linear(weights),
        inputs: vec![Value::Z],
    };
    graph.nodes.push(node);
    let model = ModelProto::decode(&onnx(&graph, []).unwrap()[..]).unwrap();
    let dims = |name: &str| {
        let tensors = &model.graph.as_ref().unwrap().initializer;
        tensors.iter().find(|tensor| tensor.name == name).unwrap().dims.clone()
    };
    assert_eq!(dims("pixels.weight"), [4, 4, 1, 1]);
    assert_eq!(dims("pixels.weight/2"), [4, 4]);
}

#[test]
fn a_module_has_its_layers_in_containers_by_their_names() {
    let text = pytorch(&graph(), "A \"title\" with \\ in it.").unwrap();
    for line in [
        "\"\"\"A 'title' with / in it.\n",
        "        self.first = nn.Linear(3, 8, bias=False)\n",
        "        self.levels = nn.ModuleDict({\n            \"0\": nn.ModuleDict({\n                \"convs\": nn.ModuleDict({\n                    \
         \"0\": nn.Conv2d(2, 2, 3, 1, 1),\n                }),\n            }),\n            \"2\": nn.ModuleDict({\n",
        "        self.z = nn.Parameter(torch.empty(4, 4))\n",
        "    def forward(self, z, classes):\n",
        "        x0 = self.first(z)\n        x = self.of_class(classes)\n        x2 = x0 + x\n",
        " = self.levels[\"2\"][\"convs\"][\"0\"](x)\n",
        "        images = x.tanh()\n        return images\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
