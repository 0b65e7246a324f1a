//! Class-conditional networks: values and gradients against PyTorch's (`tests/reference/conditional.py`).

use std::collections::BTreeMap;

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Int, Tensor, TensorData},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    AdversarialLoss, AnyDiscriminator, AnyGenerator, Batch, ClassHeadKind, DataShape, DcganConfig, Discriminator,
    Generator, GradientPenalty, ImageShape, Init, NamedTensor, Networks, Normalization, Objective, ObjectiveConfig,
    Report, named_tensors, without_fused,
};
use ganvas_training::discriminator_gradients;
use serde::Deserialize;

use crate::{
    B, BACKEND, Inner, assert_near, device,
    golden::{kernel_scale, pattern_tensor, patterned, read, values},
    three_steps::gradient_values,
};

#[derive(Deserialize)]
struct Document {
    images: Vec<f64>,
    generator_gradients: Named,
    projection: Projection,
    classifier: Classifier,
}

#[derive(Deserialize)]
struct Projection {
    logits: Vec<f64>,
    gradients: Named,
    penalty: f64,
    penalty_gradients: Named,
}

#[derive(Deserialize)]
struct Classifier {
    logits: Vec<f64>,
    class_loss: f64,
    gradients: Named,
    /// With Wasserstein's loss, and the classes at half their weight.
    generator_loss: f64,
    generator_by_images: Vec<f64>,
    penalty: f64,
    penalty_gradients: Named,
}

type Named = BTreeMap<String, Vec<f64>>;

const BATCH: usize = 4;
const LABELS: [i32; BATCH] = [2, 0, 1, 2];
const IMAGE: ImageShape = ImageShape::new(1, 16, 16);

fn config(class_head: ClassHeadKind) -> DcganConfig {
    DcganConfig {
        latent_size: 3,
        base_channels: 2,
        generator_convolutions: 1,
        discriminator_convolutions: 1,
        discriminator_normalization: Normalization::None,
        conditional: true,
        class_head,
        ..DcganConfig::default()
    }
}

fn labels() -> Tensor<B, 1, Int> {
    Tensor::from_data(TensorData::from(LABELS), &device())
}

/// The reference's weights.
fn value(tensor: &NamedTensor, u: f64) -> f32 {
    let value = match tensor.shape.as_slice() {
        [_] if tensor.name.ends_with("weight") || tensor.name.ends_with("running_var") => 1.0 + 0.1 * u,
        [_] => 0.05 * u,
        shape => kernel_scale(shape) * u,
    };
    value as f32
}

fn generator() -> AnyGenerator<B> {
    let (mut rng, device) = (keyed_rng(0, Purpose::GeneratorWeights, 0), device());
    let made = config(ClassHeadKind::Projection).generator(DataShape::new(IMAGE, 3), &mut Init::new(&mut rng, &device));
    patterned::<B, _>(AnyGenerator::Dcgan(made.unwrap()), 0, value)
}

fn discriminator(class_head: ClassHeadKind) -> AnyDiscriminator<B> {
    let (mut rng, device) = (keyed_rng(0, Purpose::DiscriminatorWeights, 0), device());
    let made = config(class_head).discriminator(DataShape::new(IMAGE, 3), &mut Init::new(&mut rng, &device));
    patterned::<B, _>(AnyDiscriminator::Dcgan(made.unwrap()), 500, value)
}

fn real() -> Tensor<B, 4> {
    pattern_tensor(2000, 1.0, [BATCH, 1, 16, 16], &device())
}

/// Holds values to those of the reference, by the largest of them.
pub fn assert_all_near(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-3_f64, |most, value| most.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert_near(what, f64::from(*found), *expected, scale, BACKEND.tests.gradients);
    }
}

fn assert_gradients<M: Module<B>>(what: &str, network: &M, gradients: &GradientsParams, expected: &Named) {
    let mut checked = 0;
    let found = gradient_values(network, gradients).into_iter();
    for (tensor, gradient) in named_tensors::<B, _>(network).into_iter().zip(found) {
        let Some(expected) = expected.get(&tensor.name) else {
            assert!(tensor.name.contains("running"), "{what}: {}", tensor.name);
            continue;
        };
        let gradient = gradient.unwrap_or_else(|| vec![0.0; expected.len()]);
        assert_all_near(&format!("{what} by {}", tensor.name), &gradient, expected);
        checked += 1;
    }
    assert_eq!(checked, expected.len(), "{what}");
}

#[test]
fn a_conditional_generator_is_that_of_pytorch() {
    let document: Document = read("conditional");
    let check = || {
        let _lock = crate::lock();
        let generator = generator();
        assert_eq!(Generator::<B>::classes(&generator), 3);
        let z = pattern_tensor(1000, 1.7, [BATCH, 3], &device());
        let (images, _) = generator.forward_training(z, Some(labels()));
        assert_all_near("images", &values::<Inner, 4>(images.clone().inner()), &document.images);
        let weights = pattern_tensor::<B, 4>(3000, 1.0, [BATCH, 1, 16, 16], &device());
        let gradients = GradientsParams::from_grads((images * weights).sum().backward(), &generator);
        assert_gradients("the generator", &generator, &gradients, &document.generator_gradients);
    };
    check();
    without_fused(check);
}

/// The loss of generated images alone, by an objective that sees the same images and labels on both sides.
#[test]
fn a_projection_and_its_penalty_are_those_of_pytorch() {
    let expected = read::<Document>("conditional").projection;
    let check = || {
        let _lock = crate::lock();
        let judge = discriminator(ClassHeadKind::Projection);
        let logits = judge.forward_training(real(), Some(labels())).0;
        assert_all_near("logits", &values::<Inner, 2>(logits.clone().inner()), &expected.logits);
        let loss = AdversarialLoss::NonSaturating.of_generator(logits, || unreachable!("no real images are asked for"));
        let gradients = GradientsParams::from_grads(loss.backward(), &judge);
        assert_gradients("the projection", &judge, &gradients, &expected.gradients);

        let judge = discriminator(ClassHeadKind::Projection);
        let gradient = judge.forward_recorded(real(), Some(labels())).gradient;
        let penalty = GradientPenalty::R1.of(gradient.compute(&device()).unwrap());
        let value = values::<Inner, 1>(penalty.clone().inner())[0];
        assert_all_near("the penalty", &[value], &[expected.penalty]);
        let gradients = GradientsParams::from_grads(penalty.backward(), &judge);
        assert_gradients("the penalty", &judge, &gradients, &expected.penalty_gradients);
    };
    check();
    without_fused(check);
}

#[test]
fn an_auxiliary_classifier_is_that_of_pytorch_and_both_batches_count() {
    let expected = read::<Document>("conditional").classifier;
    let found = |classification: f64| {
        let judge = discriminator(ClassHeadKind::Classifier);
        let logits = judge.forward_training(real(), None).0;
        assert_all_near("logits", &values::<Inner, 2>(logits.inner()), &expected.logits);
        let batch = Batch {
            images: real(),
            labels: Some(labels()),
            fake_labels: Some(labels()),
            strength: Default::default(),
            z: Tensor::zeros([BATCH, 3], &device()),
            number: 0,
            seed: 0,
        };
        let objective = ObjectiveConfig {
            loss: AdversarialLoss::Wasserstein,
            classification,
            ..ObjectiveConfig::default()
        };
        let mut report = Report::default();
        // Real and generated images are the same, so the adversarial loss and its gradient are nothing.
        let found = discriminator_gradients::<B, AnyGenerator<B>, _>(&judge, &objective, &batch, real(), &mut report);
        let numbers: BTreeMap<String, f64> = report.read_with(Vec::new()).0.into_iter().collect();
        (judge, found, numbers)
    };
    let (judge, with, numbers) = found(0.5);
    assert_all_near("the loss", &values::<Inner, 1>(with.loss), &[expected.class_loss]);
    let reported = numbers["loss/classification"];
    assert_all_near("what is reported", &[reported as f32], &[2.0 * expected.class_loss]);
    assert_gradients("the classes", &judge, &with.gradients, &expected.gradients);
    assert!(!found(0.0).2.contains_key("loss/classification"));
}

#[test]
fn a_generator_minimizes_the_cross_entropy_of_the_asked_classes_too() {
    let expected = read::<Document>("conditional").classifier;
    let check = || {
        let _lock = crate::lock();
        let judge = discriminator(ClassHeadKind::Classifier);
        let objective = ObjectiveConfig {
            loss: AdversarialLoss::Wasserstein,
            classification: 0.5,
            ..ObjectiveConfig::default()
        };
        let batch = Batch {
            fake_labels: Some(labels()),
            ..Batch::without_labels(real(), Tensor::zeros([BATCH, 3], &device()), 0)
        };
        let fake = real().require_grad();
        let report = &mut Report::default();
        let loss = objective.generator(&generator(), &judge, &batch, fake.clone(), report);
        let value = values::<Inner, 1>(loss.clone().inner());
        assert_all_near("the loss", &value, &[expected.generator_loss]);
        let by_images = values::<Inner, 4>(fake.grad(&loss.backward()).unwrap());
        assert_all_near("by the images", &by_images, &expected.generator_by_images);

        // The penalty is on the logit, and the classes that are read have no part in it.
        let judge = discriminator(ClassHeadKind::Classifier);
        let gradient = judge.forward_recorded(real(), None).gradient;
        let penalty = GradientPenalty::R1.of(gradient.compute(&device()).unwrap());
        let value = values::<Inner, 1>(penalty.clone().inner())[0];
        assert_all_near("the penalty", &[value], &[expected.penalty]);
        let gradients = GradientsParams::from_grads(penalty.backward(), &judge);
        assert_gradients("the penalty", &judge, &gradients, &expected.penalty_gradients);
    };
    check();
    without_fused(check);
}

#[test]
fn a_batch_of_one_image_has_the_gradients_of_that_image_twice() {
    let gradients = |class_head: ClassHeadKind, classification: f64, count: usize| {
        let judge = discriminator(class_head);
        let objective = ObjectiveConfig {
            classification,
            ..ObjectiveConfig::default()
        };
        let images = real().narrow(0, 0, 1).repeat_dim(0, count);
        let labels = labels().narrow(0, 0, 1).repeat_dim(0, count);
        let batch = Batch {
            labels: Some(labels.clone()),
            fake_labels: Some(labels),
            ..Batch::without_labels(images.clone(), Tensor::zeros([count, 3], &device()), 0)
        };
        let found = discriminator_gradients::<B, AnyGenerator<B>, _>(
            &judge,
            &objective,
            &batch,
            images * 0.5,
            &mut Report::default(),
        );
        let of_weights = gradient_values(&judge, &found.gradients);
        (
            values::<Inner, 1>(found.loss),
            of_weights.into_iter().flatten().flatten().collect::<Vec<_>>(),
        )
    };
    let check = || {
        for (class_head, classification) in [(ClassHeadKind::Projection, 0.0), (ClassHeadKind::Classifier, 0.5)] {
            let [one, two] = [1, 2].map(|count| gradients(class_head, classification, count));
            let expected = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
            assert!(one.1.iter().any(|gradient| gradient.abs() > 0.1), "{class_head:?}");
            assert_all_near("the loss", &one.0, &expected(&two.0));
            assert_all_near("the gradients", &one.1, &expected(&two.1));
        }
    };
    check();
    without_fused(check);
}
