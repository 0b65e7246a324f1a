//! Objectives that add up, and what they report.

use burn::{
    module::Module,
    tensor::{Tensor, backend::AutodiffBackend},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    AdversarialLoss, AnyDiscriminator, AnyGenerator, Batch, BufferUpdates, Discriminator, DiscriminatorLoss, Generator,
    ImageShape, Init, MlpConfig, Networks, Objective, Report, WeightedSum,
};
use ganvas_training::{discriminator_gradients, generator_gradients};

use crate::{
    B, Inner, assert_near, device,
    golden::{pattern_tensor, values},
    three_steps::gradient_values,
};

/// Mean square of the logits: the drift penalty of progressive GANs (Karras et al., 2018, appendix A.1), on both batches.
#[derive(Debug)]
struct Drift;

impl<A: AutodiffBackend, G, D: Discriminator<A>> Objective<A, G, D> for Drift {
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<A>,
        fake: Tensor<A, 4>,
        report: &mut Report<A::InnerBackend>,
    ) -> DiscriminatorLoss<A> {
        let images = Tensor::cat(vec![batch.images.clone(), fake], 0);
        let loss = discriminator.forward_training(images, None).0.square().mean();
        report.report("penalty/drift", loss.clone().inner());
        report.report("penalty/weightless", 0.25);
        DiscriminatorLoss {
            loss,
            updates: BufferUpdates::default(),
        }
    }

    fn generator(
        &self,
        _generator: &G,
        _discriminator: &D,
        _batch: &Batch<A>,
        fake: Tensor<A, 4>,
        _report: &mut Report<A::InnerBackend>,
    ) -> Tensor<A, 1> {
        // Pixels instead of logits: something that only the generator's own image shows.
        fake.square().mean()
    }
}

type Sum<'a> = WeightedSum<'a, B, AnyGenerator<B>, AnyDiscriminator<B>>;

/// Losses and flat gradients of both networks, and what was reported.
type Found = ([f64; 2], [Vec<f32>; 2], Vec<(String, f64)>);

fn pass(objective: &Sum<'_>) -> Found {
    let config: ganvas_model::NetworkConfig = MlpConfig {
        latent_size: 6,
        hidden_sizes: vec![9, 12],
        ..MlpConfig::default()
    }
    .into();
    let (mut rng, device) = (keyed_rng(4, Purpose::GeneratorWeights, 0), device());
    let mut init = Init::<B>::new(&mut rng, &device);
    let image = ImageShape::new(1, 6, 5);
    let generator = config.generator(image.into(), &mut init).unwrap();
    let discriminator = config.discriminator(image.into(), &mut init).unwrap();
    let batch = Batch {
        images: pattern_tensor::<B, 4>(2, 1.0, [4, 1, 6, 5], &device),
        labels: None,
        fake_labels: None,
        strength: Default::default(),
        z: pattern_tensor::<B, 2>(1, 1.0, [4, 6], &device),
        number: 0,
        seed: 0,
    };
    let _lock = crate::lock();
    let mut report = Report::default();
    let (fake, _) = generator.forward_training(batch.z.clone(), None);
    let of_d = discriminator_gradients(&discriminator, objective, &batch, fake.clone(), &mut report);
    let of_g = generator_gradients(&generator, &discriminator, objective, &batch, fake, &mut report);
    let flat = |gradients: Vec<Option<Vec<f32>>>| gradients.into_iter().flatten().flatten().collect();
    let scalar = |loss: Tensor<Inner, 1>| f64::from(values(loss)[0]);
    (
        [scalar(of_d.loss), scalar(of_g.loss)],
        [
            flat(gradient_values(&discriminator, &of_d.gradients)),
            flat(gradient_values(&generator, &of_g.gradients)),
        ],
        report.read_with(Vec::new()).0,
    )
}

#[test]
fn a_weighted_sum_has_the_weighted_losses_gradients_and_all_numbers() {
    let loss = AdversarialLoss::NonSaturating;
    let (one, of_one, _) = pass(&Sum::new(loss));
    let (other, of_other, _) = pass(&Sum::new(Drift));
    // A sum is an objective itself, so it can be a part.
    let inner = Sum::new(Drift).and(2.0, Drift);
    let (found, of_found, numbers) = pass(&Sum::new(loss).and(0.5, inner));
    for network in 0..2 {
        let expected = one[network] + 1.5 * other[network];
        assert_near("the loss", found[network], expected, expected.abs(), 1e-5);
        assert!(of_found[network].len() > 100);
        for ((found, one), other) in of_found[network].iter().zip(&of_one[network]).zip(&of_other[network]) {
            let expected = f64::from(*one) + 1.5 * f64::from(*other);
            assert_near(
                "a gradient",
                f64::from(*found),
                expected,
                expected.abs().max(1e-2),
                1e-4,
            );
        }
    }
    let names: Vec<&str> = numbers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["logits/real", "logits/fake", "penalty/drift", "penalty/weightless"]
    );
    assert_eq!(numbers[3].1, 0.25);
    assert_near("the drift", numbers[2].1, other[0], other[0], 1e-5);
}

#[test]
#[should_panic = "the number `logits` is one value"]
fn a_number_of_several_values_is_refused() {
    Report::<Inner>::default().report("logits", Tensor::zeros([2], &device()));
}

#[test]
fn the_discriminator_needs_no_gradient_in_the_generators_loss() {
    #[derive(Debug)]
    struct Looks;
    impl<A: AutodiffBackend, G, D: Module<A>> Objective<A, G, D> for Looks {
        fn discriminator(
            &self,
            _discriminator: &D,
            _batch: &Batch<A>,
            fake: Tensor<A, 4>,
            _report: &mut Report<A::InnerBackend>,
        ) -> DiscriminatorLoss<A> {
            // The generator's graph does not come along.
            assert!(!fake.is_require_grad());
            let loss = Tensor::zeros([1], &fake.device()).require_grad();
            DiscriminatorLoss {
                loss,
                updates: BufferUpdates::default(),
            }
        }
        fn generator(
            &self,
            _generator: &G,
            discriminator: &D,
            _batch: &Batch<A>,
            fake: Tensor<A, 4>,
            _report: &mut Report<A::InnerBackend>,
        ) -> Tensor<A, 1> {
            assert!(ganvas_model::trainable_shapes(discriminator).is_empty());
            fake.mean()
        }
    }
    let (_, [_, of_generator], _) = pass(&Sum::new(Looks));
    assert!(of_generator.iter().any(|&value| value != 0.0));
}

/// Weights are cut after each update of the network whose optimizer says so (Arjovsky et al., 2017, algorithm 1).
#[test]
fn clipped_weights_stay_within_their_range() {
    use crate::determinism::{begin, experiment};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let set = [
        "objective.loss=wasserstein",
        "optimizer.discriminator.clip_weights=0.01",
    ];
    begin(&experiment(&set), &path, u64::MAX).unwrap();
    let checkpoint = ganvas_training::Checkpoint::find(&path).unwrap();
    let largest = |name: &str| {
        let bytes = std::fs::read(checkpoint.path().join(name)).unwrap();
        let tensors = ganvas_model::from_safetensors(&bytes).unwrap();
        let trained = tensors.iter().filter(|tensor| !tensor.name.contains("running"));
        let values = trained.flat_map(|tensor| &tensor.values);
        values.fold(0.0_f32, |most, value| most.max(value.abs()))
    };
    assert_eq!(largest("discriminator.safetensors"), 0.01);
    assert!(
        largest("generator.safetensors") > 0.5,
        "scales of batch normalization are about 1"
    );
}
