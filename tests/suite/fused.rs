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
    B, Inner, assert_near, device,
    golden::{pattern_tensor, values},
    three_steps::gradient_values,
};

/// The backend under test without fused layers.
type Plain = Autodiff<Inner, BalancedCheckpointing>;

/// What a pass through both networks gives, by name.
fn pass<A>(kind: NetworkKind, image: ImageShape) -> Vec<(String, Vec<f32>)>
where
    A: AutodiffBackend<InnerBackend = Inner> + BackendTypes<Device = Device<B>>,
{
    let network = NetworkConfig::new(kind, image)
        .with_latent_size(7)
        .with_base_channels(6)
        .with_hidden_sizes(vec![11, 9]);
    let mut rng = keyed_rng(5, Purpose::GeneratorWeights, 0);
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

#[test]
fn fused_layers_agree_with_burns_operations() {
    for (kind, image) in [
        (NetworkKind::Blog, ImageShape::new(1, 28, 28)),
        (NetworkKind::Dcgan, ImageShape::new(1, 28, 28)),
        (NetworkKind::Dcgan, ImageShape::new(3, 32, 32)),
        (NetworkKind::Mlp, ImageShape::new(1, 28, 28)),
    ] {
        let (fused, plain) = (pass::<B>(kind, image), pass::<Plain>(kind, image));
        assert_eq!(fused.len(), plain.len());
        for ((name, fused), (_, plain)) in fused.into_iter().zip(plain) {
            assert_eq!(fused.len(), plain.len(), "{name}");
            let scale = plain.iter().fold(1e-4_f32, |scale, value| scale.max(value.abs()));
            for (fused, plain) in fused.into_iter().zip(plain) {
                let what = format!("{name} of {kind:?} {image:?}");
                assert_near(&what, f64::from(fused), f64::from(plain), f64::from(scale), 2e-4);
            }
        }
    }
}
