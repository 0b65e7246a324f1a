//! Residual networks: the generator against PyTorch's (`tests/reference/resnet.py`; the discriminator is in `penalties.rs`), how they begin, and
//! sizes.

use std::collections::BTreeMap;

use burn::{
    optim::GradientsParams,
    tensor::{Tensor, TensorData},
};
use ganvas_data::{Purpose, keyed_rng, normal_vec};
use ganvas_model::{
    DataShape, Discriminator, Generator, ImageShape, Init, NamedTensor, Networks, ResnetConfig, ResnetGenerator,
    named_tensors, without_fused,
};
use serde::Deserialize;

use crate::{
    B, BACKEND, Inner, assert_near, device,
    golden::{kernel_scale, pattern_tensor, patterned, read, values},
    three_steps::gradient_values,
};

#[derive(Deserialize)]
struct Document {
    settings: ResnetConfig,
    images: Vec<f64>,
    gradients: BTreeMap<String, Vec<f64>>,
}

fn reference_generator(settings: &ResnetConfig) -> ResnetGenerator<B> {
    let (mut rng, device) = (keyed_rng(0, Purpose::GeneratorWeights, 0), device());
    let shape = DataShape::from(ImageShape::new(1, 16, 16));
    let generator: ResnetGenerator<B> = settings.generator(shape, &mut Init::new(&mut rng, &device)).unwrap();
    let value = |tensor: &NamedTensor, u: f64| match tensor.shape.as_slice() {
        [_] => (0.05 * u) as f32,
        shape => (kernel_scale(shape) * u) as f32,
    };
    patterned::<B, _>(generator, 0, value)
}

#[test]
fn the_generator_is_that_of_pytorch() {
    let document: Document = read("resnet");
    let check = || {
        let _lock = crate::lock();
        let generator = reference_generator(&document.settings);
        let z = pattern_tensor(1000, 1.7, [4, 3], &device());
        let (images, _) = generator.forward_training(z, None);
        let found = values::<Inner, 4>(images.clone().inner());
        assert_eq!(found.len(), document.images.len());
        for (found, expected) in found.iter().zip(&document.images) {
            assert_near("a pixel", f64::from(*found), *expected, 1.0, BACKEND.tests.gradients);
        }
        let weights = pattern_tensor::<B, 4>(3000, 1.0, [4, 1, 16, 16], &device());
        let gradients = GradientsParams::from_grads((images * weights).sum().backward(), &generator);
        let found = gradient_values(&generator, &gradients);
        let tensors = named_tensors::<B, _>(&generator);
        assert_eq!(tensors.len(), document.gradients.len());
        for (tensor, found) in tensors.iter().zip(found) {
            let (found, expected) = (found.unwrap(), &document.gradients[&tensor.name]);
            assert_eq!(found.len(), expected.len(), "{}", tensor.name);
            let scale = expected.iter().fold(1e-3_f64, |most, value| most.max(value.abs()));
            for (found, expected) in found.iter().zip(expected) {
                assert_near(
                    &tensor.name,
                    f64::from(*found),
                    *expected,
                    scale,
                    BACKEND.tests.gradients,
                );
            }
        }
    };
    check();
    without_fused(check);
}

/// Fixup: blocks begin as the identity, and signals keep their size through networks of any depth.
#[test]
fn new_networks_keep_the_size_of_what_goes_through_them() {
    for (image, blocks) in [([1, 28, 28], 1), ([3, 32, 32], 2), ([3, 64, 64], 1)] {
        let config = ResnetConfig {
            base_channels: 8,
            blocks,
            ..ResnetConfig::default()
        };
        let image = ImageShape::from(image);
        let (mut rng, device) = (keyed_rng(2, Purpose::GeneratorWeights, 0), device());
        let mut init = Init::<B>::new(&mut rng, &device);
        let generator = config.generator(image.into(), &mut init).unwrap();
        let discriminator = config.discriminator(image.into(), &mut init).unwrap();
        let z = normal_vec(&mut keyed_rng(1, Purpose::Noise, 0), 16 * 64);
        let images = generator.forward(Tensor::from_data(TensorData::new(z, [16, 64]), &device), None);
        let [_, channels, height, width] = images.dims();
        assert_eq!(ImageShape::new(channels, height, width), image);
        let found = values::<Inner, 4>(images.clone().inner());
        let deviation = (found.iter().map(|value| value * value).sum::<f32>() / found.len() as f32).sqrt();
        // Bilinear doubling averages the random basis, and one draw of the last layer decides the rest.
        assert!((0.05..3.0).contains(&deviation), "{image}: {deviation}");
        let logits = values::<Inner, 2>(discriminator.forward(images, None).inner());
        assert!(
            logits.iter().all(|logit| logit.abs() < 10.0) && logits[0] != logits[1],
            "{logits:?}"
        );
    }
}

#[test]
fn sizes_that_cannot_be_halved_twice_are_refused() {
    use ganvas_model::NetworkSettings;
    let config = ResnetConfig::default();
    for dims in [[1, 30, 28], [1, 12, 12], [2, 28, 28], [1, 1028, 1028]] {
        let refused = config
            .validate(Some(ImageShape::from(dims).into()))
            .unwrap_err()
            .to_string();
        assert!(refused.contains("multiples of 4"), "{refused}");
    }
    for dims in [[1, 28, 28], [3, 48, 64], [1, 16, 16]] {
        config.validate(Some(ImageShape::from(dims).into())).unwrap();
    }
}
