//! Three training steps against Keras: losses, every gradient, every weight and running statistic after each step.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    AdversarialLoss, AnyGenerator, BlogConfig, DcganConfig, Discriminator, Generator, ImageShape, Init, MlpConfig,
    NamedTensor, NetworkConfig, Networks, Report, apply_named_tensors, named_tensors,
};
use ganvas_training::{
    AdamVariant, Optimizer, OptimizerConfig, OptimizerKind, TrainingState, UpdateRule, discriminator_gradients,
    generator_gradients, training_step,
};

pub type State = TrainingState<B, NetworkConfig>;

use crate::{
    B, BACKEND, Inner, assert_near, device,
    golden::{self, Case, Figure, Layout, Row, Spec, step_batch, values},
};

/// The gradients of a module's trainable parameters, in the order of its fields.
pub fn gradient_values<M: Module<B>>(module: &M, gradients: &GradientsParams) -> Vec<Option<Vec<f32>>> {
    struct Visitor<'a> {
        gradients: &'a GradientsParams,
        found: Vec<Option<Vec<f32>>>,
    }
    impl ModuleVisitor<B> for Visitor<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.found.push(self.gradients.get::<Inner, D>(param.id).map(values));
        }
    }
    let mut visitor = Visitor {
        gradients,
        found: Vec::new(),
    };
    module.visit(&mut visitor);
    visitor.found
}

/// One network before and after one step.
struct Moved<'a> {
    specs: &'a [Spec],
    rows: &'a [Row],
    before: Vec<NamedTensor>,
    after: Vec<NamedTensor>,
    gradients: Vec<Option<Vec<f32>>>,
}

impl<'a> Moved<'a> {
    /// With all values in Keras' order.
    fn new(
        layout: Layout,
        (specs, rows): (&'a [Spec], &'a [Row]),
        [before, after]: [Vec<NamedTensor>; 2],
        gradients: Vec<Option<Vec<f32>>>,
    ) -> Self {
        let gradients = gradients.into_iter().zip(&before).map(|(values, tensor)| {
            let tensor = NamedTensor {
                values: values?,
                ..tensor.clone()
            };
            Some(layout.to_keras(tensor).values)
        });
        let gradients = gradients.collect();
        let in_order = |tensors: Vec<NamedTensor>| tensors.into_iter().map(|tensor| layout.to_keras(tensor)).collect();
        Self {
            specs,
            rows,
            before: in_order(before),
            after: in_order(after),
            gradients,
        }
    }
}

/// Holds one network after one step to the golden rows.
fn check_network(at: &str, case: &Case, step: usize, moved: &Moved<'_>) {
    let Moved {
        specs,
        rows,
        before,
        after,
        gradients,
    } = moved;
    let names = |tensors: &[NamedTensor]| tensors.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        names(after),
        rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>(),
        "{at}"
    );
    let tolerances = BACKEND.tests;
    let tolerance = |quantity: &str, tolerance| case.tolerance(quantity, step, tolerance);
    for (index, (spec, row)) in specs.iter().zip(*rows).enumerate() {
        let what = format!("{} {at}", row.name);
        let t = 3000 + spec.number;
        Figure::of(&after[index].values, t).assert_near(
            &what,
            row.value,
            tolerance("value_norm", tolerances.values),
            tolerance("value_projection", tolerances.values),
        );
        if let Some(expected) = row.gradient {
            let found = gradients[index]
                .as_ref()
                .unwrap_or_else(|| panic!("{what} has no gradient"));
            Figure::of(found, t).assert_near(
                &format!("gradient of {what}"),
                expected,
                tolerance("gradient_norm", tolerances.gradients),
                tolerance("gradient_projection", tolerances.gradients),
            );
        }
        // Adam divides by the gradient's own size, so the update of a value whose gradient is nearly zero depends on its
        // last bits: single values may differ, the update as a whole may not.
        let update: Vec<f32> = after[index]
            .values
            .iter()
            .zip(&before[index].values)
            .map(|(after, before)| after - before)
            .collect();
        Figure::of(&update, t).assert_near(
            &format!("update of {what}"),
            row.update,
            tolerance("update_norm", 20.0 * tolerances.gradients),
            tolerance("update_projection", 20.0 * tolerances.gradients),
        );
    }
}

/// A copy whose parameters are tensors of their own. Burn 0.21 loses gradients where two waiting graphs share a parameter,
/// and here the step and the test take the same gradients.
fn with_own_leaves(state: &State) -> State {
    let (generator, discriminator) = (named_tensors(&state.generator), named_tensors(&state.discriminator));
    TrainingState {
        generator: apply_named_tensors(state.generator.clone(), generator).unwrap(),
        discriminator: apply_named_tensors(state.discriminator.clone(), discriminator).unwrap(),
        ..state.clone()
    }
}

/// Networks with the weights of the formula, and new optimizers.
pub fn first_state(case: &Case, network: &NetworkConfig, adam: OptimizerConfig) -> State {
    let (mut rng, device) = (keyed_rng(0, Purpose::GeneratorWeights, 0), device());
    let layout = Layout::of(network);
    let initial = |specs: &[Spec]| {
        let tensors = specs.iter().map(|spec| layout.to_ours(spec.initial()));
        tensors.collect::<Vec<_>>()
    };
    let mut init = Init::<B>::new(&mut rng, &device);
    let generator = network.generator(GREY.into(), &mut init).unwrap();
    let discriminator = network.discriminator(GREY.into(), &mut init).unwrap();
    assert_eq!(generator.latent_size(), case.config.latent);
    State {
        generator: apply_named_tensors(generator, initial(&case.tensors.generator)).unwrap(),
        discriminator: apply_named_tensors(discriminator, initial(&case.tensors.discriminator)).unwrap(),
        optimizer_generator: Optimizer::new(adam),
        optimizer_discriminator: Optimizer::new(adam),
        ema: None,
        step: 0,
    }
}

fn check(name: &str, network: &NetworkConfig, adam: OptimizerConfig, update: UpdateRule, loss: AdversarialLoss) {
    let case: Case = golden::read(name);
    let tolerances = BACKEND.tests;
    let mut state = first_state(&case, network, adam);
    assert_eq!(case.steps.len(), 3);
    for (index, golden) in case.steps.iter().enumerate() {
        let at = format!("in {name} at step {}", index + 1);
        let batch = step_batch::<B>(&case, index, &device());
        let before = with_own_leaves(&state);
        let _lock = crate::lock();
        let (fake, _) = before.generator.forward_training(batch.z.clone(), None);
        if index == 0 {
            let pixels = values(fake.clone());
            for &(pixel, expected) in &case.fake.samples {
                let found = f64::from(pixels[pixel]);
                assert_near(
                    &format!("pixel {pixel} {at}"),
                    found,
                    expected,
                    case.fake.std,
                    tolerances.values,
                );
            }
            let mean = pixels.iter().map(|&value| f64::from(value)).sum::<f64>() / pixels.len() as f64;
            assert_near(
                &format!("mean {at}"),
                mean,
                case.fake.mean,
                case.fake.std,
                tolerances.values,
            );
        }
        for (images, kind) in [(&fake, "fake"), (&batch.images, "real")] {
            let expected = &golden.logits[kind];
            let scale = expected.iter().fold(0f64, |scale, value| scale.max(value.abs()));
            for (found, &expected) in values(before.discriminator.forward_training(images.clone(), None).0)
                .into_iter()
                .zip(expected)
            {
                assert_near(
                    &format!("{kind} logit {at}"),
                    f64::from(found),
                    expected,
                    scale,
                    tolerances.gradients,
                );
            }
        }

        let mut report = Report::default();
        let of_discriminator = discriminator_gradients::<B, AnyGenerator<B>, _>(
            &before.discriminator,
            &loss,
            &batch,
            fake.clone(),
            &mut report,
        );
        let (next, metrics) = training_step(state, update, &loss, batch.clone().into(), true);
        state = next;
        let judge = match update {
            UpdateRule::Simultaneous => &before.discriminator,
            UpdateRule::Alternating => &with_own_leaves(&state).discriminator,
        };
        let of_generator = generator_gradients(&before.generator, judge, &loss, &batch, fake, &mut report);

        let scalar = |tensor: Tensor<Inner, 1>| f64::from(values(tensor)[0]);
        let (numbers, _) = metrics.report.read_with(Vec::new());
        let number = |name: &str| numbers.iter().find(|(known, _)| known == name).unwrap().1;
        assert_near(
            &format!("d_loss {at}"),
            number("loss/discriminator"),
            golden.d_loss,
            golden.d_loss.abs(),
            tolerances.values,
        );
        assert_near(
            &format!("g_loss {at}"),
            number("loss/generator"),
            golden.g_loss,
            golden.g_loss.abs(),
            tolerances.values,
        );
        let [norm_d, norm_g] = metrics
            .gradient_squares
            .expect("they were asked for")
            .map(|squares| scalar(squares.sum().sqrt()));
        for (what, found, rows) in [
            ("discriminator", norm_d, &golden.discriminator),
            ("generator", norm_g, &golden.generator),
        ] {
            let expected = rows
                .iter()
                .filter_map(|row| row.gradient)
                .map(|figure| figure.norm.powi(2))
                .sum::<f64>()
                .sqrt();
            assert_near(
                &format!("{what}'s gradient norm {at}"),
                found,
                expected,
                expected,
                tolerances.gradients,
            );
        }

        let layout = Layout::of(network);
        let of_discriminator = Moved::new(
            layout,
            (&case.tensors.discriminator, &golden.discriminator),
            [&before.discriminator, &state.discriminator].map(named_tensors),
            gradient_values(&before.discriminator, &of_discriminator.gradients),
        );
        check_network(&format!("of the discriminator {at}"), &case, index, &of_discriminator);
        let of_generator = Moved::new(
            layout,
            (&case.tensors.generator, &golden.generator),
            [&before.generator, &state.generator].map(named_tensors),
            gradient_values(&before.generator, &of_generator.gradients),
        );
        check_network(&format!("of the generator {at}"), &case, index, &of_generator);
    }
}

pub const PYTORCH_ADAM: OptimizerConfig = OptimizerConfig {
    kind: OptimizerKind::Adam,
    learning_rate: 2e-4,
    beta1: 0.5,
    beta2: 0.999,
    epsilon: 1e-8,
    variant: AdamVariant::Pytorch,
    momentum: 0.0,
    weight_decay: 0.0,
    clip_gradients: 0.0,
    clip_weights: 0.0,
};

pub const GREY: ImageShape = ImageShape::new(1, 28, 28);

#[test]
fn the_blogs_network_trains_as_in_keras() {
    let adam = OptimizerConfig {
        learning_rate: 1e-4,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-7,
        variant: AdamVariant::Keras,
        ..PYTORCH_ADAM
    };
    let network = BlogConfig::default().into();
    let loss = AdversarialLoss::NonSaturating;
    check("blog", &network, adam, UpdateRule::Simultaneous, loss);
}

pub fn small_dcgan() -> NetworkConfig {
    let config = DcganConfig {
        latent_size: 16,
        base_channels: 8,
        ..DcganConfig::default()
    };
    config.into()
}

pub fn small_mlp() -> NetworkConfig {
    let config = MlpConfig {
        latent_size: 16,
        hidden_sizes: vec![32, 48],
        ..MlpConfig::default()
    };
    config.into()
}

#[test]
fn dcgan_trains_as_in_keras() {
    let loss = AdversarialLoss::NonSaturating;
    check("dcgan", &small_dcgan(), PYTORCH_ADAM, UpdateRule::Alternating, loss);
}

#[test]
fn mlp_trains_as_in_keras() {
    let loss = AdversarialLoss::Minimax;
    check("mlp", &small_mlp(), PYTORCH_ADAM, UpdateRule::Simultaneous, loss);
}
