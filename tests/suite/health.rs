//! Trainings that go wrong, and the hints that they bring.

use ganvas_training::{Hint, MetricsLine, Observer, RunDirectory, train};

use crate::{
    B, ON_CUBECL,
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
    let steps = if ON_CUBECL {
        "training.max_steps=70"
    } else {
        "training.max_steps=200"
    };
    let common = [
        "training.epochs=100",
        steps,
        "logging.every=2",
        "samples.every=0",
        "checkpoint.every=0",
    ];
    let experiment = experiment(&[&common, set].concat());
    let folder = tempfile::tempdir().unwrap();
    let run = RunDirectory::create(Some(&folder.path().join("run")), &experiment.name).unwrap();
    let mut listener = Listener::default();
    // Only the hints matter here.
    let images = images(&experiment);
    let _ = train::<B, _, _>(&experiment, &images, &mut [], &run, None, &device(), &mut listener);
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
fn images_that_are_all_alike_are_reported() {
    // A generator that runs off to where tanh is flat.
    let found = hints(&[
        "optimizer.generator.learning_rate=10",
        "optimizer.discriminator.learning_rate=1e-12",
    ]);
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
