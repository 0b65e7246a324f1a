//! What steadies a training beside its loss: smoothed labels, noise and augmentation, approximate penalties, and their schedules.

use std::collections::BTreeMap;

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Tensor, TensorData, backend::Backend},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    Activation, AnyGenerator, AugmentConfig, Batch, Discriminator, FeatureMap, GradientPenalty, ImageShape, Init,
    Initialization, Labels, Linear, ObjectiveConfig, Pass, PenaltyMethod, Report, Strength, apply_named_tensors,
    named_tensors,
};
use ganvas_training::discriminator_gradients;
use serde::Deserialize;

use crate::{
    B, Inner, ON_CUBECL, assert_near, device,
    golden::{pattern_tensor, read, values},
    three_steps::gradient_values,
};

/// A discriminator of one hidden layer.
#[derive(Module, Debug)]
struct Small<B: Backend> {
    hidden: Linear<B>,
    output: Linear<B>,
    image: [usize; 3],
    is_smooth: bool,
}

impl Small<B> {
    fn new(image: [usize; 3], is_smooth: bool) -> Self {
        let (mut rng, device) = (keyed_rng(3, Purpose::DiscriminatorWeights, 0), device());
        let mut init = Init::new(&mut rng, &device);
        init.set_scheme(Initialization::He);
        Self {
            hidden: Linear::new([image.iter().product(), 12], true, &mut init),
            output: Linear::new([12, 1], true, &mut init),
            image,
            is_smooth,
        }
    }

    /// The same with weights that no backward pass has been through (`penalties.rs`).
    fn fresh(&self) -> Self {
        apply_named_tensors(self.clone(), named_tensors::<B, _>(self)).unwrap()
    }
}

impl<A: Backend> Discriminator<A> for Small<A> {
    fn image_shape(&self) -> ImageShape {
        self.image.into()
    }

    fn forward_pass(&self, images: Tensor<A, 4>, _labels: Option<Labels<A>>, pass: &mut Pass<A>) -> Tensor<A, 2> {
        let [batch, channels, height, width] = images.dims();
        let pixels = FeatureMap::from_images(images).into_tensor();
        let activation = match self.is_smooth {
            true => Activation::Tanh,
            false => Activation::LeakyRelu { slope: 0.2 },
        };
        let pixels = pixels.reshape([channels * height * width, 1, batch]);
        let features = self.hidden.forward_columns(pixels, activation, pass);
        let logits = self.output.forward_columns(features, Activation::Identity, pass);
        logits.reshape([batch, 1])
    }
}

/// A discriminator whose logit is its one pixel times its one weight.
#[derive(Module, Debug)]
struct Pixel<B: Backend> {
    weight: Linear<B>,
}

impl<A: Backend> Discriminator<A> for Pixel<A> {
    fn image_shape(&self) -> ImageShape {
        ImageShape::new(1, 1, 1)
    }

    fn forward_pass(&self, images: Tensor<A, 4>, _labels: Option<Labels<A>>, pass: &mut Pass<A>) -> Tensor<A, 2> {
        let batch = images.dims()[0];
        let pixels = images.reshape([1, 1, batch]);
        self.weight
            .forward_columns(pixels, Activation::Identity, pass)
            .reshape([batch, 1])
    }
}

#[derive(Deserialize)]
struct Document {
    smoothing: Smoothing,
}

#[derive(Deserialize)]
struct Smoothing {
    loss: f64,
    by_real: Vec<f64>,
    by_fake: Vec<f64>,
}

fn flat<M: Module<B>>(module: &M, gradients: &GradientsParams) -> Vec<f64> {
    let found = gradient_values(module, gradients).into_iter().flatten().flatten();
    found.map(f64::from).collect()
}

/// An objective's loss and gradients of a discriminator, and what it reported.
fn found<D: Discriminator<B> + burn::module::AutodiffModule<B>>(
    discriminator: &D,
    objective: &ObjectiveConfig,
    batch: &Batch<B>,
    fake: Tensor<B, 4>,
) -> (f64, Vec<f64>, BTreeMap<String, f64>) {
    let mut report = Report::default();
    let found = discriminator_gradients::<B, AnyGenerator<B>, _>(discriminator, objective, batch, fake, &mut report);
    let numbers = report.read_with(Vec::new()).0.into_iter().collect();
    let loss = f64::from(values::<Inner, 1>(found.loss)[0]);
    (loss, flat(discriminator, &found.gradients), numbers)
}

#[test]
fn smoothed_labels_are_those_of_pytorch() {
    let expected = read::<Document>("objectives").smoothing;
    let (mut rng, device) = (keyed_rng(0, Purpose::DiscriminatorWeights, 0), device());
    let weight = Linear::new([1, 1], false, &mut Init::<B>::new(&mut rng, &device));
    let judge = Pixel { weight };
    let mut tensors = named_tensors::<B, _>(&judge);
    tensors[0].values = vec![1.0];
    let judge = apply_named_tensors::<B, _>(judge, tensors).unwrap();
    let real = pattern_tensor::<B, 4>(700, 2.5, [3, 1, 1, 1], &device);
    let fake = pattern_tensor::<B, 4>(701, 2.5, [5, 1, 1, 1], &device);
    let objective = ObjectiveConfig {
        label_smoothing: 0.1,
        ..ObjectiveConfig::default()
    };
    let batch = Batch::without_labels(real.clone(), Tensor::zeros([5, 1], &device), 0);
    let (loss, gradients, _) = found(&judge, &objective, &batch, fake.clone());
    assert_near("the loss", loss, expected.loss, expected.loss, 1e-5);
    // The weight's gradient is that of each logit times its pixel.
    let by = |images: Tensor<B, 4>, of_logits: &[f64]| -> f64 {
        let pixels = values::<Inner, 4>(images.inner());
        pixels
            .iter()
            .zip(of_logits)
            .map(|(pixel, by)| f64::from(*pixel) * by)
            .sum()
    };
    let by_weight = by(real, &expected.by_real) + by(fake, &expected.by_fake);
    assert_near("the gradient", gradients[0], by_weight, 1.0, 1e-5);
}

const IMAGE: [usize; 3] = [1, 5, 6];

fn batch(seed: u64) -> Batch<B> {
    let images = pattern_tensor(2, 1.0, [6, 1, 5, 6], &device());
    Batch::without_labels(images, Tensor::zeros([6, 1], &device()), seed)
}

/// The gradient of half the mean squared norm, exactly and by a method, and the reported values.
fn penalized(is_smooth: bool, method: PenaltyMethod, step: f64, seed: u64) -> (f64, Vec<f64>) {
    let objective = |r1: f64| ObjectiveConfig {
        r1,
        penalty_method: method,
        penalty_step: step,
        ..ObjectiveConfig::default()
    };
    let judge = Small::new(IMAGE, is_smooth);
    let fake = || pattern_tensor(3, 1.0, [6, 1, 5, 6], &device());
    let (_, with, numbers) = found(&judge.fresh(), &objective(1.0), &batch(seed), fake());
    let (_, without, _) = found(&judge.fresh(), &objective(0.0), &batch(seed), fake());
    let of_penalty = with.iter().zip(&without).map(|(with, without)| with - without);
    (numbers[GradientPenalty::R1.name()], of_penalty.collect())
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// The distance of two gradients, relative to the second's length.
fn distance(one: &[f64], other: &[f64]) -> f64 {
    let difference: Vec<f64> = one.iter().zip(other).map(|(one, other)| one - other).collect();
    length(&difference) / length(other)
}

#[test]
fn a_central_difference_comes_to_the_exact_penalty_where_the_activation_is_smooth() {
    let (exact, of_exact) = penalized(true, PenaltyMethod::Exact, 0.01, 0);
    for (step, most) in [(0.05, 0.01), (0.5, 0.1)] {
        let (found, gradient) = penalized(true, PenaltyMethod::CentralDifference, step, 0);
        assert_near("the value", found, exact, exact, most);
        assert!(
            distance(&gradient, &of_exact) < most,
            "{}",
            distance(&gradient, &of_exact)
        );
    }
    // Where the slope jumps it does not, as the documentation says.
    let (_, of_exact) = penalized(false, PenaltyMethod::Exact, 0.01, 0);
    let (_, gradient) = penalized(false, PenaltyMethod::CentralDifference, 0.5, 0);
    assert!(
        distance(&gradient, &of_exact) > 0.3,
        "{}",
        distance(&gradient, &of_exact)
    );
}

/// How far the mean of the random directions' values may be from the exact one: a factor of two would be far beyond.
const VALUE: f64 = 0.2;

#[test]
fn random_directions_come_to_the_exact_penalty_in_the_mean() {
    // A software adapter takes a tenth of a second for each direction; where an activation bends, a hundred are too few.
    let draws: u64 = if ON_CUBECL { 100 } else { 600 };
    for is_smooth in [true, false] {
        if ON_CUBECL && !is_smooth {
            continue;
        }
        let (exact, of_exact) = penalized(is_smooth, PenaltyMethod::Exact, 0.01, 0);
        let (mut value, mut mean) = (0.0, vec![0.0; of_exact.len()]);
        let mut of_one = Vec::new();
        for seed in 0..draws {
            let (found, gradient) = penalized(is_smooth, PenaltyMethod::RandomDirection, 0.01, seed);
            value += found / draws as f64;
            of_one.push(distance(&gradient, &of_exact));
            for (mean, gradient) in mean.iter_mut().zip(&gradient) {
                *mean += gradient / draws as f64;
            }
        }
        // One batch's direction is mostly noise; the errors of the mean are those over the root of the draws.
        let typical = of_one.iter().sum::<f64>() / draws as f64;
        assert!(typical > 0.5, "{typical}");
        let most = if ON_CUBECL { 2.0 } else { 3.0 } * typical / (draws as f64).sqrt();
        if !is_smooth {
            // The value comes to the exact one, but its gradient has what double backpropagation leaves out: how the slopes change where an
            // activation bends.
            assert_near("the value", value, exact, exact, VALUE);
            assert!(
                distance(&mean, &of_exact) > most,
                "{} {most}",
                distance(&mean, &of_exact)
            );
            continue;
        }
        assert!(
            distance(&mean, &of_exact) < most + 0.02,
            "{} {most}",
            distance(&mean, &of_exact)
        );
        assert_near("the value", value, exact, exact, VALUE);
    }
}

#[test]
#[cfg(feature = "ndarray")]
fn what_has_no_effect_or_cannot_be_is_refused() {
    use crate::desk::{Desk, says};
    let desk = Desk::new();
    for (sets, parts) in [
        (
            &["objective.penalty_method=random-direction"][..],
            ["penalty_method", "`r1` and `r2`"],
        ),
        (&["objective.penalty_step=0.5"], ["penalty_step", "takes no step"]),
        (
            &["objective.loss=hinge", "objective.label_smoothing=0.1"],
            ["label_smoothing", "`non-saturating`"],
        ),
        (
            &[
                "objective.gradient_penalty=10",
                "objective.penalty_method=central-difference",
                "objective.r1=1",
            ],
            ["gradient_penalty", "the norm itself"],
        ),
        (&["objective.augment.cutout=2"], ["augment.cutout", "0 to 1"]),
        (
            &["model.packing=3"],
            ["data.batch_size", "a multiple of `model.packing`, 3"],
        ),
        (
            &["model.generator_normalization=spectral"],
            ["generator_normalization", "for a generator"],
        ),
        (
            &["objective.r1=1"],
            ["discriminator_normalization = \"none\"", "random-direction"],
        ),
        (&["schedule.penalty=0.1"], ["schedule.penalty", "constant"]),
        (
            &["schedule.shape=linear", "schedule.penalty=0.1"],
            ["schedule.penalty", "no penalties"],
        ),
        (
            &["schedule.shape=linear", "schedule.instance_noise=0.1"],
            ["schedule.instance_noise", "`objective.instance_noise` is 0"],
        ),
        (
            &[
                "schedule.shape=linear",
                "schedule.beta2=0.9",
                "optimizer.generator.kind=sgd",
                "optimizer.discriminator.kind=sgd",
            ],
            ["schedule.beta2", "`sgd`"],
        ),
        (
            &["evaluation.every=2", "evaluation.metrics=[\"class_accuracy\"]"],
            ["evaluation.metrics", "model.conditional"],
        ),
    ] {
        let sets: Vec<&str> = sets.iter().flat_map(|&set| ["--set", set]).collect();
        says(
            &desk.run(&[&["train", "tiny.toml", "--out", "none"][..], &sets].concat()),
            2,
            &parts,
        );
        assert!(!desk.path("none").exists(), "{sets:?}");
    }
}

#[test]
#[cfg(feature = "ndarray")]
fn a_critic_that_nothing_bounds_is_warned_of() {
    use crate::desk::Desk;
    let desk = Desk::new();
    let is_warned = |sets: &[&str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|&set| ["--set", set]).collect();
        let run = desk.run(&[&["train", "tiny.toml", "--dry-run"][..], &sets].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stderr.contains("nothing bounds the critic")
    };
    assert!(!is_warned(&[]));
    assert!(is_warned(&["objective.loss=wasserstein"]));
    let plain = "model.discriminator_normalization=none";
    for bound in [
        &["objective.gradient_penalty=10", plain][..],
        &["objective.r1=1", plain],
        &["optimizer.discriminator.clip_weights=0.01"],
        &["model.discriminator_normalization=spectral"],
    ] {
        assert!(
            !is_warned(&[&["objective.loss=wasserstein"], bound].concat()),
            "{bound:?}"
        );
    }
}

#[test]
fn what_is_scheduled_weakens_penalties_and_noise() {
    let judge = Small::new(IMAGE, false);
    let fake = || pattern_tensor(3, 1.0, [6, 1, 5, 6], &device());
    let objective = ObjectiveConfig {
        r1: 2.0,
        ..ObjectiveConfig::default()
    };
    let with = |penalty: f64| {
        let batch = Batch {
            strength: Strength { penalty, noise: 1.0 },
            ..batch(0)
        };
        found(&judge.fresh(), &objective, &batch, fake())
    };
    let (none, half, whole) = (with(0.0), with(0.5), with(1.0));
    assert_near("the loss", half.0, (none.0 + whole.0) / 2.0, whole.0, 1e-5);
    // What is reported has no weight.
    assert_eq!(half.2["penalty/r1"], whole.2["penalty/r1"]);

    let noisy = ObjectiveConfig {
        instance_noise: 0.5,
        ..ObjectiveConfig::default()
    };
    let with = |noise: f64, seed: u64| {
        let batch = Batch {
            strength: Strength { penalty: 1.0, noise },
            ..batch(seed)
        };
        found(&judge.fresh(), &noisy, &batch, fake()).0
    };
    let plain = found(&judge.fresh(), &ObjectiveConfig::default(), &batch(0), fake()).0;
    assert_eq!(with(0.0, 0), plain);
    assert_eq!(with(1.0, 0), with(1.0, 0));
    assert!(with(1.0, 0) != with(1.0, 1) && with(1.0, 0) != with(0.1, 0) && with(1.0, 0) != plain);
}

/// The generator learns through what is done to its images: the gradient of the pixels that are cut is nothing, and those of the others is
/// where they came from.
#[test]
fn gradients_go_back_through_augmentation() {
    let device = device();
    let shape = [6, 2, 5, 6];
    let augment = AugmentConfig {
        translation: 0.4,
        cutout: 0.4,
        brightness: 1.0,
    };
    let _lock = crate::lock();
    let apply = |images: Tensor<B, 4>| augment.apply(images, &mut batch(4).rng(99));
    let images = pattern_tensor::<B, 4>(5, 1.0, shape, &device).require_grad();
    let weights = pattern_tensor::<B, 4>(6, 1.0, shape, &device);
    let found = (apply(images.clone()) * weights.clone()).sum();
    let gradient = values::<Inner, 4>(images.grad(&found.backward()).unwrap());
    // The map is affine, so the gradient is what a difference of any size finds.
    let value = |images: Vec<f32>| {
        let images = Tensor::<B, 4>::from_data(TensorData::new(images, shape), &device);
        f64::from(values::<Inner, 1>((apply(images) * weights.clone()).sum().inner())[0])
    };
    let at = vec![0.0; gradient.len()];
    let zero = value(at.clone());
    let mut zeros = 0;
    for (index, &gradient) in gradient.iter().enumerate().step_by(7) {
        let mut moved = at.clone();
        moved[index] = 1.0;
        assert_near("a gradient", f64::from(gradient), value(moved) - zero, 1.0, 1e-4);
        zeros += usize::from(gradient == 0.0);
    }
    assert!(zeros > 0);
}
