//! A convolution, transposed convolution or fully connected layer with bias and activation, and its gradients.

use std::marker::PhantomData;

use burn::tensor::{TensorMetadata, backend::Backend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff,
    checkpoint::base::Checkpointer,
    checkpoint::strategy::NoCheckpointing,
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use ganvas_model::{Activation, LayerCall, Lowering, Window};

use crate::{
    memory::{CpuMemory, create, written},
    patches::{gather, scatter, swap_runs},
    product::{Matrix, multiply},
    rows::{activation_gradient, add_bias_and_activate, row_sums},
};

/// What the way back needs.
#[derive(Debug, Clone)]
struct State<B: Backend> {
    /// `[inner side of the product, columns · batch]`: the patches of a convolution, else the input.
    columns: FloatTensor<B>,
    weight: FloatTensor<B>,
    /// What the activation gave, where there is one.
    output: Option<FloatTensor<B>>,
    input_shape: [usize; 3],
    output_shape: [usize; 3],
    lowering: Lowering,
    activation: Activation,
}

/// Gradients by the order of the parents.
struct LayerGradients<B: Backend> {
    input: Option<FloatTensor<B>>,
    weight: Option<FloatTensor<B>>,
    bias: Option<FloatTensor<B>>,
}

/// [`FusedLayers::layer`](ganvas_model::FusedLayers::layer)
pub(crate) fn layer<B: Backend, M: CpuMemory<B>>(call: LayerCall<Autodiff<B>>) -> FloatTensor<Autodiff<B>> {
    let LayerCall {
        input,
        weight,
        bias,
        lowering,
        activation,
    } = call;
    let bias_values = bias.as_ref().map(|bias| bias.primitive.clone());
    let forward = || {
        forward::<B, M>(LayerCall {
            input: input.primitive.clone(),
            weight: weight.primitive.clone(),
            bias: bias_values,
            lowering,
            activation,
        })
    };
    // Two kinds, because the number of a node's parents is part of its type.
    match bias {
        Some(bias) => {
            let nodes = [input.node.clone(), weight.node.clone(), bias.node.clone()];
            let step = LayerStep::<B, M>(PhantomData);
            match Backward::<B, 3>::prepare::<NoCheckpointing>(step, nodes)
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(prepared) => {
                    let (output, state) = forward();
                    prepared.finish(state, output)
                }
                OpsKind::UnTracked(prepared) => prepared.finish(forward().0),
            }
        }
        None => {
            let nodes = [input.node.clone(), weight.node.clone()];
            let step = LayerStep::<B, M>(PhantomData);
            match Backward::<B, 2>::prepare::<NoCheckpointing>(step, nodes)
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(prepared) => {
                    let (output, state) = forward();
                    prepared.finish(state, output)
                }
                OpsKind::UnTracked(prepared) => prepared.finish(forward().0),
            }
        }
    }
}

/// The layer without a way back.
pub(crate) fn infer<B: Backend, M: CpuMemory<B>>(call: LayerCall<B>) -> FloatTensor<B> {
    forward::<B, M>(call).0
}

fn forward<B: Backend, M: CpuMemory<B>>(call: LayerCall<B>) -> (FloatTensor<B>, State<B>) {
    let LayerCall {
        input,
        weight,
        bias,
        lowering,
        activation,
    } = call;
    let [input, weight] = [input, weight].map(M::contiguous);
    let bias = bias.map(M::contiguous);
    let input_shape = input.shape().dims::<3>();
    let [inputs, pixels, batch] = input_shape;
    let [weight_rows, weight_columns] = weight.shape().dims::<2>();

    let columns = match lowering {
        Lowering::Gather(window) if !window.is_whole_image() => {
            let shape = [inputs * window.taps(), window.position_count(), batch];
            create::<B, M>(&shape, |out| gather(&window, batch, M::read(&input), out))
        }
        _ => input,
    };
    let weights = Matrix::new(M::read(&weight), weight_rows, weight_columns);
    let product = |out: crate::Fresh<'_>| {
        let values = M::read(&columns);
        match lowering {
            Lowering::Pixels | Lowering::Features { .. } | Lowering::Gather(_) => {
                multiply(
                    weights,
                    Matrix::new(values, weight_columns, values.len() / weight_columns),
                    out,
                );
            }
            Lowering::Scatter(_) | Lowering::Split { .. } => {
                multiply(weights.transposed(), Matrix::new(values, inputs, pixels * batch), out);
            }
        }
    };
    let output_shape = match lowering {
        Lowering::Pixels => [weight_rows, pixels, batch],
        Lowering::Features { pixels } => [weight_rows / pixels, pixels, batch],
        Lowering::Gather(window) => [weight_rows, window.position_count(), batch],
        Lowering::Scatter(window) => [weight_columns / window.taps(), window.pixels(), batch],
        Lowering::Split { taps } => [weight_columns / taps, taps * pixels, batch],
    };
    let row = output_shape[1] * batch;
    let bias = bias.as_ref().map(M::read);
    let output = create::<B, M>(&output_shape, |out| match (lowering, overlapping(lowering)) {
        (Lowering::Features { pixels }, _) => {
            let columns = create::<B, M>(&[weight_rows, batch], |out| {
                product(&mut *out);
                add_bias_and_activate(written(out), batch, bias, Activation::Identity);
            });
            swap_runs(M::read(&columns), [pixels, weight_rows / pixels], batch, out);
        }
        (_, Some(window)) => {
            let taps = create::<B, M>(&[weight_columns, pixels, batch], product);
            scatter(&window, batch, M::read(&taps), &mut *out);
            add_bias_and_activate(written(out), row, bias, activation);
        }
        (_, None) => {
            product(&mut *out);
            add_bias_and_activate(written(out), row, bias, activation);
        }
    });
    let state = State {
        columns,
        weight,
        output: (activation != Activation::Identity).then(|| output.clone()),
        input_shape,
        output_shape,
        lowering,
        activation,
    };
    (output, state)
}

/// The window of a transposed convolution that has to be added up.
fn overlapping(lowering: Lowering) -> Option<Window> {
    match lowering {
        Lowering::Scatter(window) if !window.is_whole_image() => Some(window),
        _ => None,
    }
}

fn backward<B: Backend, M: CpuMemory<B>>(
    state: State<B>,
    gradient: FloatTensor<B>,
    wants_input: bool,
    wants_weight: bool,
    wants_bias: bool,
) -> LayerGradients<B> {
    let [inputs, pixels, batch] = state.input_shape;
    let [outputs, output_pixels, _] = state.output_shape;
    let row = output_pixels * batch;

    // Back through activation and bias.
    let mut gradient = M::contiguous(gradient);
    let (outputs, row) = match state.lowering {
        Lowering::Features { pixels } => {
            gradient = create::<B, M>(&[pixels * outputs, batch], |out| {
                swap_runs(M::read(&gradient), [outputs, pixels], batch, out);
            });
            (pixels * outputs, batch)
        }
        _ => (outputs, row),
    };
    let sums = match &state.output {
        Some(output) => {
            let output = M::read(output);
            let mut sums = vec![0.0; outputs];
            gradient = create::<B, M>(&state.output_shape, |out| {
                let values = M::read(&gradient);
                activation_gradient(values, output, row, state.activation, out, &mut sums);
            });
            Some(sums)
        }
        None => wants_bias.then(|| row_sums(M::read(&gradient), row)),
    };
    drop(state.output);
    let bias = sums
        .filter(|_| wants_bias)
        .map(|sums| create::<B, M>(&[outputs], |out| crate::product::write(out, &sums)));

    // Back through the product.
    let [weight_rows, weight_columns] = state.weight.shape().dims::<2>();
    let weights = Matrix::new(M::read(&state.weight), weight_rows, weight_columns);
    let columns = M::read(&state.columns);
    let shape = [weight_rows, weight_columns];
    match state.lowering {
        Lowering::Pixels | Lowering::Features { .. } | Lowering::Gather(_) => {
            let gradient = Matrix::new(M::read(&gradient), outputs, row);
            let columns = Matrix::new(columns, weight_columns, row);
            LayerGradients {
                weight: wants_weight
                    .then(|| create::<B, M>(&shape, |out| multiply(gradient, columns.transposed(), out))),
                input: wants_input.then(|| match state.lowering {
                    Lowering::Gather(window) if !window.is_whole_image() => {
                        let patches = create::<B, M>(&[weight_columns, output_pixels, batch], |out| {
                            multiply(weights.transposed(), gradient, out);
                        });
                        create::<B, M>(&state.input_shape, |out| {
                            scatter(&window, batch, M::read(&patches), out);
                        })
                    }
                    _ => create::<B, M>(&state.input_shape, |out| multiply(weights.transposed(), gradient, out)),
                }),
                bias,
            }
        }
        Lowering::Scatter(_) | Lowering::Split { .. } => {
            if let Some(window) = overlapping(state.lowering) {
                gradient = create::<B, M>(&[weight_columns, pixels, batch], |out| {
                    gather(&window, batch, M::read(&gradient), out);
                });
            }
            let gradient = Matrix::new(M::read(&gradient), weight_columns, pixels * batch);
            let columns = Matrix::new(columns, inputs, pixels * batch);
            LayerGradients {
                weight: wants_weight
                    .then(|| create::<B, M>(&shape, |out| multiply(columns, gradient.transposed(), out))),
                input: wants_input.then(|| create::<B, M>(&state.input_shape, |out| multiply(weights, gradient, out))),
                bias,
            }
        }
    }
}

/// The step back through a layer.
struct LayerStep<B, M>(PhantomData<fn(B, M)>);

impl<B, M> std::fmt::Debug for LayerStep<B, M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LayerStep")
    }
}

impl<B: Backend, M: CpuMemory<B>> Backward<B, 3> for LayerStep<B, M> {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [input, weight, bias] = ops.parents;
        let of = backward::<B, M>(ops.state, gradient, input.is_some(), weight.is_some(), bias.is_some());
        for (parent, gradient) in [(input, of.input), (weight, of.weight), (bias, of.bias)] {
            if let Some((parent, gradient)) = parent.zip(gradient) {
                gradients.register::<B>(parent.id, gradient);
            }
        }
    }
}

impl<B: Backend, M: CpuMemory<B>> Backward<B, 2> for LayerStep<B, M> {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 2>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [input, weight] = ops.parents;
        let of = backward::<B, M>(ops.state, gradient, input.is_some(), weight.is_some(), false);
        for (parent, gradient) in [(input, of.input), (weight, of.weight)] {
            if let Some((parent, gradient)) = parent.zip(gradient) {
                gradients.register::<B>(parent.id, gradient);
            }
        }
    }
}
