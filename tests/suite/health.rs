//! Trainings that go wrong, and the hints that they bring.

use std::sync::Arc;

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};
use ganvas_data::ImageSource;
use ganvas_model::{
    DataShape, Generator, ImageShape, Init, Labels, MlpConfig, MlpDiscriminator, ModelError, NetworkSettings, Networks,
    Objective, ObjectiveConfig, Pass, TrainableNetworks,
};
use ganvas_training::{Experiment, Hint, MetricsLine, Observer, Overrides, RunDirectory, parse_experiment, train};
use serde::{Deserialize, Serialize};

use crate::{
    B, KIND,
    determinism::{experiment, images},
    device,
};

/// Remembers the hints.
#[derive(Default)]
struct Listener(Vec<Hint>);

impl Observer for Listener {
    fn logged(&mut self, line: &MetricsLine) {
        if std::env::var_os("GANVAS_TEST_SHOW").is_some() {
            println!("{line:?}");
        }
    }
    fn warned(&mut self, step: u64, hint: Hint) {
        assert!(step > 50);
        self.0.push(hint);
    }
}

/// The hints of a training, which may diverge in the end.
fn hints(set: &[&str]) -> Vec<Hint> {
    let common = [
        "training.epochs=100",
        "training.max_steps=200",
        "logging.every=2",
        "samples.every=0",
        "checkpoint.every=0",
    ];
    let experiment = experiment(&[&common, set].concat());
    hints_of(&experiment, &images(&experiment))
}

fn hints_of<N: TrainableNetworks<B>>(experiment: &Experiment<N>, images: &Arc<dyn ImageSource>) -> Vec<Hint>
where
    ObjectiveConfig: Objective<B, N::Generator, N::Discriminator>,
{
    let folder = tempfile::tempdir().unwrap();
    let run = RunDirectory::create(Some(&folder.path().join("run")), &experiment.name).unwrap();
    let mut listener = Listener::default();
    // Only the hints matter here.
    let _ = train::<B, _, _>(experiment, images, &mut [], &run, None, &device(), &mut listener);
    listener.0
}

#[test]
fn a_healthy_training_brings_no_hint() {
    assert_eq!(hints(&[]), []);
}

#[test]
fn a_discriminator_that_wins_is_reported() {
    let still = "optimizer.generator.learning_rate=1e-12";
    let found = hints(&[still, "optimizer.discriminator.learning_rate=1e-2"]);
    assert!(found.contains(&Hint::DiscriminatorWon), "{found:?}");
}

#[test]
fn a_discriminator_that_is_wrong_is_reported() {
    let still = "optimizer.discriminator.learning_rate=1e-12";
    let found = hints(&[still, "optimizer.generator.learning_rate=1e-2"]);
    assert!(found.contains(&Hint::DiscriminatorWrong), "{found:?}");
}

/// A generator that does not look at its noise: what a collapsed one comes to, on every backend.
#[derive(Module, Debug)]
struct FlatGenerator<B: Backend> {
    level: Param<Tensor<B, 1>>,
}

impl<B: Backend> Generator<B> for FlatGenerator<B> {
    fn latent_size(&self) -> usize {
        4
    }
    fn image_shape(&self) -> ImageShape {
        ImageShape::new(1, 28, 28)
    }
    fn forward_pass(&self, z: Tensor<B, 2>, _labels: Option<Labels<B>>, _pass: &mut Pass<B>) -> Tensor<B, 4> {
        let black = Tensor::zeros([z.dims()[0], 1, 28, 28], &z.device());
        black + self.level.val().reshape([1, 1, 1, 1])
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Flat {}

impl NetworkSettings for Flat {}

impl<B: Backend> Networks<B> for Flat {
    type Generator = FlatGenerator<B>;
    type Discriminator = MlpDiscriminator<B>;

    fn generator(&self, _: DataShape, init: &mut Init<'_, B>) -> Result<FlatGenerator<B>, ModelError> {
        let level = init.constant(1, 0.0);
        Ok(FlatGenerator { level })
    }
    fn discriminator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<MlpDiscriminator<B>, ModelError> {
        MlpConfig::default().discriminator(data, init)
    }
}

#[test]
fn images_that_are_all_alike_are_reported() {
    let text = format!(
        "[backend]\nkind = \"{KIND}\"\n[data]\nbatch_size = 16\ncount = 40\n[model]\n[training]\nepochs = 100\n\
         max_steps = 70\n[logging]\nevery = 2\n[samples]\nevery = 0\n[checkpoint]\nevery = 0\n"
    );
    let flat: Experiment<Flat> = parse_experiment(&text, "flat.toml", "flat", &Overrides::default()).unwrap();
    let found = hints_of(&flat, &images(&experiment(&[])));
    assert!(found.contains(&Hint::ImagesAlike), "{found:?}");
}

#[test]
fn gradients_that_vanish_are_reported() {
    let still = "optimizer.generator.learning_rate=1e-12";
    let found = hints(&[
        still,
        "optimizer.discriminator.learning_rate=1",
        "objective.loss=minimax",
    ]);
    assert!(found.contains(&Hint::GradientsVanished), "{found:?}");
}

#[test]
fn gradients_that_explode_are_reported() {
    let found = hints(&["optimizer.discriminator.learning_rate=100"]);
    assert!(found.contains(&Hint::GradientsExploded), "{found:?}");
}
