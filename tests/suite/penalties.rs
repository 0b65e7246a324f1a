//! Penalties on the discriminator's gradient with respect to the images, against PyTorch's double backpropagation
//! (`tests/reference/objectives.py`).

use std::collections::BTreeMap;

use burn::{optim::GradientsParams, tensor::Tensor};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    AdversarialLoss, AnyDiscriminator, AnyGenerator, Batch, DcganConfig, Discriminator, GradientPenalty, ImageShape,
    Init, MlpConfig, NamedTensor, NetworkConfig, Networks, Normalization, ObjectiveConfig, Report, ResnetConfig,
    apply_named_tensors, named_tensors, without_fused,
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
    penalties: Vec<Case>,
}

/// One discriminator.
#[derive(Deserialize)]
struct Case {
    network: String,
    settings: BTreeMap<String, serde_json::Value>,
    image: [usize; 3],
    logits: Vec<f64>,
    /// What a pass makes of the vectors of spectral normalization.
    buffers: BTreeMap<String, Vec<f64>>,
    input_gradient: Vec<f64>,
    penalties: BTreeMap<String, Expected>,
    /// R1 of the images that a logit is of together.
    of_logits: Expected,
    /// Of each penalty, what implementations with a mistake have.
    wrong: BTreeMap<String, BTreeMap<String, Wrong>>,
}

#[derive(Deserialize)]
struct Wrong {
    value: f64,
    /// The norm of each gradient.
    lengths: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Expected {
    value: f64,
    gradients: BTreeMap<String, Vec<f64>>,
}

const BATCH: usize = 4;

/// Of the largest gradient of all: smaller ones are held to the rounding of one of this size.
const SMALL: f64 = 0.05;

impl Expected {
    /// How large a weight's gradient is where it is largest. Small ones, such as a bias's through minibatch standard deviations, are sums of terms that
    /// nearly cancel, so their rounding is that of larger ones.
    fn scale(&self, tensor: &str) -> f64 {
        let largest = |gradient: &[f64]| gradient.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let all = self.gradients.values().map(|gradient| largest(gradient));
        largest(&self.gradients[tensor]).max(SMALL * all.fold(0.0, f64::max))
    }

    fn assert_is(&self, value: f64, gradients: &Named, name: &str) {
        let tolerance = BACKEND.tests.gradients;
        assert_near(name, value, self.value, self.value, tolerance);
        assert_eq!(gradients.len(), self.gradients.len(), "{name}");
        for (tensor, expected) in &self.gradients {
            assert_eq!(gradients[tensor].len(), expected.len(), "{name} by {tensor}");
            let scale = self.scale(tensor);
            for (found, expected) in gradients[tensor].iter().zip(expected) {
                assert_near(&format!("{name} by {tensor}"), *found, *expected, scale, tolerance);
            }
        }
    }

    /// True only where [`assert_is`](Self::assert_is) fails for what has this value and these norms.
    fn refuses(&self, wrong: &Wrong) -> bool {
        let tolerance = BACKEND.tests.gradients;
        let is_other_gradient = |(tensor, length): (&String, &f64)| {
            let gradient = &self.gradients[tensor];
            let most = tolerance * self.scale(tensor) * (gradient.len() as f64).sqrt();
            (norm(gradient) - length).abs() > most
        };
        (wrong.value - self.value).abs() > tolerance * self.value.abs() || wrong.lengths.iter().any(is_other_gradient)
    }
}

impl Case {
    fn discriminator(&self) -> AnyDiscriminator<B> {
        let text = serde_json::to_string(&self.settings).unwrap();
        let config: NetworkConfig = match self.network.as_str() {
            "mlp" => serde_json::from_str::<MlpConfig>(&text).unwrap().into(),
            "resnet" => serde_json::from_str::<ResnetConfig>(&text).unwrap().into(),
            _ => {
                let given: DcganConfig = serde_json::from_str(&text).unwrap();
                DcganConfig {
                    discriminator_normalization: match given.discriminator_normalization {
                        // Where the case says nothing.
                        Normalization::Batch => Normalization::None,
                        given => given,
                    },
                    ..given
                }
                .into()
            }
        };
        let (mut rng, device) = (keyed_rng(0, Purpose::DiscriminatorWeights, 0), device());
        let init = &mut Init::<B>::new(&mut rng, &device);
        let discriminator = config.discriminator(ImageShape::from(self.image).into(), init).unwrap();
        let value = |tensor: &NamedTensor, u: f64| {
            let scale = match tensor.shape.as_slice() {
                [_] if tensor.name.contains("spectral") => 1.0,
                [_] => 0.05,
                shape => kernel_scale(shape),
            };
            let is_scale = tensor.name.starts_with("norms") && tensor.name.ends_with("weight");
            let middle = if is_scale { 1.0 } else { 0.0 };
            middle + (scale * u) as f32
        };
        patterned::<B, _>(discriminator, 500, value)
    }

    fn images(&self) -> Tensor<B, 4> {
        let [channels, height, width] = self.image;
        pattern_tensor(2000, 1.0, [BATCH, channels, height, width], &device())
    }
}

/// The same with weights that no backward pass has been through: Burn 0.21 may lose the gradients of a second one, in whose graph it finds
/// some of the first. In training every update makes new weights.
fn fresh(discriminator: &AnyDiscriminator<B>) -> AnyDiscriminator<B> {
    apply_named_tensors(discriminator.clone(), named_tensors::<B, _>(discriminator)).unwrap()
}

/// A penalty's value and its gradient by the names of the weights.
fn penalized(discriminator: &AnyDiscriminator<B>, images: Tensor<B, 4>, penalty: GradientPenalty) -> (f64, Named) {
    let _lock = crate::lock();
    let discriminator = &fresh(discriminator);
    // The logits' graph must be gone when the penalty's goes back (`Objective`).
    let gradient = discriminator.forward_recorded(images, None).gradient;
    let loss = penalty.of(gradient.compute(&device()).unwrap());
    let value = values::<Inner, 1>(loss.clone().inner())[0];
    let gradients = GradientsParams::from_grads(loss.backward(), discriminator);
    (f64::from(value), named(discriminator, &gradients))
}

type Named = BTreeMap<String, Vec<f64>>;

fn named(discriminator: &AnyDiscriminator<B>, gradients: &GradientsParams) -> Named {
    let found = gradient_values(discriminator, gradients).into_iter();
    let tensors = named_tensors::<B, _>(discriminator).into_iter();
    let pair = |(tensor, gradient): (NamedTensor, Option<Vec<f32>>)| {
        // The last bias moves no gradient with respect to the images.
        let gradient = gradient.unwrap_or_else(|| vec![0.0; tensor.values.len()]);
        (tensor.name, gradient.into_iter().map(f64::from).collect())
    };
    // Buffers have none.
    let is_trained = |tensor: &NamedTensor| !tensor.name.contains("spectral");
    tensors
        .zip(found)
        .filter(|(tensor, _)| is_trained(tensor))
        .map(pair)
        .collect()
}

fn length(gradients: &Named) -> f64 {
    norm(gradients.values().flatten())
}

fn norm<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let squares = values.into_iter().map(|value| value * value);
    squares.sum::<f64>().sqrt()
}

#[test]
fn exact_penalties_and_their_gradients_are_those_of_double_backpropagation() {
    let tolerance = BACKEND.tests.gradients;
    let document: Document = read("objectives");
    for case in document.penalties {
        let (discriminator, images) = (case.discriminator(), case.images());
        let name = format!("{} {:?} of {:?}", case.network, case.settings, case.image);
        let recorded = discriminator.forward_recorded(images.clone(), None);
        let logits = values::<Inner, 2>(recorded.logits.inner());
        for (found, expected) in logits.iter().zip(&case.logits) {
            assert_near(&name, f64::from(*found), *expected, 1.0, tolerance);
        }
        let moved = recorded.updates.apply(discriminator.clone());
        let moved: BTreeMap<String, Vec<f32>> = named_tensors::<B, _>(&moved)
            .into_iter()
            .map(|tensor| (tensor.name, tensor.values))
            .collect();
        for (buffer, expected) in &case.buffers {
            assert_eq!(moved[buffer].len(), expected.len());
            for (found, expected) in moved[buffer].iter().zip(expected) {
                assert_near(buffer, f64::from(*found), *expected, 1.0, tolerance);
            }
        }
        let gradient = recorded.gradient;
        let found = values::<Inner, 4>(gradient.compute(&device()).unwrap().inner());
        let largest = case
            .input_gradient
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        assert_eq!(found.len(), case.input_gradient.len());
        for (found, expected) in found.iter().zip(&case.input_gradient) {
            assert_near(&name, f64::from(*found), *expected, largest, tolerance);
        }
        for (penalty, key) in [(GradientPenalty::R1, "r1"), (GradientPenalty::Interpolated, "gradient")] {
            let (value, gradients) = penalized(&discriminator, images.clone(), penalty);
            case.penalties[key].assert_is(value, &gradients, &format!("{key} of {name}"));
            // The mistakes of public bug reports would not pass.
            assert!(case.wrong[key].len() >= 4);
            for (mistake, wrong) in &case.wrong[key] {
                assert!(case.penalties[key].refuses(wrong), "{key} of {name}: {mistake}");
            }
            // Burn's operations alone do the same.
            let (plain, of_plain) = without_fused(|| penalized(&discriminator, images.clone(), penalty));
            assert_near(&name, plain, value, value, tolerance);
            let difference: Named = of_plain
                .into_iter()
                .map(|(name, values)| {
                    let others = gradients[&name].iter();
                    (
                        name,
                        values.iter().zip(others).map(|(one, other)| one - other).collect(),
                    )
                })
                .collect();
            assert!(length(&difference) <= tolerance * length(&gradients), "{name}");
        }
    }
}

/// An objective's loss of a discriminator and its gradient by the names of the weights.
fn minimized(
    discriminator: &AnyDiscriminator<B>,
    objective: &ObjectiveConfig,
    batch: &Batch<B>,
    fake: &Tensor<B, 4>,
    report: &mut Report<Inner>,
) -> (f64, Named) {
    let discriminator = fresh(discriminator);
    let found =
        discriminator_gradients::<B, AnyGenerator<B>, _>(&discriminator, objective, batch, fake.clone(), report);
    let loss = f64::from(values::<Inner, 1>(found.loss)[0]);
    (loss, named(&discriminator, &found.gradients))
}

/// The objective takes the norm over all images that a logit is of: those that are packed are one.
#[test]
fn an_objective_penalizes_the_gradient_of_each_logit() {
    let objective = ObjectiveConfig {
        // Real and generated images are the same, so there is nothing but the penalty.
        loss: AdversarialLoss::Wasserstein,
        r1: 1.0,
        ..ObjectiveConfig::default()
    };
    let document: Document = read("objectives");
    let packed = document
        .penalties
        .iter()
        .filter(|case| case.settings.contains_key("packing"));
    assert_eq!(packed.count(), 2);
    for case in document.penalties {
        let batch = Batch::without_labels(case.images(), Tensor::zeros([BATCH, 2], &device()), 5);
        let report = &mut Report::default();
        let (loss, gradients) = minimized(&case.discriminator(), &objective, &batch, &case.images(), report);
        let name = format!("{} {:?} of {:?}", case.network, case.settings, case.image);
        case.of_logits.assert_is(loss, &gradients, &name);
    }
}

/// The objective of an experiment adds the penalties, each times its weight, to the loss; lazily times the number of steps between.
#[test]
fn an_objective_adds_penalties_times_their_weights() {
    let document: Document = read("objectives");
    let case = &document.penalties[1];
    let discriminator = case.discriminator();
    let fake = pattern_tensor::<B, 4>(2100, 1.0, [BATCH, 1, 28, 28], &device());
    let found = |objective: ObjectiveConfig, number: u64, fake: &Tensor<B, 4>| {
        let batch = Batch {
            images: case.images(),
            labels: None,
            fake_labels: None,
            strength: Default::default(),
            z: Tensor::zeros([BATCH, 2], &device()),
            number,
            seed: 5,
        };
        let mut report = Report::default();
        let (loss, gradients) = minimized(&discriminator, &objective, &batch, fake, &mut report);
        let numbers: BTreeMap<String, f64> = report.read_with(Vec::new()).0.into_iter().collect();
        (loss, gradients, numbers)
    };
    let plain = ObjectiveConfig::default();
    let (loss, of_loss, _) = found(plain.clone(), 0, &fake);
    let penalty = |images: Tensor<B, 4>| penalized(&discriminator, images, GradientPenalty::R1);
    let (real, of_real) = penalty(case.images());
    let (generated, of_generated) = penalty(fake.clone());
    let both = ObjectiveConfig {
        r1: 0.5,
        r2: 3.0,
        ..plain.clone()
    };
    let lazily = ObjectiveConfig {
        penalty_every: 4,
        ..both.clone()
    };
    for (objective, number, times) in [(&both, 3, 1.0), (&lazily, 7, 4.0), (&lazily, 8, 0.0)] {
        let (found, gradients, numbers) = found(objective.clone(), number, &fake);
        let expected = loss + times * (0.5 * real + 3.0 * generated);
        assert_near("loss", found, expected, expected, 1e-5);
        for (name, found) in gradients {
            let parts = of_loss[&name].iter().zip(&of_real[&name]).zip(&of_generated[&name]);
            for (found, ((loss, real), generated)) in found.iter().zip(parts) {
                let expected = loss + times * (0.5 * real + 3.0 * generated);
                assert_near(&name, *found, expected, 1.0, BACKEND.tests.gradients);
            }
        }
        assert_eq!(numbers.contains_key("penalty/r1"), times > 0.0);
        if times > 0.0 {
            assert_near("r1", numbers["penalty/r1"], real, real, 1e-5);
            assert_near("r2", numbers["penalty/r2"], generated, generated, 1e-5);
        }
    }
    // Between the same images there is nothing but them, whatever is drawn.
    let between = ObjectiveConfig {
        gradient_penalty: 10.0,
        ..plain.clone()
    };
    let same = found(between, 0, &case.images());
    let (of_real, _) = penalized(&discriminator, case.images(), GradientPenalty::Interpolated);
    assert_near("on real images", same.2["penalty/gradient"], of_real, of_real, 1e-5);
    let (loss_of_same, _, _) = found(ObjectiveConfig::default(), 0, &case.images());
    assert_near("loss", same.0, loss_of_same + 10.0 * of_real, same.0, 1e-5);
}
