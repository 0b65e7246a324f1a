//! Residual networks: generators and a conditional discriminator against PyTorch's (`tests/reference/resnet.py`; more of the discriminator is in
//! `penalties.rs`), how they begin, and sizes.

use std::collections::BTreeMap;

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Int, Tensor, TensorData},
};
use ganvas_data::{Purpose, keyed_rng, normal_vec};
use ganvas_model::{
    AdversarialLoss, DataShape, Discriminator, Generator, GradientPenalty, ImageShape, Init, NamedTensor, Networks,
    ResnetConfig, ResnetDiscriminator, ResnetGenerator, named_tensors, without_fused,
};
use serde::Deserialize;

use crate::{
    B, Inner,
    conditional::assert_all_near,
    device,
    golden::{kernel_scale, pattern_tensor, patterned, read, values},
    three_steps::gradient_values,
};

#[derive(Deserialize)]
struct Document {
    settings: ResnetConfig,
    generators: Vec<GeneratorCase>,
    projection: Projection,
}

#[derive(Deserialize)]
struct GeneratorCase {
    image: [usize; 3],
    conditional: bool,
    images: Vec<f64>,
    gradients: Named,
}

/// A discriminator that is given the class.
#[derive(Deserialize)]
struct Projection {
    image: [usize; 3],
    logits: Vec<f64>,
    gradients: Named,
    penalty: f64,
    penalty_gradients: Named,
}

type Named = BTreeMap<String, Vec<f64>>;

const LABELS: [i32; 4] = [2, 0, 1, 2];

fn labels(conditional: bool) -> Option<Tensor<B, 1, Int>> {
    conditional.then(|| Tensor::from_data(TensorData::from(LABELS), &device()))
}

/// Networks of these settings on such images, of three classes where they are conditional.
fn settings(document: &Document, image: [usize; 3], conditional: bool) -> (ResnetConfig, DataShape) {
    let config = ResnetConfig {
        conditional,
        ..document.settings.clone()
    };
    let classes = if conditional { 3 } else { 0 };
    (config, DataShape::new(image.into(), classes))
}

/// The reference's weights.
fn value(tensor: &NamedTensor, u: f64) -> f32 {
    match tensor.shape.as_slice() {
        [_] => (0.05 * u) as f32,
        shape => (kernel_scale(shape) * u) as f32,
    }
}

fn assert_gradients<M: Module<B>>(network: &M, gradients: &GradientsParams, expected: &Named) {
    let tensors = named_tensors::<B, _>(network);
    assert_eq!(tensors.len(), expected.len());
    for (tensor, found) in tensors.iter().zip(gradient_values(network, gradients)) {
        let expected = &expected[&tensor.name];
        let found = found.unwrap_or_else(|| vec![0.0; expected.len()]);
        assert_all_near(&tensor.name, &found, expected);
    }
}

#[test]
fn generators_are_those_of_pytorch() {
    let document: Document = read("resnet");
    let check = || {
        for case in &document.generators {
            let _lock = crate::lock();
            let (config, data) = settings(&document, case.image, case.conditional);
            let (mut rng, device) = (keyed_rng(0, Purpose::GeneratorWeights, 0), device());
            let made: ResnetGenerator<B> = config.generator(data, &mut Init::new(&mut rng, &device)).unwrap();
            let generator = patterned::<B, _>(made, 0, value);
            let z = pattern_tensor(1000, 1.7, [4, 3], &device);
            let (images, _) = generator.forward_training(z, labels(case.conditional));
            assert_all_near("a pixel", &values::<Inner, 4>(images.clone().inner()), &case.images);
            let [channels, height, width] = case.image;
            let weights = pattern_tensor::<B, 4>(3000, 1.0, [4, channels, height, width], &device);
            let gradients = GradientsParams::from_grads((images * weights).sum().backward(), &generator);
            assert_gradients(&generator, &gradients, &case.gradients);
        }
    };
    check();
    without_fused(check);
}

#[test]
fn a_conditional_discriminator_and_its_penalty_are_those_of_pytorch() {
    let document: Document = read("resnet");
    let case = &document.projection;
    let check = || {
        let _lock = crate::lock();
        let (config, data) = settings(&document, case.image, true);
        let discriminator = || {
            let (mut rng, device) = (keyed_rng(0, Purpose::DiscriminatorWeights, 0), device());
            let made = config.discriminator(data, &mut Init::new(&mut rng, &device)).unwrap();
            patterned::<B, ResnetDiscriminator<B>>(made, 500, value)
        };
        let [channels, height, width] = case.image;
        let real = || pattern_tensor::<B, 4>(2000, 1.0, [4, channels, height, width], &device());

        let judge = discriminator();
        let logits = judge.forward_training(real(), labels(true)).0;
        assert_all_near("logits", &values::<Inner, 2>(logits.clone().inner()), &case.logits);
        let loss = AdversarialLoss::NonSaturating.of_generator(logits, || unreachable!("no real images are asked for"));
        assert_gradients(
            &judge,
            &GradientsParams::from_grads(loss.backward(), &judge),
            &case.gradients,
        );

        let judge = discriminator();
        let gradient = judge.forward_recorded(real(), labels(true)).gradient;
        let penalty = GradientPenalty::R1.of(gradient.compute(&device()).unwrap());
        let value = values::<Inner, 1>(penalty.clone().inner());
        assert_all_near("the penalty", &value, &[case.penalty]);
        let gradients = GradientsParams::from_grads(penalty.backward(), &judge);
        assert_gradients(&judge, &gradients, &case.penalty_gradients);
    };
    check();
    without_fused(check);
}

/// Fixup with three layers a block, as R3GAN has it: the last begins at zero, so that blocks begin as the identity, and the others have the
/// deviation of He, divided by the fourth root of the number of blocks.
#[test]
fn blocks_begin_as_r3gans() {
    let config = ResnetConfig {
        base_channels: 32,
        most_channels: 64,
        blocks: 2,
        ..ResnetConfig::default()
    };
    let image = ImageShape::new(1, 28, 28);
    let (mut rng, device) = (keyed_rng(2, Purpose::GeneratorWeights, 0), device());
    let mut init = Init::<B>::new(&mut rng, &device);
    let generator = named_tensors::<B, _>(&config.generator(image.into(), &mut init).unwrap());
    let discriminator = named_tensors::<B, _>(&config.discriminator(image.into(), &mut init).unwrap());
    for tensors in [generator, discriminator] {
        // Two at each of 7, 14 and 28 pixels.
        for block in 0..6 {
            let named = |layer: &str| {
                let name = format!("blocks.{block}.{layer}");
                tensors.iter().find(|tensor| tensor.name == name).unwrap()
            };
            for layer in ["expand.bias", "conv.bias", "project.weight"] {
                assert!(named(layer).values.iter().all(|&value| value == 0.0), "{layer}");
            }
            for layer in ["expand.weight", "conv.weight"] {
                let tensor = named(layer);
                let inputs = tensor.shape[1..].iter().product::<usize>() as f64;
                let expected = (2.0 / (1.0 + 0.2 * 0.2) / inputs).sqrt() / 6.0_f64.powf(0.25);
                let squares = tensor.values.iter().map(|&value| f64::from(value).powi(2));
                let found = (squares.sum::<f64>() / tensor.values.len() as f64).sqrt();
                assert!((found / expected - 1.0).abs() < 0.05, "{layer}: {found}, {expected}");
            }
        }
    }
}

/// Signals keep their size through networks of any depth.
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
