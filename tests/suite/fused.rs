//! Layers in one piece against the same layers in Burn's operations.
//!
//! `ganvas_backend` gives the processor backends fused layers by the type of the backend. The same backend with another checkpointing
//! strategy is another type, computes the same, and is given none.

use burn::{
    module::AutodiffModule,
    tensor::{
        Device,
        backend::{AutodiffBackend, BackendTypes},
    },
};
use burn_autodiff::{Autodiff, checkpoint::strategy::BalancedCheckpointing};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{Discriminator, ImageShape, Loss, NetworkConfig, NetworkKind};
use ganvas_training::{discriminator_gradients, generator_gradients};

use crate::{
    B, Inner, device,
    golden::{pattern_tensor, values},
    three_steps::gradient_values,
};

/// The backend under test without fused layers.
type Plain = Autodiff<Inner, BalancedCheckpointing>;

/// What a pass through both networks gives, by name.
fn pass<A>(kind: NetworkKind, image: ImageShape, seed: u64) -> Vec<(String, Vec<f32>)>
where
    A: AutodiffBackend<InnerBackend = Inner> + BackendTypes<Device = Device<B>>,
{
    let network = NetworkConfig::new(kind, image)
        .with_latent_size(7)
        .with_base_channels(6)
        .with_hidden_sizes(vec![11, 9]);
    let mut rng = keyed_rng(seed, Purpose::GeneratorWeights, 0);
    let generator = network.generator::<A>(&mut rng, &device()).unwrap();
    let discriminator = network.discriminator::<A>(&mut rng, &device()).unwrap();
    let z = pattern_tensor::<A, 2>(1, 1.0, [3, 7], &device());
    let real = pattern_tensor::<A, 4>(2, 1.0, [3, image.channels, image.height, image.width], &device());

    let (fake, seen) = generator.forward_training(z.clone());
    let mut found = vec![("images".to_owned(), values(fake.clone().inner()))];
    let of_discriminator = discriminator_gradients(&discriminator, Loss::NonSaturating, real, fake.clone());
    let of_generator = generator_gradients(&generator, &discriminator, Loss::NonSaturating, fake);
    found.push((
        "losses".to_owned(),
        [of_discriminator.loss, of_generator.loss]
            .map(|loss| values(loss)[0])
            .to_vec(),
    ));
    for (name, gradients) in [
        ("G", gradient_values::<A, _>(&generator, &of_generator.gradients)),
        (
            "D",
            gradient_values::<A, _>(&discriminator, &of_discriminator.gradients),
        ),
    ] {
        let gradients = gradients.into_iter().enumerate();
        found.extend(
            gradients.map(|(index, values)| (format!("{name}'s gradient {index}"), values.unwrap_or_default())),
        );
    }
    let generator = generator.track(seen);
    let discriminator = of_discriminator
        .seen
        .into_iter()
        .fold(discriminator, Discriminator::track);
    // Without gradients: running statistics.
    let sampled = generator.valid().forward(z.inner());
    found.push((
        "logits".to_owned(),
        values(discriminator.valid().forward(sampled.clone())),
    ));
    found.push(("sampled images".to_owned(), values(sampled)));
    found
}

/// The first difference beyond rounding between the two ways.
fn difference(kind: NetworkKind, image: ImageShape, seed: u64) -> Option<String> {
    let (fused, plain) = (pass::<B>(kind, image, seed), pass::<Plain>(kind, image, seed));
    assert_eq!(fused.len(), plain.len());
    fused.into_iter().zip(plain).find_map(|((name, fused), (_, plain))| {
        assert_eq!(fused.len(), plain.len(), "{name}");
        let scale = plain.iter().fold(1e-4_f32, |scale, value| scale.max(value.abs()));
        let worst = fused
            .iter()
            .zip(&plain)
            .map(|(fused, plain)| (fused - plain).abs() / scale)
            // A NaN is no number that is near.
            .fold(
                0.0_f32,
                |worst, difference| if difference <= worst { worst } else { difference },
            );
        let near = worst <= 2e-4;
        (!near).then(|| format!("{name} of {kind:?} {image:?}, seed {seed}: {worst:e} of the largest"))
    })
}

#[test]
fn fused_layers_agree_with_burns_operations() {
    for (kind, image) in [
        (NetworkKind::Blog, ImageShape::new(1, 28, 28)),
        (NetworkKind::Dcgan, ImageShape::new(1, 28, 28)),
        (NetworkKind::Dcgan, ImageShape::new(3, 32, 32)),
        (NetworkKind::Mlp, ImageShape::new(1, 28, 28)),
    ] {
        let differences: Vec<String> = (0..4).filter_map(|seed| difference(kind, image, seed)).collect();
        // A value that is zero but for rounding before a ReLU has its gradient or has none; that happens with one seed, not
        // with two of four.
        assert!(differences.len() <= 1, "{differences:#?}");
    }
}
