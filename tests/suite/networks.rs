//! Networks: shapes, names, statistics.

use burn::{
    module::AutodiffModule,
    tensor::{Tensor, backend::Backend},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    AnyDiscriminator, AnyGenerator, BlogConfig, DcganConfig, Discriminator, Generator, ImageShape, Init,
    Initialization, MlpConfig, ModelError, NetworkConfig, Networks, apply_named_tensors, from_safetensors,
    named_tensors, step_operations, to_safetensors,
};
use ganvas_training::count_parameters;

use crate::{
    B, Inner, ON_CUBECL, device,
    golden::{pattern_tensor, values},
};

const GREY: ImageShape = ImageShape::new(1, 28, 28);

/// A backend on the device under test.
trait Here: Backend<Device = burn::tensor::Device<B>> {}
impl<X: Backend<Device = burn::tensor::Device<B>>> Here for X {}

fn try_generator<X: Here>(config: &NetworkConfig, image: ImageShape, seed: u64) -> Result<AnyGenerator<X>, ModelError> {
    let (mut rng, device) = (keyed_rng(seed, Purpose::GeneratorWeights, 0), device());
    config.generator(image.into(), &mut Init::new(&mut rng, &device))
}

fn generator<X: Here>(config: &NetworkConfig, image: ImageShape) -> AnyGenerator<X> {
    try_generator(config, image, 5).unwrap()
}

fn discriminator<X: Here>(config: &NetworkConfig, image: ImageShape) -> AnyDiscriminator<X> {
    let (mut rng, device) = (keyed_rng(5, Purpose::DiscriminatorWeights, 0), device());
    config
        .discriminator(image.into(), &mut Init::new(&mut rng, &device))
        .unwrap()
}

fn blog() -> NetworkConfig {
    BlogConfig::default().into()
}

fn dcgan(base_channels: usize) -> NetworkConfig {
    let config = DcganConfig {
        base_channels,
        ..DcganConfig::default()
    };
    config.into()
}

fn mlp(hidden_sizes: &[usize]) -> NetworkConfig {
    let config = MlpConfig {
        hidden_sizes: hidden_sizes.to_vec(),
        ..MlpConfig::default()
    };
    config.into()
}

fn every_network() -> Vec<(NetworkConfig, ImageShape)> {
    let mut configs = vec![(blog(), GREY)];
    let shapes = [
        GREY,
        ImageShape::new(3, 16, 64),
        ImageShape::new(3, 28, 28),
        ImageShape::new(1, 32, 32),
        ImageShape::new(3, 32, 32),
        ImageShape::new(1, 20, 20),
        ImageShape::new(1, 28, 32),
    ];
    // Each has kernels of its own, which a software adapter compiles for seconds.
    for shape in shapes.into_iter().take(if ON_CUBECL { 2 } else { 7 }) {
        configs.push((dcgan(4), shape));
        configs.push((mlp(&[8]), shape));
    }
    configs.push((mlp(&[8]), ImageShape::new(2, 5, 7)));
    configs
}

#[test]
fn every_network_makes_and_judges_images_of_its_shape() {
    for (config, image) in every_network() {
        let [channels, height, width] = image.dims();
        let network = generator::<Inner>(&config, image);
        assert_eq!(network.image_shape(), image);
        let z = pattern_tensor::<Inner, 2>(1, 1.0, [3, network.latent_size()], &device());
        let images = network.forward(z, None);
        assert_eq!(images.dims(), [3, channels, height, width], "{config:?}");
        let discriminator = discriminator::<Inner>(&config, image);
        assert_eq!(discriminator.image_shape(), image);
        assert_eq!(discriminator.forward(images, None).dims(), [3, 1], "{config:?}");
    }
}

#[test]
fn costs_are_those_of_the_hand_count() {
    let cost = |config: &NetworkConfig, image| {
        let (generator, discriminator) = (generator::<Inner>(config, image), discriminator::<Inner>(config, image));
        (generator.cost(&device()), discriminator.cost(&device()))
    };
    let (of_generator, of_discriminator) = cost(&blog(), GREY);
    let expected = [460_800, 10_616_832, 6_422_528, 6_422_528, 50_176];
    assert_eq!(of_generator.layers, expected);
    assert_eq!(of_discriminator.layers, [173_056, 2_097_152, 524_288, 256]);
    // 94 million multiply-adds an image.
    let image = step_operations(&of_generator, &of_discriminator, 1, 1, 0.0) / 2.0;
    assert!((93e6..95e6).contains(&image), "{image}");
    let batch = step_operations(&of_generator, &of_discriminator, 256, 1, 0.0);
    assert_eq!(batch, 2.0 * 256.0 * image);
    // The two networks of a dcgan mirror each other.
    for image in [
        ImageShape::new(3, 28, 28),
        ImageShape::new(1, 32, 32),
        ImageShape::new(1, 28, 32),
    ] {
        let (of_generator, of_discriminator) = cost(&dcgan(8), image);
        let reversed: Vec<u64> = of_generator.layers[1..].iter().rev().copied().collect();
        let (_, convolutions) = of_discriminator.layers.split_last().unwrap();
        assert_eq!(reversed, convolutions);
    }
    let (of_generator, of_discriminator) = cost(&mlp(&[8, 16]), GREY);
    assert_eq!(of_generator.layers, [100 * 8, 8 * 16, 16 * 784]);
    assert_eq!(of_discriminator.layers, [784 * 16, 16 * 8, 8]);
}

#[test]
fn the_blogs_networks_have_keras_parameter_counts() {
    // What Keras' `summary()` calls trainable.
    let config = blog();
    let expected = 465_408 + (1_179_904 + 512) + (131_200 + 256) + 32_832 + 65;
    assert_eq!(count_parameters::<B, _>(&generator::<B>(&config, GREY)), expected);
    let discriminator = discriminator::<B>(&config, GREY);
    let expected = (1_088 + 128) + (131_200 + 256) + 524_544 + 257;
    assert_eq!(count_parameters::<B, _>(&discriminator), expected);
}

#[test]
fn impossible_networks_are_refused_by_name() {
    let no_latent = MlpConfig {
        latent_size: 0,
        ..MlpConfig::default()
    };
    for (config, image, key) in [
        (blog(), ImageShape::new(1, 32, 32), "`image` is 1×32×32"),
        (dcgan(4), ImageShape::new(1, 27, 28), "`image` is 1×27×28"),
        (dcgan(4), ImageShape::new(1, 12, 28), "`image` is 1×12×28"),
        (dcgan(4), ImageShape::new(2, 28, 28), "`image` is 2×28×28"),
        (dcgan(0), GREY, "`base_channels` is 0"),
        (dcgan(4096), GREY, "`base_channels` is 4096, expected 1 to 2048"),
        (mlp(&[]), GREY, "`hidden_sizes` is none"),
        (no_latent.into(), GREY, "`latent_size` is 0"),
    ] {
        let error = try_generator::<Inner>(&config, image, 0).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn a_limit_keeps_networks_small() {
    let (mut rng, device) = (keyed_rng(0, Purpose::GeneratorWeights, 0), device());
    // 1.4 gigabytes, had it no limit.
    let config = mlp(&[16_384, 16_384]);
    let mut init = Init::<Inner>::new(&mut rng, &device).with_limit(1_000_000);
    config.generator(GREY.into(), &mut init).unwrap();
    assert!(matches!(init.check(), Err(ModelError::TooLarge { limit: 1_000_000 })));
    // As many as there are is enough, one less is not: running statistics count.
    let values =
        |tensors: Vec<ganvas_model::NamedTensor>| tensors.iter().map(|tensor| tensor.values.len()).sum::<usize>();
    let count = values(named_tensors(&generator::<Inner>(&dcgan(4), GREY))) as u64;
    for (limit, is_enough) in [(count, true), (count - 1, false)] {
        let mut init = Init::<Inner>::new(&mut rng, &device).with_limit(limit);
        dcgan(4).generator(GREY.into(), &mut init).unwrap();
        assert_eq!(init.check().is_ok(), is_enough);
    }
}

#[test]
fn first_weights_have_the_spread_of_their_initialization() {
    let deviation = |initialization, name: &str| {
        let config = BlogConfig {
            initialization,
            ..BlogConfig::default()
        };
        let tensor = named_tensors(&generator::<Inner>(&config.into(), GREY))
            .into_iter()
            .find(|tensor| tensor.name == name)
            .unwrap();
        let count = tensor.values.len() as f64;
        let mean = tensor.values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let variance = tensor
            .values
            .iter()
            .map(|&value| (f64::from(value) - mean).powi(2))
            .sum::<f64>()
            / count;
        assert!(mean.abs() < 1e-3, "{name} has mean {mean}");
        variance.sqrt()
    };
    let assert_spread =
        |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 0.02, "{found}, {expected}");
    // A uniform distribution of ±limit has deviation limit / √3.
    let glorot = (6.0f64 / ((512.0 + 256.0) * 9.0)).sqrt() / 3f64.sqrt();
    assert_spread(deviation(Initialization::GlorotUniform, "conv1.weight"), glorot);
    assert_spread(deviation(Initialization::Dcgan, "conv1.weight"), 0.02);
    assert_spread(deviation(Initialization::He, "linear.weight"), (2.0f64 / 100.0).sqrt());
    // A quarter of nine taps meets in each pixel, of each of 512 channels.
    assert_spread(
        deviation(Initialization::He, "conv1.weight"),
        (2.0 / (512.0 * 9.0 / 4.0f64)).sqrt(),
    );
}

#[test]
fn a_forward_pass_moves_no_statistic_and_its_updates_move_them_by_the_momentum() {
    let network = generator::<B>(&blog(), GREY);
    let pass = || {
        let z = pattern_tensor::<B, 2>(1, 1.0, [4, 100], &device());
        network.forward_training(z, None).1
    };
    // Mean and variance of two layers; none at inference.
    assert_eq!(pass().len(), 4);
    let statistic = |network: &AnyGenerator<B>, name: &str| {
        named_tensors(network)
            .into_iter()
            .find(|tensor| tensor.name == name)
            .unwrap()
            .values
    };
    assert!(
        statistic(&network, "norm1.running_mean")
            .iter()
            .all(|&value| value == 0.0)
    );
    let moved = pass().apply(network.clone());
    let mean = statistic(&moved, "norm1.running_mean");
    assert!(mean.iter().any(|&value| value != 0.0));
    // running = 0.99 · running + 0.01 · batch, twice with the same batch.
    let twice = {
        let mut updates = pass();
        updates.append(pass());
        statistic(&updates.apply(network.clone()), "norm1.running_mean")
    };
    for (once, twice) in mean.iter().zip(&twice) {
        assert!(
            (twice - 1.99 * once).abs() <= 1e-6 + once.abs() * 1e-4,
            "{once} became {twice}"
        );
    }
}

#[test]
fn at_inference_an_image_does_not_depend_on_its_neighbours() {
    let network = generator::<B>(&dcgan(4), GREY);
    let z = pattern_tensor::<Inner, 2>(1, 1.0, [3, 100], &device());
    let together = values(network.valid().forward(z.clone(), None).narrow(0, 0, 1));
    let alone = values(network.valid().forward(z.narrow(0, 0, 1), None));
    for (together, alone) in together.iter().zip(&alone) {
        assert!((together - alone).abs() < 1e-5, "{together} and {alone}");
    }
}

#[test]
fn weights_go_through_safetensors_unchanged() {
    for (config, image) in every_network() {
        let network = generator::<Inner>(&config, image);
        let bytes = to_safetensors(&named_tensors(&network), []).unwrap();
        let other = try_generator::<Inner>(&config, image, 99).unwrap();
        assert_ne!(named_tensors(&other), named_tensors(&network));
        let loaded = apply_named_tensors(other, from_safetensors(&bytes).unwrap()).unwrap();
        assert_eq!(named_tensors(&loaded), named_tensors(&network), "{config:?}");
    }
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let (small, large) = (dcgan(4), dcgan(8));
    let load = |tensors| {
        apply_named_tensors(generator::<Inner>(&small, GREY), tensors)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let error = load(named_tensors(&generator::<Inner>(&large, GREY)));
    assert!(
        error.contains("tensor `linear.weight` has shape [784, 100], expected [392, 100]"),
        "{error}"
    );
    let mut tensors = named_tensors(&generator::<Inner>(&small, GREY));
    let last = tensors.pop().unwrap();
    assert!(load(tensors.clone()).contains(&format!("tensor `{}` is missing", last.name)));
    let stranger = ganvas_model::NamedTensor {
        name: "stranger".into(),
        ..last.clone()
    };
    tensors.extend([last, stranger]);
    assert!(load(tensors).contains("tensor `stranger` does not belong"));
}

#[test]
fn an_average_follows_its_generator() {
    use ganvas_training::{Ema, EmaRate};
    let config = mlp(&[4]);
    let start = generator::<B>(&config, GREY);
    let goal = try_generator::<B>(&config, GREY, 6).unwrap();
    let first = |network: &AnyGenerator<Inner>| f64::from(named_tensors(network)[0].values[0]);
    let (from, to) = (first(&start.valid()), first(&goal.valid()));
    let mut ema = Ema::new::<B>(&start, EmaRate::Decay(0.9));
    let mut expected = from;
    for step in 1..=40u64 {
        ema = ema.update::<B, _>(&goal, step);
        let decay = 0.9f64.min((1.0 + step as f64) / (10.0 + step as f64));
        expected = decay * expected + (1.0 - decay) * to;
    }
    crate::assert_near(
        "the average",
        first(&ema.generator),
        expected,
        to.abs().max(from.abs()),
        1e-5,
    );
}

/// Keeps the type of a tensor in sight: what goes in comes out on the backend without gradients.
#[test]
fn valid_networks_run_without_gradients() {
    let images: Tensor<Inner, 4> = generator::<B>(&mlp(&[4]), GREY)
        .valid()
        .forward(pattern_tensor(1, 1.0, [2, 100], &device()), None);
    assert!(values(images).iter().all(|value| value.abs() <= 1.0));
}
