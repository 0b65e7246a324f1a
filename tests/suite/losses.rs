//! Losses: values, gradients, and what they do far out; by their formulas, and by PyTorch (`tests/reference/objectives.py`).

use burn::tensor::Tensor;
use ganvas_model::{AdversarialLoss, ObjectiveConfig, ObjectiveSettings};
use proptest::prelude::*;
use serde::Deserialize;

use crate::{
    B, BACKEND, Inner, assert_near, device,
    golden::{pattern, read, values},
};

/// log(1 + eˣ) in 64 bits.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn logits(values: &[f64]) -> Tensor<B, 2> {
    let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    Tensor::<B, 1>::from_floats(values.as_slice(), &device()).reshape([values.len(), 1])
}

/// A loss and its gradient by the logits.
fn with_gradient(function: impl Fn(Tensor<B, 2>) -> Tensor<B, 1>, at: &[f64]) -> (f64, Vec<f64>) {
    let _lock = crate::lock();
    let input = logits(at).require_grad();
    let loss = function(input.clone());
    let gradients = loss.backward();
    let gradient = values::<Inner, 2>(input.grad(&gradients).expect("a gradient of the logits"));
    (
        f64::from(values(loss)[0]),
        gradient.into_iter().map(f64::from).collect(),
    )
}

/// No logits of real images, because nobody asks for them.
fn nothing() -> Tensor<B, 2> {
    unreachable!("this loss looks at generated images alone")
}

fn assert_gradient(what: &str, found: &[f64], expected: impl Iterator<Item = f64>) {
    for (found, expected) in found.iter().zip(expected) {
        assert_near(what, *found, expected, 1.0 / found.max(1.0), BACKEND.tests.values);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn losses_and_gradients_are_those_of_their_formulas(
        real in prop::collection::vec(-30.0f64..30.0, 1..9),
        fake in prop::collection::vec(-30.0f64..30.0, 1..9),
    ) {
        // What f32 holds is what the formula is asked about.
        let [real, fake] = [real, fake].map(|list| list.into_iter().map(|x| f64::from(x as f32)).collect::<Vec<_>>());
        let mean = |list: &[f64], function: &dyn Fn(f64) -> f64| {
            list.iter().map(|&x| function(x)).sum::<f64>() / list.len() as f64
        };
        let tolerance = BACKEND.tests.values;
        let count = fake.len() as f64;
        // `1 + e^−|x|` is rounded in each term of a loss, by half an epsilon: of what is far smaller, that is all of the error.
        let scale = |expected: f64| expected.abs().max(f64::from(f32::EPSILON) / tolerance);

        let expected = mean(&fake, &|x| softplus(-x));
        let (found, gradient) = with_gradient(|fake| AdversarialLoss::NonSaturating.of_generator(fake, nothing), &fake);
        assert_near("non-saturating", found, expected, scale(expected), tolerance);
        assert_gradient("non-saturating gradient", &gradient, fake.iter().map(|&x| (sigmoid(x) - 1.0) / count));

        let expected = -mean(&fake, &softplus);
        let (found, gradient) = with_gradient(|fake| AdversarialLoss::Minimax.of_generator(fake, nothing), &fake);
        assert_near("minimax", found, expected, scale(expected), tolerance);
        assert_gradient("minimax gradient", &gradient, fake.iter().map(|&x| -sigmoid(x) / count));

        let expected = mean(&real, &|x| softplus(-x)) + mean(&fake, &softplus);
        for loss in [AdversarialLoss::NonSaturating, AdversarialLoss::Minimax] {
            let (found, gradient) = with_gradient(|fake| loss.of_discriminator(logits(&real), fake), &fake);
            assert_near("discriminator", found, expected, scale(expected), tolerance);
            assert_gradient("discriminator gradient", &gradient, fake.iter().map(|&x| sigmoid(x) / count));
        }
    }
}

#[test]
fn the_hinge_loss_is_that_of_its_formula_beyond_and_within_the_margin() {
    let real = [-2.5, -1.0, 0.25, 0.5, 1.5, 4.0];
    let fake = [-3.0, -1.25, -0.5, 0.75];
    let expected = (3.5 + 2.0 + 0.75 + 0.5) / 6.0 + (0.5 + 1.75) / 4.0;
    let hinge = AdversarialLoss::Hinge;
    let (found, gradient) = with_gradient(|fake| hinge.of_discriminator(logits(&real), fake), &fake);
    assert_near("discriminator", found, expected, expected, 1e-6);
    assert_gradient("by the generated", &gradient, [0.0, 0.0, 0.25, 0.25].into_iter());
    let (_, gradient) = with_gradient(|real| hinge.of_discriminator(real, logits(&fake)), &real);
    let of_real = [-1.0, -1.0, -1.0, -1.0, 0.0, 0.0].map(|slope| slope / 6.0);
    assert_gradient("by the real", &gradient, of_real.into_iter());
    let (found, gradient) = with_gradient(|fake| hinge.of_generator(fake, nothing), &fake);
    assert_near("generator", found, 1.0, 1.0, 1e-6);
    assert_gradient("of the generator", &gradient, [-0.25; 4].into_iter());
}

#[test]
fn far_logits_neither_overflow_nor_lose_the_gradient() {
    for far in [1e4, 1e8, 1e30] {
        let (loss, gradient) = with_gradient(
            |fake| AdversarialLoss::NonSaturating.of_generator(fake, nothing),
            &[-far],
        );
        assert_near("loss", loss, far, far, 1e-6);
        assert_near("gradient", gradient[0], -1.0, 1.0, 1e-6);
        let (loss, gradient) = with_gradient(
            |fake| AdversarialLoss::NonSaturating.of_generator(fake, nothing),
            &[far],
        );
        assert_eq!((loss, gradient[0]), (0.0, 0.0));
    }
}

#[test]
fn a_logit_of_zero_has_half_the_gradient() {
    // |x| and max(x, 0) have a kink there that a careless formula shows.
    let (loss, gradient) = with_gradient(
        |fake| AdversarialLoss::NonSaturating.of_generator(fake, nothing),
        &[0.0],
    );
    assert_near("loss", loss, std::f64::consts::LN_2, 1.0, 1e-6);
    assert_near("gradient", gradient[0], -0.5, 1.0, 1e-6);
}

#[derive(Deserialize)]
struct Document {
    losses: Vec<Case>,
}

/// A loss on three real and five generated logits.
#[derive(Deserialize)]
struct Case {
    loss: AdversarialLoss,
    discriminator: f64,
    by_real: Vec<f64>,
    by_fake: Vec<f64>,
    generator: f64,
    generator_by_fake: Vec<f64>,
}

#[test]
fn every_loss_and_its_gradients_are_those_of_pytorch_and_point_the_right_way() {
    let scaled = |t: u32, count: usize| pattern(t, count).into_iter().map(|u| 2.5 * u).collect::<Vec<f64>>();
    let (real, fake) = (scaled(700, 3), scaled(701, 5));
    let document: Document = read("objectives");
    assert_eq!(document.losses.len(), 7);
    for case in document.losses {
        let (loss, name) = (case.loss, format!("{:?}", case.loss));
        let (found, by_fake) = with_gradient(|fake| loss.of_discriminator(logits(&real), fake), &fake);
        assert_near(&name, found, case.discriminator, 1.0, 1e-5);
        assert_gradient(&name, &by_fake, case.by_fake.iter().copied());
        let (_, by_real) = with_gradient(|real| loss.of_discriminator(real, logits(&fake)), &real);
        assert_gradient(&name, &by_real, case.by_real.iter().copied());
        let (found, of_generator) = with_gradient(|fake| loss.of_generator(fake, || logits(&real)), &fake);
        assert_near(&name, found, case.generator, 1.0, 1e-5);
        assert_gradient(&name, &of_generator, case.generator_by_fake.iter().copied());
        // Descent moves logits of real images up and those of generated ones down in the discriminator, and up in the generator.
        let sum = |gradients: &[f64]| gradients.iter().sum::<f64>();
        assert!(
            sum(&by_real) < 0.0 && sum(&by_fake) > 0.0 && sum(&of_generator) < 0.0,
            "{name}"
        );
    }
}

/// What a discriminator that gives every image the same logit comes to at best: hints go by it.
#[test]
fn the_loss_of_guessing_is_the_least_of_one_logit_for_all() {
    for loss in [
        AdversarialLoss::NonSaturating,
        AdversarialLoss::Minimax,
        AdversarialLoss::Hinge,
        AdversarialLoss::LeastSquares,
        AdversarialLoss::Relativistic,
        AdversarialLoss::RelativisticAverage,
    ] {
        let of_logit = |logit: f64| {
            let [real, fake] = [logits(&[logit; 3]), logits(&[logit; 3])];
            f64::from(values::<Inner, 1>(loss.of_discriminator(real, fake).inner())[0])
        };
        let least = (-20..=20).map(|tenth| of_logit(f64::from(tenth) / 10.0));
        let least = least.fold(f64::INFINITY, f64::min);
        let guessing = ObjectiveConfig::from(loss).loss_of_guessing().unwrap();
        assert_near("guessing", guessing, least, least, 1e-5);
    }
    let critic = ObjectiveConfig::from(AdversarialLoss::Wasserstein);
    assert_eq!(critic.loss_of_guessing(), None);
}

/// Whole batches, whose kernels are others than those of a few values: burn-ndarray's vectors have reciprocals of 12 bits, and gradients were made of
/// them.
#[test]
fn gradients_of_whole_batches_are_as_exact_as_those_of_a_few() {
    for batch in [33, 50, 64, 200] {
        let at: Vec<f64> = pattern(9, batch)
            .into_iter()
            .map(|u| f64::from((5.0 * u) as f32))
            .collect();
        let (_, gradient) = with_gradient(|fake| AdversarialLoss::NonSaturating.of_generator(fake, nothing), &at);
        let worst = gradient.iter().zip(&at).map(|(found, &x)| {
            let expected = (sigmoid(x) - 1.0) / batch as f64;
            ((found - expected) * batch as f64).abs()
        });
        let worst = worst.fold(0.0, f64::max);
        assert!(worst < 2e-6, "{batch}: {worst:e}");
    }
}
