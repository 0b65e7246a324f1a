//! The shapes of a graph's values.

use super::{Graph, Operation, Value};

impl Graph {
    /// The shape of each operation's result, without the batch: `[features]` or `[channels, height, width]`.
    pub fn shapes(&self) -> Vec<Vec<usize>> {
        let mut shapes: Vec<Vec<usize>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let input = |number: usize| match node.inputs.get(number).copied() {
                Some(Value::Z) => vec![self.latent_size],
                Some(value) => value
                    .node()
                    .and_then(|node| shapes.get(node))
                    .cloned()
                    .unwrap_or_default(),
                None => Vec::new(),
            };
            let shape = self.shape(&node.operation, &input(0));
            shapes.push(shape);
        }
        shapes
    }

    /// What an operation makes of its first input's shape.
    fn shape(&self, operation: &Operation, input: &[usize]) -> Vec<usize> {
        let side_of = |name: &str, side: usize| {
            let tensor = self.tensor(name);
            tensor
                .and_then(|tensor| tensor.shape.get(side).copied())
                .unwrap_or_default()
        };
        let sides = |channels: usize, side: &dyn Fn(usize) -> usize| {
            let mut shape = vec![channels];
            shape.extend(input.iter().skip(1).map(|&pixels| side(pixels)));
            shape
        };
        match operation {
            Operation::Linear(weights) => vec![side_of(&weights.weight, 0)],
            Operation::PixelLinear(weights) => sides(side_of(&weights.weight, 0), &|pixels| pixels),
            Operation::Conv {
                weights,
                stride,
                padding,
            } => {
                let kernel = side_of(&weights.weight, 2);
                let side = |pixels: usize| (pixels + 2 * padding).saturating_sub(kernel) / stride + 1;
                sides(side_of(&weights.weight, 0), &side)
            }
            Operation::ConvTranspose {
                weights,
                stride,
                padding,
            } => {
                let kernel = side_of(&weights.weight, 2);
                let side = |pixels: usize| (pixels.saturating_sub(1) * stride + kernel).saturating_sub(2 * padding);
                sides(side_of(&weights.weight, 1), &side)
            }
            Operation::Unflatten {
                size: [height, width], ..
            } => {
                let features = input.first().copied().unwrap_or_default();
                vec![features / (height * width).max(1), *height, *width]
            }
            Operation::Embedding { weight } => vec![side_of(weight, 1)],
            Operation::Basis {
                weight,
                size: [height, width],
            } => vec![side_of(weight, 0), *height, *width],
            Operation::Double => sides(input.first().copied().unwrap_or_default(), &|pixels| 2 * pixels),
            Operation::BatchNorm { .. }
            | Operation::LayerNorm { .. }
            | Operation::Activation(_)
            | Operation::ClassAffine { .. }
            | Operation::Add => input.to_vec(),
        }
    }
}
