//! Networks: shapes, names, statistics.

use burn::{
    module::AutodiffModule,
    tensor::{Tensor, backend::Backend},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    Generator, ImageShape, Initialization, NetworkConfig, NetworkKind, apply_named_tensors, from_safetensors,
    named_tensors, to_safetensors,
};
use ganvas_training::count_parameters;

use crate::{
    B, Inner, device,
    golden::{pattern_tensor, values},
};

fn generator<X: Backend<Device = burn::tensor::Device<B>>>(config: &NetworkConfig) -> Generator<X> {
    config
        .generator(&mut keyed_rng(5, Purpose::GeneratorWeights, 0), &device())
        .unwrap()
}

fn every_network() -> Vec<NetworkConfig> {
    let grey = ImageShape::new(1, 28, 28);
    let mut configs = vec![NetworkConfig::new(NetworkKind::Blog, grey)];
    for shape in [
        grey,
        ImageShape::new(3, 28, 28),
        ImageShape::new(1, 32, 32),
        ImageShape::new(3, 32, 32),
    ] {
        configs.push(NetworkConfig::new(NetworkKind::Dcgan, shape).with_base_channels(4));
        configs.push(NetworkConfig::new(NetworkKind::Mlp, shape).with_hidden_sizes(vec![8]));
    }
    configs
}

#[test]
fn every_network_makes_and_judges_images_of_its_shape() {
    for config in every_network() {
        let ImageShape {
            channels,
            height,
            width,
        } = config.image;
        let z = pattern_tensor::<Inner, 2>(1, 1.0, [3, config.latent_size], &device());
        let images = generator::<Inner>(&config).forward(z);
        assert_eq!(images.dims(), [3, channels, height, width], "{config:?}");
        let discriminator = config
            .discriminator::<Inner>(&mut keyed_rng(5, Purpose::DiscriminatorWeights, 0), &device())
            .unwrap();
        assert_eq!(discriminator.forward(images).dims(), [3, 1], "{config:?}");
    }
}

#[test]
fn the_blogs_networks_have_keras_parameter_counts() {
    // What Keras' `summary()` calls trainable.
    let config = NetworkConfig::new(NetworkKind::Blog, ImageShape::new(1, 28, 28));
    let expected = 465_408 + (1_179_904 + 512) + (131_200 + 256) + 32_832 + 65;
    assert_eq!(count_parameters::<B, _>(&generator::<B>(&config)), expected);
    let discriminator = config
        .discriminator::<B>(&mut keyed_rng(5, Purpose::DiscriminatorWeights, 0), &device())
        .unwrap();
    let expected = (1_088 + 128) + (131_200 + 256) + 524_544 + 257;
    assert_eq!(count_parameters::<B, _>(&discriminator), expected);
}

#[test]
fn impossible_networks_are_refused_by_name() {
    let refused = |config: NetworkConfig| config.generator::<Inner>(&mut keyed_rng(0, Purpose::Noise, 0), &device());
    let grey = ImageShape::new(1, 28, 28);
    for (config, key) in [
        (
            NetworkConfig::new(NetworkKind::Blog, ImageShape::new(1, 32, 32)),
            "`image` is 1×32×32",
        ),
        (
            NetworkConfig::new(NetworkKind::Dcgan, ImageShape::new(1, 27, 28)),
            "`image` is 1×27×28",
        ),
        (
            NetworkConfig::new(NetworkKind::Dcgan, ImageShape::new(2, 28, 28)),
            "`image` is 2×28×28",
        ),
        (
            NetworkConfig::new(NetworkKind::Dcgan, grey).with_base_channels(0),
            "`base_channels` is 0",
        ),
        (
            NetworkConfig::new(NetworkKind::Mlp, grey).with_hidden_sizes(vec![]),
            "`hidden_sizes` is []",
        ),
        (
            NetworkConfig::new(NetworkKind::Mlp, grey).with_latent_size(0),
            "`latent_size` is 0",
        ),
    ] {
        let error = refused(config).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn first_weights_have_the_spread_of_their_initialization() {
    let grey = ImageShape::new(1, 28, 28);
    let deviation = |initialization, name: &str| {
        let config = NetworkConfig::new(NetworkKind::Blog, grey).with_initialization(initialization);
        let tensor = named_tensors(&generator::<Inner>(&config))
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
fn a_forward_pass_moves_no_statistic_and_tracking_moves_them_by_the_momentum() {
    let config = NetworkConfig::new(NetworkKind::Blog, ImageShape::new(1, 28, 28));
    let network = generator::<B>(&config);
    let z = pattern_tensor::<B, 2>(1, 1.0, [4, 100], &device());
    let (_, seen) = network.forward_training(z);
    assert_eq!(seen.len(), 2);
    let statistic = |network: &Generator<B>, name: &str| {
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
    let moved = network.clone().track(seen.clone());
    let mean = statistic(&moved, "norm1.running_mean");
    assert!(mean.iter().any(|&value| value != 0.0));
    // running = 0.99 · running + 0.01 · batch, twice with the same batch.
    let twice = statistic(&moved.track(seen), "norm1.running_mean");
    for (once, twice) in mean.iter().zip(&twice) {
        assert!(
            (twice - 1.99 * once).abs() <= 1e-6 + once.abs() * 1e-4,
            "{once} became {twice}"
        );
    }
}

#[test]
fn at_inference_an_image_does_not_depend_on_its_neighbours() {
    let config = NetworkConfig::new(NetworkKind::Dcgan, ImageShape::new(1, 28, 28)).with_base_channels(4);
    let network = generator::<B>(&config);
    let z = pattern_tensor::<Inner, 2>(1, 1.0, [3, 100], &device());
    let together = values(network.valid().forward(z.clone()).narrow(0, 0, 1));
    let alone = values(network.valid().forward(z.narrow(0, 0, 1)));
    for (together, alone) in together.iter().zip(&alone) {
        assert!((together - alone).abs() < 1e-5, "{together} and {alone}");
    }
}

#[test]
fn weights_go_through_safetensors_unchanged() {
    for config in every_network() {
        let network = generator::<Inner>(&config);
        let bytes = to_safetensors(&named_tensors(&network), []).unwrap();
        let mut rng = keyed_rng(99, Purpose::GeneratorWeights, 0);
        let other = config.generator::<Inner>(&mut rng, &device()).unwrap();
        assert_ne!(named_tensors(&other), named_tensors(&network));
        let loaded = apply_named_tensors(other, from_safetensors(&bytes).unwrap()).unwrap();
        assert_eq!(named_tensors(&loaded), named_tensors(&network), "{config:?}");
    }
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let grey = ImageShape::new(1, 28, 28);
    let small = NetworkConfig::new(NetworkKind::Dcgan, grey).with_base_channels(4);
    let large = NetworkConfig::new(NetworkKind::Dcgan, grey).with_base_channels(8);
    let load = |tensors| {
        apply_named_tensors(generator::<Inner>(&small), tensors)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let error = load(named_tensors(&generator::<Inner>(&large)));
    assert!(
        error.contains("tensor `linear.weight` has shape [784, 100], expected [392, 100]"),
        "{error}"
    );
    let mut tensors = named_tensors(&generator::<Inner>(&small));
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
    use ganvas_training::Ema;
    let config = NetworkConfig::new(NetworkKind::Mlp, ImageShape::new(1, 28, 28)).with_hidden_sizes(vec![4]);
    let start = generator::<B>(&config);
    let goal = config
        .generator::<B>(&mut keyed_rng(6, Purpose::GeneratorWeights, 0), &device())
        .unwrap();
    let first = |network: &Generator<Inner>| f64::from(named_tensors(network)[0].values[0]);
    let (from, to) = (first(&start.valid()), first(&goal.valid()));
    let mut ema = Ema::new(&start, 0.9);
    let mut expected = from;
    for step in 1..=40u64 {
        ema = ema.update(&goal, step);
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
    let config = NetworkConfig::new(NetworkKind::Mlp, ImageShape::new(1, 28, 28)).with_hidden_sizes(vec![4]);
    let images: Tensor<Inner, 4> = generator::<B>(&config)
        .valid()
        .forward(pattern_tensor(1, 1.0, [2, 100], &device()));
    assert!(values(images).iter().all(|value| value.abs() <= 1.0));
}
