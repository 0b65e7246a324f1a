//! Class-conditional networks: values and gradients against PyTorch's (`tests/reference/conditional.py`), and what the command makes of
//! them.

use std::{collections::BTreeMap, fs};

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
    B, BACKEND, Inner, KIND, ON_CUBECL, assert_near,
    desk::Desk,
    device,
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
    let gradients = |class_head: ClassHeadKind, count: usize| {
        let judge = discriminator(class_head);
        let objective = ObjectiveConfig {
            classification: if class_head == ClassHeadKind::Classifier {
                0.5
            } else {
                0.0
            },
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
        for class_head in [ClassHeadKind::Projection, ClassHeadKind::Classifier] {
            let (one, two) = (gradients(class_head, 1), gradients(class_head, 2));
            let expected = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
            assert!(one.1.iter().any(|gradient| gradient.abs() > 0.1), "{class_head:?}");
            assert_all_near("the loss", &one.0, &expected(&two.0));
            assert_all_near("the gradients", &one.1, &expected(&two.1));
        }
    };
    check();
    without_fused(check);
}

/// A tiny conditional experiment on synthetic digits.
fn experiment(desk: &Desk) {
    let text = format!(
        "seed = 3\n[backend]\nkind = \"{KIND}\"\n[data]\ndataset = \"synthetic\"\ncount = 200\nbatch_size = 20\n[model]\nnetwork = \"dcgan\"\nbase_channels = 2\n\
         latent_size = 4\nconditional = true\ndiscriminator_normalization = \"none\"\n[training]\nmax_steps = 6\n[logging]\nevery = 1\n\
         [samples]\ncount = 20\n[checkpoint]\nevery = 3\n[ema]\ndecay = 0.9\n"
    );
    fs::write(desk.path("conditional.toml"), text).unwrap();
}

#[test]
fn images_of_an_asked_class_are_made_whatever_is_made_beside_them() {
    let desk = Desk::new();
    experiment(&desk);
    desk.ok(&["train", "conditional.toml", "--out", "run"]);
    let generate = |arguments: &[&str], out: &str| {
        desk.ok(&[&["generate", "run", "--force", "--out", out][..], arguments].concat());
        fs::read(desk.path(out)).unwrap()
    };
    // Row after row of the classes, each image as it is alone.
    let header = 128;
    let image = 28 * 28 * 4;
    let all = generate(&["--class", "all", "--count", "3"], "all.npy");
    assert_eq!(all.len(), header + 30 * image);
    for class in [0, 7] {
        let one = generate(&["--class", &class.to_string(), "--count", "30"], "one.npy");
        let place = header + class * 3 * image..header + (class + 1) * 3 * image;
        assert_near_bytes(&all[place.clone()], &one[place]);
        if ON_CUBECL {
            // A software adapter takes seconds for each start of the command, a GPU for its tuning.
            return;
        }
    }
    let sevens = generate(&["--class", "7", "--count", "5"], "sevens.npy");
    let threes = generate(&["--class", "3", "--count", "5"], "threes.npy");
    assert_ne!(sevens, threes, "the class makes a difference");
    // Without it, classes are drawn: those of an image are the same whatever the count.
    let drawn = generate(&["--count", "10"], "drawn.npy");
    assert_near_bytes(
        &drawn[header..header + 4 * image],
        &generate(&["--count", "4"], "few.npy")[header..],
    );
    // A picture has a row of eight for each class.
    let picture = generate(&["--class", "all"], "all.png");
    let side = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!([side(16), side(20)], [(8 * 30 + 2) * 3, (10 * 30 + 2) * 3]);

    let refused = desk.run(&["generate", "run", "--class", "seven"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("`all`, `0`, `1`"), "{}", refused.stderr);
}

/// The same images: an image does not depend on its neighbours but for rounding.
fn assert_near_bytes(one: &[u8], other: &[u8]) {
    let floats = |bytes: &[u8]| -> Vec<f32> {
        let of_four = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
        bytes.chunks_exact(4).map(of_four).collect()
    };
    let (one, other) = (floats(one), floats(other));
    assert_eq!(one.len(), other.len());
    assert!(one.iter().zip(&other).all(|(one, other)| (one - other).abs() < 1e-5));
}

#[test]
fn what_cannot_be_conditional_is_refused_before_anything_is_trained() {
    let desk = Desk::new();
    experiment(&desk);
    let refused = |sets: &[&str], parts: &[&str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|&set| ["--set", set]).collect();
        let train = ["train", "conditional.toml", "--out", "none", "--data-dir", "."];
        let run = desk.run(&[&train[..], &sets].concat());
        assert_eq!(run.code, 2, "{}", run.stderr);
        for part in parts {
            assert!(run.stderr.contains(part), "{part} is not in: {}", run.stderr);
        }
        assert!(!desk.path("none").exists());
    };
    refused(
        &["objective.classification=1"],
        &["objective.classification", "give it what reads them"],
    );
    // Nothing would train the classes that it reads.
    refused(
        &["model.class_head=classifier"],
        &["objective.classification", "nothing else trains"],
    );
    refused(
        &["model.class_head=classifier", "model.conditional=false"],
        &["model.class_head", "conditional"],
    );
    refused(&["model.packing=2"], &["model.packing", "have a class each"]);
    refused(&["objective.classification=-1"], &["objective.classification", "0 to"]);
    refused(&["model.class_head=projector"], &["projection", "classifier"]);
    // Images without labels.
    let digits = ganvas_data::synthetic_digits(1, ganvas_data::Split::Train, 30);
    fs::create_dir(desk.path("mnist")).unwrap();
    let name = ganvas_data::Split::Train.file_names().0.trim_end_matches(".gz");
    ganvas_data::idx::write_images(&desk.path("mnist").join(name), digits.pixels(), 28, 28).unwrap();
    refused(
        &["data.dataset=mnist", "data.count=20"],
        &["model.conditional", "images without labels"],
    );
    // A run that is not conditional cannot be asked.
    desk.ok(&["train", "tiny.toml", "--out", "plain"]);
    let run = desk.run(&["generate", "plain", "--class", "7"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("model.conditional = true"), "{}", run.stderr);
}

#[test]
fn a_conditional_run_goes_on_to_the_bit_and_not_with_other_labels() {
    let desk = Desk::new();
    experiment(&desk);
    desk.ok(&["train", "conditional.toml", "--out", "whole"]);
    desk.ok(&[
        "train",
        "conditional.toml",
        "--out",
        "halves",
        "--set",
        "training.max_steps=3",
    ]);
    desk.ok(&["train", "--resume", "halves", "--set", "training.max_steps=6"]);
    for name in ["generator", "discriminator", "ema_generator"] {
        let path = format!("checkpoints/step-000006/{name}.safetensors");
        let read = |run: &str| fs::read(desk.path(run).join(&path)).unwrap();
        assert!(read("whole") == read("halves"), "{name}");
    }
    let state = fs::read_to_string(desk.path("whole/checkpoints/step-000006/state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let classes = &state["images"]["classes"];
    assert_eq!(classes["names"][7], "7");
    assert_eq!(
        classes["counts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|count| count.as_u64().unwrap())
            .sum::<u64>(),
        200
    );
}
