//! Gradients against finite differences, through whole networks.

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Tensor, backend::Backend},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    AdversarialLoss, AnyDiscriminator, AnyGenerator, Batch, DcganConfig, Generator, ImageShape, Init, Initialization,
    MlpConfig, NamedTensor, NetworkConfig, Networks, Report, ResnetConfig, apply_named_tensors, named_tensors,
};
use ganvas_training::{discriminator_gradients, generator_gradients};

use crate::{
    B, ON_CUBECL, assert_near, device,
    golden::{pattern_tensor, values},
    three_steps::gradient_values,
};

/// The change of `loss` along a direction over a step of twice `width`.
fn slope<M: Module<B>>(module: &M, direction: &[Vec<f64>], width: f64, loss: impl Fn(M) -> f64) -> f64 {
    let moved = |sign: f64| {
        let tensors = named_tensors(module)
            .into_iter()
            .zip(direction)
            .map(|(tensor, direction)| NamedTensor {
                values: tensor
                    .values
                    .iter()
                    .zip(direction)
                    .map(|(&value, &direction)| (f64::from(value) + sign * width * direction) as f32)
                    .collect(),
                ..tensor
            })
            .collect();
        loss(apply_named_tensors(module.clone(), tensors).unwrap())
    };
    (moved(1.0) - moved(-1.0)) / (2.0 * width)
}

fn scalar<B: Backend>(tensor: Tensor<B, 1>) -> f64 {
    f64::from(values(tensor)[0])
}

/// The gradient as a direction of length 1, and its length, which is the slope along it.
fn steepest<M: Module<B>>(module: &M, gradients: &GradientsParams) -> (Vec<Vec<f64>>, f64) {
    let gradients = gradient_values(module, gradients);
    let flat = || gradients.iter().flatten().flatten().map(|&value| f64::from(value));
    let length = flat().map(|value| value * value).sum::<f64>().sqrt();
    let direction = named_tensors(module)
        .iter()
        .zip(&gradients)
        .map(|(tensor, gradient)| match gradient {
            Some(gradient) => gradient.iter().map(|&value| f64::from(value) / length).collect(),
            // Running statistics are no part of the loss.
            None => vec![0.0; tensor.values.len()],
        })
        .collect();
    (direction, length)
}

const LATENT: usize = 6;

// Wider than DCGAN's own, so that the differences stand above the rounding of f32.
const INITIALIZATION: Initialization = Initialization::He;

fn dcgan() -> NetworkConfig {
    let config = DcganConfig {
        latent_size: LATENT,
        base_channels: 4,
        initialization: INITIALIZATION,
        ..DcganConfig::default()
    };
    config.into()
}

fn mlp() -> NetworkConfig {
    let config = MlpConfig {
        latent_size: LATENT,
        hidden_sizes: vec![12, 16],
        initialization: INITIALIZATION,
    };
    config.into()
}

fn resnet() -> NetworkConfig {
    let config = ResnetConfig {
        latent_size: LATENT,
        base_channels: 4,
        most_channels: 8,
        ..ResnetConfig::default()
    };
    config.into()
}

fn networks(config: &NetworkConfig, shape: ImageShape) -> (AnyGenerator<B>, AnyDiscriminator<B>) {
    let device = device();
    let mut rng = keyed_rng(3, Purpose::GeneratorWeights, 0);
    let generator = config
        .generator(shape.into(), &mut Init::new(&mut rng, &device))
        .unwrap();
    let mut rng = keyed_rng(3, Purpose::DiscriminatorWeights, 0);
    let discriminator = config
        .discriminator(shape.into(), &mut Init::new(&mut rng, &device))
        .unwrap();
    (generator, discriminator)
}

/// Half the distance of a difference. The loss is good to 1e-7 and the slopes are 0.1 and more, so differences of 1e-4 and
/// more are good to a thousandth; wider ones cross the kinks of too many ReLUs.
const WIDTH: f64 = 1e-3;

fn check(config: &NetworkConfig, shape: ImageShape, loss: AdversarialLoss) {
    let (generator, discriminator) = networks(config, shape);
    let [channels, height, width] = shape.dims();
    let batch = Batch {
        images: pattern_tensor::<B, 4>(2, 1.0, [4, channels, height, width], &device()),
        labels: None,
        fake_labels: None,
        strength: Default::default(),
        z: pattern_tensor::<B, 2>(1, 1.7, [5, LATENT], &device()),
        number: 0,
        seed: 0,
    };
    let _lock = crate::lock();
    let name = format!("{config:?} {shape} {loss:?}");
    let generate = |generator: &AnyGenerator<B>| generator.forward_training(batch.z.clone(), None).0;
    let of_discriminator = |discriminator: &AnyDiscriminator<B>, fake| {
        let report = &mut Report::default();
        discriminator_gradients::<B, AnyGenerator<B>, _>(discriminator, &loss, &batch, fake, report)
    };
    let of_generator = |generator: &AnyGenerator<B>, fake| {
        generator_gradients(generator, &discriminator, &loss, &batch, fake, &mut Report::default())
    };

    let fake = generate(&generator);
    let found = of_discriminator(&discriminator, fake.clone());
    let (along, analytic) = steepest(&discriminator, &found.gradients);
    let numeric = slope(&discriminator, &along, WIDTH, |discriminator| {
        scalar(of_discriminator(&discriminator, fake.clone()).loss)
    });
    assert_near(
        &format!("slope of the discriminator of {name}"),
        analytic,
        numeric,
        numeric.abs(),
        0.02,
    );

    let found = of_generator(&generator, fake);
    let (along, analytic) = steepest(&generator, &found.gradients);
    let numeric = slope(&generator, &along, WIDTH, |generator| {
        let fake = generate(&generator);
        scalar(of_generator(&generator, fake).loss)
    });
    assert_near(
        &format!("slope of the generator of {name}"),
        analytic,
        numeric,
        numeric.abs(),
        0.02,
    );
}

#[test]
fn gradients_of_every_network_and_loss_are_slopes() {
    for loss in [
        AdversarialLoss::NonSaturating,
        AdversarialLoss::Minimax,
        AdversarialLoss::Hinge,
        AdversarialLoss::LeastSquares,
        AdversarialLoss::Wasserstein,
        AdversarialLoss::Relativistic,
        AdversarialLoss::RelativisticAverage,
    ] {
        check(&mlp(), ImageShape::new(1, 28, 28), loss);
        // A loss meets logits alone, and a software adapter takes long for convolutions.
        if ON_CUBECL && loss != AdversarialLoss::NonSaturating {
            continue;
        }
        check(&dcgan(), ImageShape::new(1, 28, 28), loss);
        if !ON_CUBECL {
            check(&dcgan(), ImageShape::new(3, 32, 32), loss);
        }
    }
    if !ON_CUBECL {
        check(&resnet(), ImageShape::new(1, 28, 28), AdversarialLoss::Relativistic);
    }
    check(&resnet(), ImageShape::new(3, 16, 24), AdversarialLoss::NonSaturating);
}
