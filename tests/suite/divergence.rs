//! Numbers that are not finite: the step, the tensor and the last good checkpoint are reported.

use std::{fs, path::Path};

use ganvas_model::{NamedTensor, from_safetensors, to_safetensors};
use ganvas_training::{Checkpoint, Sampler, TrainingError};
use sha2::{Digest, Sha256};

use crate::{
    Inner, ON_CUBECL,
    determinism::{begin, experiment, go_on},
    device,
};

#[test]
fn diverging_stops_with_the_step_and_saves_nothing_bad() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let wild = experiment(&["checkpoint.every=1", "optimizer.discriminator.learning_rate=1e38"]);
    let error = begin(&wild, &path, u64::MAX).unwrap_err();
    let TrainingError::Diverged { step, .. } = &error else {
        panic!("expected a divergence, found {error}");
    };
    assert!((1..=6).contains(step), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("at step {step}")), "{text}");
    // Which tensor, and where to go back to.
    assert!(
        text.contains("`linear.") || text.contains("`input.") || text.contains("`conv"),
        "{text}"
    );
    assert!(text.contains("checkpoint"), "{text}");
    // What is there can be read and is finite.
    if let Ok(checkpoint) = Checkpoint::find(&path) {
        let generator = checkpoint
            .sampling_generator::<Inner, _>(&wild.model, &device())
            .unwrap();
        let images = Sampler::new(0, 2, 8).images(&generator, &device());
        assert!(images.iter().all(|value| value.is_finite()));
    }
}

/// Changes tensors of a run's newest checkpoint, and its checksums with them.
fn change(run: &Path, file: &str, change: impl Fn(&mut NamedTensor)) {
    let checkpoint = Checkpoint::find(run).unwrap().path().to_owned();
    let before = fs::read(checkpoint.join(file)).unwrap();
    let mut tensors = from_safetensors(&before).unwrap();
    tensors.iter_mut().for_each(change);
    let after = to_safetensors(&tensors, [("format".to_owned(), "pt".to_owned())]).unwrap();
    let sum = |bytes: &[u8]| {
        Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let sums = fs::read_to_string(checkpoint.join("SHA256SUMS")).unwrap();
    let changed = sums.replace(&sum(&before), &sum(&after));
    assert_ne!(sums, changed);
    fs::write(checkpoint.join("SHA256SUMS"), changed).unwrap();
    fs::write(checkpoint.join(file), after).unwrap();
}

/// The error of a run of six steps whose first two are trained, and a file of whose checkpoint was changed.
#[track_caller]
fn error_after(set: &[&str], file: &str, changed: impl Fn(&mut NamedTensor)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let experiment = experiment(&[&["training.epochs=2", "checkpoint.every=0", "samples.every=0"], set].concat());
    begin(&experiment, &path, 2).unwrap();
    change(&path, file, changed);
    let error = go_on(&experiment, &path, u64::MAX).unwrap_err();
    assert!(matches!(error, TrainingError::Diverged { .. }), "{error}");
    let text = error.to_string();
    let good = path.join("checkpoints/step-000002");
    assert!(
        text.contains(&format!("the last good checkpoint is {}", good.display())),
        "{text}"
    );
    assert!(!path.join("checkpoints/step-000006").exists());
    text
}

#[test]
fn a_loss_that_is_no_number_is_reported_with_its_step_and_a_tensor() {
    for file in ["generator", "discriminator"] {
        let text = error_after(&["logging.every=1000"], &format!("{file}.safetensors"), |tensor| {
            if tensor.name == "linear.weight" {
                tensor.values[0] = f32::NAN;
            }
        });
        assert!(
            text.starts_with("`loss/discriminator` is NaN at step 3; the "),
            "{text}"
        );
        assert!(text.contains(".weight` and "), "{text}");
    }
}

#[test]
fn a_gradient_that_overflows_is_reported_with_its_tensor_though_the_losses_are_finite() {
    // Where an update is one pass over memory, every step's gradients are looked at, elsewhere those that are logged.
    let rarely = ["logging.every=1000"];
    let settings = [&["logging.every=1"][..], &rarely];
    for set in &settings[..if ON_CUBECL { 1 } else { 2 }] {
        let text = error_after(set, "discriminator.safetensors", |tensor| {
            if tensor.name == "linear.weight" {
                // The logits, and with them the losses, are as large as this; squares of the gradients before it are beyond 32 bits.
                tensor.values.iter_mut().for_each(|value| *value *= 1e23);
            }
        });
        assert!(
            text.starts_with("norm of the gradient of the discriminator's `") && text.contains("` is inf at step 3; "),
            "{text}"
        );
    }
}

#[test]
fn a_moment_that_is_no_number_is_noticed_before_it_is_saved() {
    // The weights do not follow an infinite second moment: without this they would stand still and nothing would show.
    let text = error_after(&[], "optimizer_discriminator.safetensors", |tensor| {
        if tensor.name == "linear.weight.exp_avg_sq" {
            tensor.values[0] = f32::INFINITY;
        }
    });
    assert!(
        text.starts_with(
            "a value of `linear.weight.exp_avg_sq` in optimizer_discriminator.safetensors is inf at step 6; "
        ),
        "{text}"
    );
}
