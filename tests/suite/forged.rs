//! Checkpoints whose checksums fit and whose content does not, restored: whole or refused, never a panic, and never networks
//! larger than the files.

#[path = "../../crates/training/tests/fuzz/forging.rs"]
mod forging;
#[path = "../../crates/training/tests/fuzz/memory.rs"]
mod memory;
#[path = "../../crates/training/tests/fuzz/mutation.rs"]
mod mutation;

use std::fs;

use ganvas_model::{Generator, NetworkConfig, from_safetensors, to_safetensors};
use ganvas_training::{Checkpoint, Experiment, Sampler, TrainingError, TrainingState};
use proptest::prelude::*;

use crate::{AT_EVERY_PLACE, B, Inner, device};
use forging::{committed, forged, leak};
use memory::{assert_modest, memory};
use mutation::{cases, changed};

/// Draws images, as `generate` does.
fn draw(found: &Checkpoint) -> Result<(), TrainingError> {
    let experiment: Experiment = found.experiment()?;
    let generator = found.sampling_generator::<Inner, _>(&experiment.model, &device())?;
    let images = Sampler::new(1, 2, generator.latent_size())
        .of_classes(found.state.images.classes.as_ref())
        .images(&generator, &device());
    assert_eq!(images.len(), 2 * found.image().len());
    Ok(())
}

/// Takes up the training, as `train --resume` does.
fn restore(found: &Checkpoint) -> Result<(), TrainingError> {
    let experiment: Experiment = found.experiment()?;
    let state: TrainingState<B, NetworkConfig> = found.restore(&experiment, &device())?;
    assert_eq!(state.step, found.state.step);
    Ok(())
}

/// Opens, draws from and restores a checkpoint with this file in it.
fn take_up(name: &str, bytes: &[u8]) -> Result<(), TrainingError> {
    let folder = forged(name, bytes);
    let files = fs::read_dir(folder.path()).unwrap();
    let size: u64 = files.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    let (drawn, held) = memory(|| Checkpoint::find(folder.path()).and_then(|found| draw(&found)));
    // The generator on the host and on the device for a moment, and the pixels of two images in every layer.
    assert_modest("a checkpoint", held, size as usize, 20);
    // Not measured: burn-autodiff keeps an entry for each tensor whose gradient nobody asked for, and its table grows at times.
    let restored = Checkpoint::find(folder.path()).and_then(|found| restore(&found));
    let result = drawn.and(restored);
    if let Err(error) = &result {
        let is_named = error.to_string().contains(&folder.path().display().to_string());
        assert!(
            matches!(
                error,
                TrainingError::DamagedCheckpoint { .. }
                    | TrainingError::ForeignCheckpoint { .. }
                    | TrainingError::OtherFormat { .. }
            ) && is_named,
            "{error}"
        );
    }
    result
}

fn strategy() -> ProptestConfig {
    // What the backend takes once for itself is not the checkpoint's.
    take_up("", &[]).unwrap();
    cases(if AT_EVERY_PLACE { 300 } else { 30 })
}

proptest! {
    #![proptest_config(strategy())]

    #[test]
    fn configurations(bytes in changed(committed("config.toml"))) {
        let _ = take_up("config.toml", &bytes);
    }

    #[test]
    fn states(bytes in changed(committed("state.json"))) {
        let _ = take_up("state.json", &bytes);
    }

    #[test]
    fn weights(bytes in changed(committed("generator.safetensors"))) {
        let _ = take_up("generator.safetensors", &bytes);
    }

    #[test]
    fn discriminators(bytes in changed(committed("discriminator.safetensors"))) {
        let _ = take_up("discriminator.safetensors", &bytes);
    }

    #[test]
    fn moments(bytes in changed(committed("optimizer_discriminator.safetensors"))) {
        let _ = take_up("optimizer_discriminator.safetensors", &bytes);
    }
}

#[test]
fn networks_larger_than_their_files_are_not_built() {
    for (key, larger) in [
        ("base_channels", "base_channels = 2048"),
        ("latent_size", "latent_size = 16384"),
    ] {
        let text = String::from_utf8(committed("config.toml").to_vec()).unwrap();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        let bytes = leak(text.replace(line, larger).into_bytes());
        let error = take_up("config.toml", bytes).unwrap_err().to_string();
        let expected = "config.toml is damaged: asks for networks of more values than their files can hold";
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn tensors_that_do_not_fit_are_named_with_their_file() {
    type Change = fn(&mut Vec<ganvas_model::NamedTensor>);
    let changes: [(&str, Change, &str); 3] = [
        (
            "generator.safetensors",
            // A large one would make the file too small for the network, which is reported in other words.
            |tensors| tensors.retain(|tensor| tensor.name != "norm.bias"),
            "is missing",
        ),
        (
            "discriminator.safetensors",
            |tensors| tensors[0].shape.push(1),
            "has shape",
        ),
        (
            "optimizer_generator.safetensors",
            |tensors| tensors[0].name.push('x'),
            "is missing",
        ),
    ];
    for (file, change, expected) in changes {
        let mut tensors = from_safetensors(committed(file)).unwrap();
        change(&mut tensors);
        let bytes = to_safetensors(&tensors, []).unwrap();
        let error = take_up(file, &bytes).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(expected), "{error}");
    }
}
