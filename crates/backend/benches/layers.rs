//! Each layer forward and back, beside `burn::nn`'s, on burn-flex.
//!
//! `cargo bench -p ganvas-backend --features flex`, with `-- conv_transpose` for some of them. A layer that falls behind shows here
//! where; whole steps are timed by `cargo xtask bench`.

#![allow(missing_docs)] // The macros of criterion make public functions.

use std::hint::black_box;

use burn::{
    nn,
    tensor::{Tensor, TensorData, backend::Backend},
};
use criterion::{Criterion, criterion_group, criterion_main};
use ganvas_model::{
    Activation, BatchNorm, BatchNormConfig, Conv2d, ConvConfig, ConvTranspose2d, FeatureMap, Init, Linear, Pass,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

type B = ganvas_backend::Flex;

const BATCH: usize = 32;

fn device() -> <B as burn::tensor::backend::BackendTypes>::Device {
    Default::default()
}

fn tensor<const D: usize>(shape: [usize; D]) -> Tensor<B, D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|index| ((index * 37) % 101) as f32 / 50.0 - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), &device())
}

/// Forward and back to the input and the weights.
fn pass<const D: usize, const E: usize>(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    input: [usize; D],
    layer: impl Fn(Tensor<B, D>) -> Tensor<B, E>,
) {
    let values = tensor(input);
    criterion
        .benchmark_group(group)
        .sample_size(10)
        .bench_function(name, |bencher| {
            bencher.iter(|| {
                let input = values.clone().require_grad();
                let gradients = layer(input.clone()).sum().backward();
                let gradient = input.grad(&gradients);
                let _ = B::sync(&device());
                black_box(gradient)
            });
        });
}

/// A convolution's name, channels, kernel, stride, padding and side of the image.
type Shape = (&'static str, [usize; 2], usize, usize, usize, usize);

/// The layers that dominate `configs/blog.toml` and `configs/dcgan.toml`.
const CONVOLUTIONS: [Shape; 3] = [
    ("conv 1 to 32, 4x4, stride 2, 28x28", [1, 32], 4, 2, 1, 28),
    ("conv 32 to 64, 4x4, stride 2, 14x14", [32, 64], 4, 2, 1, 14),
    ("conv 64 to 128, 4x4, stride 3, 13x13", [64, 128], 4, 3, 0, 13),
];
const TRANSPOSED: [Shape; 3] = [
    ("conv_transpose 512 to 256, 3x3, stride 2, 3x3", [512, 256], 3, 2, 0, 3),
    ("conv_transpose 256 to 128, 2x2, stride 2, 7x7", [256, 128], 2, 2, 0, 7),
    ("conv_transpose 64 to 32, 4x4, stride 2, 7x7", [64, 32], 4, 2, 1, 7),
];

fn convolutions(criterion: &mut Criterion) {
    let (mut rng, device) = (ChaCha8Rng::seed_from_u64(1), device());
    let mut init = Init::<B>::new(&mut rng, &device);
    for (name, channels, kernel, stride, padding, side) in CONVOLUTIONS {
        let config = ConvConfig::new(channels, kernel, stride).with_padding(padding);
        let ours = Conv2d::new(config, &mut init);
        let map = move |pixels| FeatureMap::from_tensor(pixels, [side, side]);
        pass(criterion, name, "ganvas", [channels[0], side * side, BATCH], |pixels| {
            ours.forward(map(pixels), Activation::Identity, &mut Pass::training())
                .into_tensor()
        });
        let burns = nn::conv::Conv2dConfig::new(channels, [kernel; 2])
            .with_stride([stride; 2])
            .with_padding(nn::PaddingConfig2d::Explicit(padding, padding, padding, padding))
            .init::<B>(&device);
        pass(
            criterion,
            name,
            "burn::nn",
            [BATCH, channels[0], side, side],
            |images| burns.forward(images),
        );
    }
    for (name, channels, kernel, stride, padding, side) in TRANSPOSED {
        let config = ConvConfig::new(channels, kernel, stride).with_padding(padding);
        let ours = ConvTranspose2d::new(config, &mut init);
        pass(criterion, name, "ganvas", [channels[0], side * side, BATCH], |pixels| {
            let map = FeatureMap::from_tensor(pixels, [side, side]);
            ours.forward(map, Activation::Identity, &mut Pass::training())
                .into_tensor()
        });
        let burns = nn::conv::ConvTranspose2dConfig::new(channels, [kernel; 2])
            .with_stride([stride; 2])
            .with_padding([padding; 2])
            .init::<B>(&device);
        pass(
            criterion,
            name,
            "burn::nn",
            [BATCH, channels[0], side, side],
            |images| burns.forward(images),
        );
    }
}

fn others(criterion: &mut Criterion) {
    let name = "batch_norm and relu, 64 channels, 14x14";
    let (mut rng, device) = (ChaCha8Rng::seed_from_u64(2), device());
    let mut init = Init::<B>::new(&mut rng, &device);
    let ours = BatchNorm::new(BatchNormConfig::PYTORCH, 64, &mut init);
    pass(criterion, name, "ganvas", [64, 14 * 14, BATCH], |pixels| {
        let map = FeatureMap::from_tensor(pixels, [14, 14]);
        ours.forward(map, Activation::Relu, &mut Pass::training()).into_tensor()
    });
    let burns = nn::BatchNormConfig::new(64).init::<B>(&device);
    pass(criterion, name, "burn::nn", [BATCH, 64, 14, 14], |images| {
        burn::tensor::activation::relu(burns.forward(images))
    });

    let name = "linear 784 to 512 and leaky relu";
    let leaky = Activation::LeakyRelu { slope: 0.2 };
    let ours = Linear::new([784, 512], true, &mut init);
    pass(criterion, name, "ganvas", [784, 1, BATCH], |columns| {
        ours.forward_columns(columns, leaky, &mut Pass::training())
    });
    let burns = nn::LinearConfig::new(784, 512).init::<B>(&device);
    pass(criterion, name, "burn::nn", [BATCH, 784], |rows| {
        leaky.apply(burns.forward(rows))
    });
}

fn layers(criterion: &mut Criterion) {
    ganvas_backend::prepare();
    convolutions(criterion);
    others(criterion);
}

criterion_group!(benches, layers);
criterion_main!(benches);
