//! Layers and updates give the same bits on any number of threads, whatever their shapes.

#![allow(clippy::unwrap_used)] // Clippy knows a test by its attribute, and takes the helpers for something else.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use burn::tensor::{DType, Tensor, TensorData, backend::Backend};
use burn_autodiff::Autodiff;
use burn_flex::{Flex, FlexDevice, FlexTensor};
use ganvas_cpu::{CpuLayers, CpuMemory, Uninit};
use ganvas_model::{
    Activation, FusedLayers, FusedUpdates, LayerCall, Lowering, PixelMap, Update, Window, primitive, tensor,
};
use proptest::prelude::*;
use rayon::ThreadPool;

/// As `ganvas_backend` has it, which this crate cannot use.
#[derive(Debug, Clone, Copy)]
struct FlexMemory;

impl CpuMemory<Flex> for FlexMemory {
    fn reaches(_device: &FlexDevice) -> bool {
        true
    }
    fn create(shape: &[usize], fill: impl FnOnce(Uninit<'_>) -> &mut [f32]) -> FlexTensor {
        let values = ganvas_cpu::vector(shape.iter().product(), fill);
        FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
    }
    fn contiguous(tensor: FlexTensor) -> FlexTensor {
        tensor.to_contiguous()
    }
    fn read(tensor: &FlexTensor) -> &[f32] {
        assert_eq!(tensor.dtype(), DType::F32);
        tensor.as_slice().unwrap()
    }
}

type Fused = CpuLayers<Flex, FlexMemory>;
type Trained = Autodiff<Flex>;

/// The numbers of threads that are compared. One case at a time has them: rayon's threads help each other out, and one that
/// waits in a backward pass must not begin another.
static POOLS: LazyLock<Mutex<Vec<ThreadPool>>> = LazyLock::new(|| {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    Mutex::new([1, 2, 3, 7].map(pool).into())
});

/// Runs something on each pool, and holds the bits of what it returns to those of the first.
fn same_on_all_pools(run: impl Fn() -> Vec<Vec<f32>> + Sync) {
    let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    same_on_all(&pools, run);
}

/// The same, and holds the values to those of another way, but for rounding.
fn same_on_all_pools_and_plainly(run: impl Fn() -> Vec<Vec<f32>> + Sync, plainly: impl Fn() -> Vec<Vec<f32>> + Sync) {
    let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    same_on_all(&pools, &run);
    // As above one at a time, and with the pools.
    let [found, expected] = pools[1].install(|| [run(), plainly()]);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        let largest = expected
            .iter()
            .fold(1e-3_f32, |largest, value| largest.max(value.abs()));
        assert_eq!(found.len(), expected.len());
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(one, other)| (one - other).abs() <= 2e-4 * largest)
        );
    }
}

fn same_on_all(pools: &[ThreadPool], run: impl Fn() -> Vec<Vec<f32>> + Sync) {
    let bits = |pool: &ThreadPool| -> Vec<Vec<u32>> {
        let values = pool.install(&run);
        values
            .iter()
            .map(|values| values.iter().map(|value| value.to_bits()).collect())
            .collect()
    };
    let expected = bits(&pools[0]);
    assert!(expected.iter().all(|values| !values.is_empty()));
    for pool in &pools[1..] {
        for (number, (found, expected)) in bits(pool).iter().zip(&expected).enumerate() {
            // Without the values, of which there are thousands.
            assert!(
                found == expected,
                "result {number} differs on {} threads",
                pool.current_num_threads()
            );
        }
    }
}

fn random<B: Backend, const D: usize>(shape: [usize; D], seed: u32) -> Tensor<B, D> {
    let numbers: Vec<f32> = (0..shape.iter().product::<usize>() as u32)
        .map(|index| {
            let mixed = (index ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(2_654_435_761);
            ((mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d) >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect();
    Tensor::from_data(TensorData::new(numbers, shape), &B::Device::default())
}

fn numbers<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

#[derive(Debug, Clone, Copy)]
struct Layer {
    input: [usize; 3],
    weight: [usize; 2],
    bias: Option<usize>,
    lowering: Lowering,
    activation: Activation,
}

/// Output and gradients.
fn through(layer: Layer) -> Vec<Vec<f32>> {
    let input = random::<Trained, 3>(layer.input, 1).require_grad();
    let weight = random::<Trained, 2>(layer.weight, 2).require_grad();
    let bias = layer
        .bias
        .map(|biases| random::<Trained, 1>([biases], 3).require_grad());
    let output: Tensor<Trained, 3> = tensor(Fused::default().layer(LayerCall {
        input: primitive(input.clone()),
        weight: primitive(weight.clone()),
        bias: bias.clone().map(primitive),
        lowering: layer.lowering,
        activation: layer.activation,
    }));
    let gradient = random(output.dims(), 4);
    let gradients = (output.clone() * gradient).sum().backward();
    let mut results = vec![
        numbers(output),
        numbers(input.grad(&gradients).unwrap()),
        numbers(weight.grad(&gradients).unwrap()),
    ];
    results.extend(bias.map(|bias| numbers(bias.grad(&gradients).unwrap())));
    results
}

/// Products and values of a layer at most, so that a case takes milliseconds.
const MOST_WORK: usize = if cfg!(miri) { 3000 } else { 16_000_000 };
const MOST_VALUES: usize = if cfg!(miri) { 600 } else { 500_000 };
const SIDE: usize = if cfg!(miri) { 12 } else { 300 };
const CASES: u32 = if cfg!(miri) { 6 } else { 500 };

/// The batch that was drawn, or what of it keeps within the bounds.
fn bounded(batch: usize, work: usize, values: usize) -> usize {
    batch.min(MOST_WORK / work).min(MOST_VALUES / values).max(1)
}

fn activations() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::Identity),
        Just(Activation::Relu),
        Just(Activation::LeakyRelu { slope: 0.2 }),
        Just(Activation::Tanh),
    ]
}

/// Sides of both sizes: products are cut where they are large.
fn sides() -> impl Strategy<Value = usize> {
    prop_oneof![1..=SIDE, 1..=SIDE.min(20)]
}

fn dense() -> impl Strategy<Value = Layer> {
    let shapes = (sides(), sides(), 1..=9_usize, sides(), 0..3_u8);
    (shapes, any::<bool>(), activations()).prop_map(|((inputs, outputs, pixels, batch, kind), bias, activation)| {
        let batch = bounded(batch, inputs * outputs * pixels, (inputs + outputs) * pixels);
        let (lowering, input, weight, biases) = match kind {
            0 => (Lowering::Pixels, [inputs, pixels, batch], [outputs, inputs], outputs),
            1 => {
                let weight = [outputs * pixels, inputs];
                (
                    Lowering::Features { pixels },
                    [inputs, 1, batch],
                    weight,
                    outputs * pixels,
                )
            }
            _ => {
                let weight = [inputs, outputs * pixels];
                (Lowering::Split { taps: pixels }, [inputs, 1, batch], weight, outputs)
            }
        };
        Layer {
            input,
            weight,
            bias: bias.then_some(biases),
            lowering,
            activation: if kind == 1 { Activation::Identity } else { activation },
        }
    })
}

fn convolution() -> impl Strategy<Value = Layer> {
    let window = (
        1..=9_usize,
        1..=9_usize,
        1..=5_usize,
        1..=3_usize,
        0..=2_usize,
        any::<bool>(),
    )
        .prop_filter_map(
            "a kernel no larger than the image",
            |(height, width, kernel, stride, padding, whole)| {
                let (image, stride, padding) = if whole {
                    ([kernel; 2], 1, 0)
                } else {
                    ([height, width], stride, padding)
                };
                let fits = image.iter().all(|side| side + 2 * padding >= kernel);
                fits.then(|| Window {
                    image,
                    positions: image.map(|side| (side + 2 * padding - kernel) / stride + 1),
                    kernel,
                    stride,
                    padding,
                })
            },
        );
    let shapes = (sides(), sides(), sides());
    (shapes, window, any::<bool>(), any::<bool>(), activations()).prop_map(
        |((inputs, outputs, batch), window, transposed, bias, activation)| {
            let (taps, pixels, positions) = (window.taps(), window.pixels(), window.position_count());
            // The image has the inputs of a convolution, or the outputs of a transposed one.
            let [inputs, outputs] = [inputs, outputs].map(|side| side.min(MOST_WORK / 1000 / taps).max(1));
            let batch = bounded(
                batch,
                inputs * outputs * taps * positions,
                inputs.max(outputs) * (taps * positions).max(pixels),
            );
            let (lowering, input, weight) = if transposed {
                (
                    Lowering::Scatter(window),
                    [inputs, positions, batch],
                    [inputs, outputs * taps],
                )
            } else {
                (
                    Lowering::Gather(window),
                    [inputs, pixels, batch],
                    [outputs, inputs * taps],
                )
            };
            Layer {
                input,
                weight,
                bias: bias.then_some(outputs),
                lowering,
                activation,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_layer(layer in prop_oneof![dense(), convolution()]) {
        same_on_all_pools(|| through(layer));
    }

    #[test]
    fn a_batch_normalization(channels in sides(), pixels in 1..=40_usize, batch in sides(), activation in activations()) {
        let batch = bounded(batch, 1, channels * pixels);
        same_on_all_pools(|| {
            let input = random::<Trained, 3>([channels, pixels, batch], 1).require_grad();
            let [scale, shift] = [2, 3].map(|seed| random::<Trained, 1>([channels], seed).require_grad());
            let operands = [primitive(scale.clone()), primitive(shift.clone())];
            let [scale_values, shift_values] = operands;
            let [output, mean, variance] =
                Fused::default().batch_norm(primitive(input.clone()), scale_values, shift_values, 1e-5, activation);
            let output: Tensor<Trained, 3> = tensor(output);
            let gradient = random(output.dims(), 4);
            let gradients = (output.clone() * gradient).sum().backward();
            vec![
                numbers(output),
                numbers::<Trained, 1>(tensor(mean)),
                numbers::<Trained, 1>(tensor(variance)),
                numbers(input.grad(&gradients).unwrap()),
                numbers(scale.grad(&gradients).unwrap()),
                numbers(shift.grad(&gradients).unwrap()),
            ]
        });
    }

    #[test]
    fn a_layer_normalization(channels in sides(), pixels in 1..=40_usize, batch in sides(), activation in activations()) {
        let batch = bounded(batch, 1, channels * pixels);
        same_on_all_pools(|| {
            let input = random::<Trained, 3>([channels, pixels, batch], 1).require_grad();
            let [scale, shift] = [2, 3].map(|seed| random::<Trained, 1>([channels], seed).require_grad());
            let [scale_values, shift_values] = [primitive(scale.clone()), primitive(shift.clone())];
            let output =
                Fused::default().layer_norm(primitive(input.clone()), scale_values, shift_values, 1e-5, activation);
            let output: Tensor<Trained, 3> = tensor(output);
            let gradients = (output.clone() * random(output.dims(), 4)).sum().backward();
            vec![
                numbers(output),
                numbers(input.grad(&gradients).unwrap()),
                numbers(scale.grad(&gradients).unwrap()),
                numbers(shift.grad(&gradients).unwrap()),
            ]
        });
    }

    #[test]
    fn a_scale_and_a_shift_of_each_image(channels in sides(), pixels in 1..=400_usize, batch in sides(), activation in activations()) {
        let batch = bounded(batch, 1, channels * pixels);
        let run = |fused: bool| {
            let input = random::<Trained, 3>([channels, pixels, batch], 1).require_grad();
            let [scale, shift] = [2, 3].map(|seed| random::<Trained, 3>([channels, 1, batch], seed).require_grad());
            let output: Tensor<Trained, 3> = match fused {
                true => {
                    let [input, scale, shift] = [&input, &scale, &shift].map(|tensor| primitive(tensor.clone()));
                    tensor(Fused::default().image_affine(input, scale, shift, activation))
                }
                false => activation.apply(input.clone() * scale.clone() + shift.clone()),
            };
            let gradients = (output.clone() * random(output.dims(), 4)).sum().backward();
            vec![
                numbers(output),
                numbers(input.grad(&gradients).unwrap()),
                numbers(scale.grad(&gradients).unwrap()),
                numbers(shift.grad(&gradients).unwrap()),
            ]
        };
        match activation {
            // Where an input is 0, Burn's slope is 1, and ours is PyTorch's, that of the values below.
            Activation::Relu | Activation::LeakyRelu { .. } => same_on_all_pools(|| run(true)),
            Activation::Identity | Activation::Tanh => same_on_all_pools_and_plainly(|| run(true), || run(false)),
        }
    }

    #[test]
    fn pixels_that_are_resampled(channels in sides(), height in 2..=9_usize, width in 2..=9_usize, batch in sides()) {
        let batch = bounded(batch, 1, channels * height * width * 4);
        same_on_all_pools(|| {
            let maps = [PixelMap::doubling([height, width]), PixelMap::halving([height, width])];
            maps.into_iter()
                .flat_map(|map| {
                    let input = random::<Trained, 3>([channels, height * width, batch], 1).require_grad();
                    let output = Fused::default().map_pixels(primitive(input.clone()), Arc::new(map));
                    let output: Tensor<Trained, 3> = tensor(output);
                    let gradients = (output.clone() * random(output.dims(), 4)).sum().backward();
                    [numbers(output), numbers(input.grad(&gradients).unwrap())]
                })
                .collect()
        });
    }

    #[test]
    fn updates(first in sides(), second in sides(), later in any::<bool>(), kind in 0..3) {
        let shape = [first, bounded(second, 1, first)];
        let (rate, epsilon, momentum) = (1e-3, 1e-8, 0.5);
        let rule = match kind {
            0 => Update::Adam { beta1: 0.9, beta2: 0.999, rate, epsilon, kept: 0.99 },
            1 => Update::Rmsprop { beta2: 0.99, momentum, rate, epsilon },
            _ => Update::Sgd { momentum, rate },
        };
        same_on_all_pools(|| {
            let value = |seed| random::<Flex, 2>(shape, seed);
            let moments = later.then(|| [primitive(value(3)), primitive(value(4).abs())]);
            let (moved, square_sum) =
                Fused::default().update(primitive(value(1)), primitive(value(2)), moments, rule);
            let average = Fused::default().move_average(primitive(value(1)), primitive(value(2)), 0.01);
            let mut results: Vec<_> = moved.map(|moved| numbers::<Flex, 2>(tensor(moved))).into();
            results.extend([numbers::<Flex, 2>(tensor(average)), vec![square_sum]]);
            results
        });
    }
}

/// An mlp with `hidden_sizes = [144, 16]` on a batch of 128 MNIST digits: gemm has another kernel for products of 256 values or
/// fewer, which pieces of these were once on some numbers of threads.
#[test]
#[cfg_attr(miri, ignore = "too long for Miri")]
fn layers_on_the_edge_of_gemms_kernels() {
    let mlp = [[64, 144], [144, 16], [16, 784], [784, 144], [16, 1]].map(|sides| (sides, 1));
    // And the products of configs/blog.toml and configs/dcgan.toml that are cut.
    let networks = [([100, 4608], 1), ([512, 256], 4), ([64, 64], 49), ([128, 257], 1)];
    for ([inputs, outputs], pixels) in mlp.into_iter().chain(networks) {
        for batch in [16, 32, 128] {
            same_on_all_pools(|| {
                through(Layer {
                    input: [inputs, pixels, batch],
                    weight: [outputs, inputs],
                    bias: Some(outputs),
                    lowering: Lowering::Pixels,
                    activation: Activation::Relu,
                })
            });
        }
    }
}
