//! Gradients against finite differences, through whole networks.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    Discriminator, Generator, ImageShape, Initialization, Loss, NamedTensor, NetworkConfig, NetworkKind,
    apply_named_tensors, named_tensors,
};
use ganvas_training::{discriminator_gradients, generator_gradients};

use crate::{
    B, assert_near, device,
    golden::{pattern, pattern_tensor, values},
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

/// A direction for every parameter; running statistics stay, they are no part of the loss.
fn direction<M: Module<B>>(module: &M) -> Vec<Vec<f64>> {
    named_tensors(module)
        .iter()
        .enumerate()
        .map(|(index, tensor)| {
            let still = tensor.name.contains("running_");
            let scale = if still { 0.0 } else { 1.0 };
            pattern(700 + index as u32, tensor.values.len())
                .into_iter()
                .map(|u| u * scale)
                .collect()
        })
        .collect()
}

fn scalar<B: Backend>(tensor: Tensor<B, 1>) -> f64 {
    f64::from(values(tensor)[0])
}

fn projected<M: Module<B>>(module: &M, gradients: &burn::optim::GradientsParams, direction: &[Vec<f64>]) -> f64 {
    use burn::module::{ModuleVisitor, Param};
    struct Visitor<'a> {
        gradients: &'a burn::optim::GradientsParams,
        direction: std::slice::Iter<'a, Vec<f64>>,
        sum: f64,
    }
    impl ModuleVisitor<B> for Visitor<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            let direction = self.direction.next().expect("a direction for every parameter");
            if let Some(gradient) = self.gradients.get::<crate::Inner, D>(param.id) {
                self.sum += values(gradient)
                    .iter()
                    .zip(direction)
                    .map(|(&g, &d)| f64::from(g) * d)
                    .sum::<f64>();
            }
        }
    }
    let mut visitor = Visitor {
        gradients,
        direction: direction.iter(),
        sum: 0.0,
    };
    module.visit(&mut visitor);
    visitor.sum
}

fn networks(kind: NetworkKind, shape: ImageShape) -> (Generator<B>, Discriminator<B>, usize) {
    let config = NetworkConfig::new(kind, shape)
        .with_base_channels(4)
        .with_hidden_sizes(vec![12, 16])
        .with_latent_size(6)
        // Wider than DCGAN's own, so that the differences stand above the rounding of f32.
        .with_initialization(Initialization::He);
    let generator = config
        .generator(&mut keyed_rng(3, Purpose::GeneratorWeights, 0), &device())
        .unwrap();
    let discriminator = config
        .discriminator(&mut keyed_rng(3, Purpose::DiscriminatorWeights, 0), &device())
        .unwrap();
    (generator, discriminator, config.latent_size)
}

/// Half the distance of a difference. An f32 loss of about 1 is good to 1e-7, so a slope to 5e-4; wider differences cross
/// the kinks of too many ReLUs.
const WIDTH: f64 = 1e-4;

fn check(kind: NetworkKind, shape: ImageShape, loss: Loss) {
    let (generator, discriminator, latent) = networks(kind, shape);
    let z = pattern_tensor::<B, 2>(1, 1.7, [5, latent], &device());
    let [channels, height, width] = shape.dims();
    let real = pattern_tensor::<B, 4>(2, 1.0, [4, channels, height, width], &device());
    let name = format!("{kind:?} {channels}×{height}×{width} {loss:?}");

    let along = direction(&discriminator);
    let fake = generator.forward(z.clone());
    let found = discriminator_gradients(&discriminator, loss, real.clone(), fake.clone());
    let analytic = projected(&discriminator, &found.gradients, &along);
    let numeric = slope(&discriminator, &along, WIDTH, |discriminator| {
        scalar(discriminator_gradients(&discriminator, loss, real.clone(), fake.clone()).loss)
    });
    assert_near(
        &format!("slope of the discriminator of {name}"),
        analytic,
        numeric,
        numeric.abs().max(0.1),
        0.02,
    );

    let along = direction(&generator);
    let found = generator_gradients(&generator, &discriminator, loss, fake);
    let analytic = projected(&generator, &found.gradients, &along);
    let numeric = slope(&generator, &along, WIDTH, |generator| {
        scalar(generator_gradients(&generator, &discriminator, loss, generator.forward(z.clone())).loss)
    });
    assert_near(
        &format!("slope of the generator of {name}"),
        analytic,
        numeric,
        numeric.abs().max(0.1),
        0.02,
    );
}

#[test]
fn gradients_of_every_network_and_loss_are_slopes() {
    for loss in [Loss::NonSaturating, Loss::Minimax] {
        check(NetworkKind::Mlp, ImageShape::new(1, 28, 28), loss);
        check(NetworkKind::Dcgan, ImageShape::new(1, 28, 28), loss);
        check(NetworkKind::Dcgan, ImageShape::new(3, 32, 32), loss);
    }
}
