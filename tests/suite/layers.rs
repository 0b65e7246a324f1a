//! Lowered convolutions against Keras and against `burn::nn`.

use burn::{
    module::Param,
    nn::{PaddingConfig2d, conv::Conv2dConfig, conv::ConvTranspose2dConfig},
    tensor::Tensor,
};
use ganvas_model::{Activation, Conv2d, ConvConfig, ConvTranspose2d, FeatureMap, Init, Linear, Pass, without_fused};
use proptest::prelude::*;

use crate::{
    B, BACKEND, Inner, ON_CUBECL, assert_near, device,
    golden::{self, Figure, Layers, pattern_tensor, values},
};

/// Output and gradients of a layer.
struct Passed {
    output: Tensor<B, 4>,
    gradients: [Vec<f32>; 3],
}

/// Either kind of convolution with given weights, on given images.
fn lowered(
    transposed: bool,
    config: ConvConfig,
    input: Tensor<B, 4>,
    weight: Tensor<B, 4>,
    bias: Tensor<B, 1>,
    activation: Activation,
) -> Passed {
    let (mut rng, device) = (
        ganvas_data::keyed_rng(0, ganvas_data::Purpose::GeneratorWeights, 0),
        device(),
    );
    let _lock = crate::lock();
    let mut init = Init::<B>::new(&mut rng, &device);
    let input = input.require_grad();
    let map = FeatureMap::from_images(input.clone());
    let (weight, bias) = (Param::from_tensor(weight), Param::from_tensor(bias));
    let output = if transposed {
        let mut layer = ConvTranspose2d::<B>::new(config, &mut init);
        (layer.weight, layer.bias) = (weight.clone(), Some(bias.clone()));
        layer.forward(map, activation, &mut Pass::training())
    } else {
        let mut layer = Conv2d::<B>::new(config, &mut init);
        (layer.weight, layer.bias) = (weight.clone(), Some(bias.clone()));
        layer.forward(map, activation, &mut Pass::training())
    };
    backward(output.into_images(), input, weight, bias)
}

/// The same by `burn::nn`.
fn standard(
    transposed: bool,
    config: ConvConfig,
    input: Tensor<B, 4>,
    weight: Tensor<B, 4>,
    bias: Tensor<B, 1>,
    activation: Activation,
) -> Passed {
    let _lock = crate::lock();
    let input = input.require_grad();
    let (weight, bias) = (Param::from_tensor(weight), Param::from_tensor(bias));
    let (kernel, stride, padding) = ([config.kernel; 2], [config.stride; 2], config.padding);
    let output = if transposed {
        let mut layer = ConvTranspose2dConfig::new(config.channels, kernel)
            .with_stride(stride)
            .with_padding([padding; 2])
            .init::<B>(&device());
        (layer.weight, layer.bias) = (weight.clone(), Some(bias.clone()));
        layer.forward(input.clone())
    } else {
        let mut layer = Conv2dConfig::new(config.channels, kernel)
            .with_stride(stride)
            .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
            .init::<B>(&device());
        (layer.weight, layer.bias) = (weight.clone(), Some(bias.clone()));
        layer.forward(input.clone())
    };
    backward(activation.apply(output), input, weight, bias)
}

fn backward(
    output: Tensor<B, 4>,
    input: Tensor<B, 4>,
    weight: Param<Tensor<B, 4>>,
    bias: Param<Tensor<B, 1>>,
) -> Passed {
    let direction = pattern_tensor::<B, 4>(13, 1.0, output.dims(), &device());
    let gradients = (output.clone() * direction).sum().backward();
    let of_input = input.grad(&gradients).expect("a gradient of the input");
    let of_weight = weight.val().grad(&gradients).expect("a gradient of the weight");
    let of_bias = bias.val().grad(&gradients).expect("a gradient of the bias");
    Passed {
        output,
        gradients: [
            values::<Inner, 4>(of_input),
            values::<Inner, 4>(of_weight),
            values::<Inner, 1>(of_bias),
        ],
    }
}

fn kernel_shape(transposed: bool, config: ConvConfig) -> [usize; 4] {
    let [inputs, outputs] = config.channels;
    let outer = if transposed {
        [inputs, outputs]
    } else {
        [outputs, inputs]
    };
    [outer[0], outer[1], config.kernel, config.kernel]
}

#[test]
fn lowered_layers_agree_with_keras() {
    let golden: Layers = golden::read("layers");
    assert_eq!(golden.layers.len(), 24);
    for layer in golden.layers {
        let config = ConvConfig::new([layer.cin, layer.cout], layer.k, layer.s).with_padding(layer.p);
        let shape = kernel_shape(layer.transposed, config);
        let limit = (6.0 / ((shape[0] + shape[1]) * layer.k * layer.k) as f64).sqrt();
        let pass = lowered(
            layer.transposed,
            config,
            pattern_tensor(10, 1.0, [2, layer.cin, layer.h, layer.w], &device()),
            pattern_tensor(11, limit, shape, &device()),
            pattern_tensor(12, 0.05, [layer.cout], &device()),
            Activation::Identity,
        );
        let name = format!("transposed {}, {config:?} on {}×{}", layer.transposed, layer.h, layer.w);
        assert_eq!(pass.output.dims(), layer.output_shape, "{name}");
        let output = values(pass.output);
        let tolerance = BACKEND.tests.values;
        for (index, expected) in layer.samples {
            assert_near(
                &name,
                f64::from(output[index]),
                expected,
                expected.abs().max(0.1),
                tolerance,
            );
        }
        Figure::of(&output, 13).assert_near(&name, layer.output, tolerance, tolerance);
        let expected = [layer.input_gradient, layer.weight_gradient, layer.bias_gradient];
        for (index, (gradient, expected)) in pass.gradients.iter().zip(expected).enumerate() {
            let what = format!("{} gradient of {name}", ["input", "weight", "bias"][index]);
            Figure::of(gradient, 14 + index as u32).assert_near(&what, expected, tolerance, tolerance);
        }
    }
}

fn assert_all_near(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    // Rounding is relative to the terms of a sum, which are tenths here, and not to what is left of them.
    let scale = expected.iter().fold(0.1f32, |scale, value| scale.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let (found, expected) = (f64::from(*found), f64::from(*expected));
        assert_near(what, found, expected, f64::from(scale), BACKEND.tests.values);
    }
}

/// Holds output and gradients of a layer on `[batch, height, width]` images to those of `burn::nn`.
fn assert_agrees_with_burn(transposed: bool, config: ConvConfig, images: [usize; 3], activation: Activation) {
    let ([inputs, outputs], [batch, height, width]) = (config.channels, images);
    let tensors = || {
        (
            pattern_tensor(1, 1.0, [batch, inputs, height, width], &device()),
            pattern_tensor(2, 0.5, kernel_shape(transposed, config), &device()),
            pattern_tensor(3, 0.5, [outputs], &device()),
        )
    };
    let (input, weight, bias) = tensors();
    let ours = lowered(transposed, config, input, weight, bias, activation);
    let (input, weight, bias) = tensors();
    let burns = standard(transposed, config, input, weight, bias, activation);
    assert_eq!(ours.output.dims(), burns.output.dims());
    assert_all_near("output", &values(ours.output), &values(burns.output));
    for (index, what) in ["input", "weight", "bias"].into_iter().enumerate() {
        let what = format!("{what} gradient, transposed {transposed}, {config:?}, images {images:?}");
        assert_all_near(&what, &ours.gradients[index], &burns.gradients[index]);
    }
}

#[test]
fn layers_of_one_pixel_one_channel_or_one_image_agree_with_burns_own() {
    // A matrix of one row or column has strides of its own, and few random shapes are that small.
    for transposed in [false, true] {
        for channels in [[1, 1], [1, 3], [3, 1], [3, 2]] {
            for (kernel, images) in [(1, [1, 2, 3]), (1, [2, 1, 1]), (1, [1, 1, 1]), (2, [1, 2, 2])] {
                let config = ConvConfig::new(channels, kernel, kernel);
                assert_agrees_with_burn(transposed, config, images, Activation::Tanh);
            }
        }
    }
}

proptest! {
    // A new shape is a new kernel there, whose compilation takes longer than its run.
    #![proptest_config(ProptestConfig::with_cases(if ON_CUBECL { 100 } else { 200 }))]

    #[test]
    fn lowered_layers_agree_with_burns_own(
        transposed: bool,
        (inputs, outputs) in (1usize..5, 1usize..5),
        (kernel, stride) in (1usize..6, 1usize..4),
        padding in 0usize..3,
        (height, width) in (1usize..9, 1usize..9),
        batch in 1usize..4,
        activation in prop::sample::select(vec![
            Activation::Identity, Activation::Relu, Activation::LeakyRelu { slope: 0.2 }, Activation::Tanh,
        ]),
    ) {
        // Padding beyond the kernel, or a result without pixels, is refused by `burn::nn` as well.
        prop_assume!(padding < kernel);
        // There `burn::nn` is no standard: with a stride beyond the kernel, burn-cubecl 0.21's `conv_transpose2d_direct_kernel`
        // walks over an empty range and gives zeros. Keras' numbers hold our layers to the right ones above.
        prop_assume!(stride <= kernel || !ON_CUBECL);
        if transposed {
            prop_assume!([height, width].iter().all(|side| (side - 1) * stride + kernel > 2 * padding));
        } else {
            prop_assume!([height, width].iter().all(|side| side + 2 * padding >= kernel));
        }
        let config = ConvConfig::new([inputs, outputs], kernel, stride).with_padding(padding);
        assert_agrees_with_burn(transposed, config, [batch, height, width], activation);
    }

    #[test]
    fn nested_blocks_come_out_in_image_order(
        sides in prop::collection::vec(2usize..4, 1..4),
        (height, width) in (1usize..4, 1usize..4),
        channels in 1usize..3,
    ) {
        // Transposed convolutions with kernel = stride, ours in blocks against Burn's in order.
        let (mut rng, device) = (ganvas_data::keyed_rng(7, ganvas_data::Purpose::GeneratorWeights, 0), device());
        let mut init = Init::new(&mut rng, &device);
        let images = pattern_tensor::<B, 4>(5, 1.0, [2, channels, height, width], &device);
        let mut map = FeatureMap::from_images(images.clone());
        let mut expected = images;
        for side in sides {
            let layer = ConvTranspose2d::<B>::new(
                ConvConfig::new([channels, channels], side, side), &mut init);
            let mut burns = ConvTranspose2dConfig::new([channels, channels], [side, side])
                .with_stride([side, side]).init::<B>(&device);
            (burns.weight, burns.bias) = (layer.weight.clone(), layer.bias.clone());
            map = layer.forward(map, Activation::Identity, &mut Pass::training());
            expected = burns.forward(expected);
        }
        prop_assert_eq!(map.size(), [expected.dims()[2], expected.dims()[3]]);
        assert_all_near("image", &values(map.into_images()), &values(expected));
    }
}

#[test]
fn images_may_be_changed_before_the_gradient_is_taken() {
    let check = || {
        for batch in [1, 3] {
            let (mut rng, device) = (
                ganvas_data::keyed_rng(0, ganvas_data::Purpose::GeneratorWeights, 0),
                device(),
            );
            let layer = ConvTranspose2d::<B>::new(ConvConfig::new([1, 1], 2, 2), &mut Init::new(&mut rng, &device));
            let made = |noise: f32| {
                let _lock = crate::lock();
                let input = pattern_tensor::<B, 4>(5, 1.0, [batch, 1, 4, 4], &device).require_grad();
                let map = FeatureMap::from_images(input.clone());
                // tanh's gradient is of what it gave, before the noise.
                let images = layer
                    .forward(map, Activation::Tanh, &mut Pass::training())
                    .into_images();
                let gradients = (images + noise).mul_scalar(3.0).sum().backward();
                values::<Inner, 4>(input.grad(&gradients).unwrap())
            };
            assert_all_near("gradient", &made(0.5), &made(0.0));
        }
    };
    check();
    without_fused(check);
}

#[test]
fn a_linear_layer_has_pytorchs_weight_layout() {
    let (mut rng, device) = (
        ganvas_data::keyed_rng(0, ganvas_data::Purpose::GeneratorWeights, 0),
        device(),
    );
    let mut layer = Linear::<Inner>::new([3, 2], true, &mut Init::new(&mut rng, &device));
    layer.weight = Param::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device);
    layer.bias = Some(Param::from_data([0.5, -0.5], &device));
    let input = Tensor::<Inner, 3>::from_data([[[1.0]], [[0.0]], [[-1.0]]], &device);
    let output = layer.forward_columns(input, Activation::Identity, &mut Pass::inference());
    assert_eq!(values(output), [-1.5, -2.5]);
}

#[test]
fn features_are_laid_out_channel_first_as_in_pytorch_or_last_as_in_keras() {
    let (mut rng, device) = (
        ganvas_data::keyed_rng(0, ganvas_data::Purpose::GeneratorWeights, 0),
        device(),
    );
    let mut init = Init::<Inner>::new(&mut rng, &device);
    // The identity: feature i is i.
    let identity: Vec<f32> = (0..36).map(|index| f32::from(u8::from(index % 7 == 0))).collect();
    let mut layer = Linear::<Inner>::new([6, 6], false, &mut init);
    layer.weight = Param::from_data(burn::tensor::TensorData::new(identity, [6, 6]), &device);
    let numbers = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let features = || Tensor::<Inner, 1>::from_floats(numbers, &device).reshape([6, 1, 1]);
    let pass = &mut Pass::inference();
    // torch.arange(6.).view(1, 2, 1, 3)
    let first = layer.forward_features(features(), [1, 3], pass);
    assert_eq!(values(first.clone().into_images()), numbers);
    // numpy.arange(6).reshape(1, 1, 3, 2).transpose(0, 3, 1, 2)
    let last = layer.forward_features_channels_last(features(), [1, 3], pass);
    assert_eq!(values(last.into_images()), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    // flatten(1) undoes view.
    assert_eq!(values(layer.forward_flattened(first, pass)), numbers);
}
