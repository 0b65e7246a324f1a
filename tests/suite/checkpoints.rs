//! Checkpoints: what they hold, damage noticed and named.

use std::{fs, path::Path};

use ganvas_model::from_safetensors;
use ganvas_training::{Checkpoint, Outcome, Sampler, TrainingError};

use crate::{
    B, Inner,
    determinism::{begin, experiment, go_on},
    device,
};

fn trained(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("run");
    begin(&experiment(&["training.epochs=2"]), &path, u64::MAX).unwrap();
    path
}

#[test]
fn a_run_directory_holds_what_is_promised() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path());
    for file in [
        "config.toml",
        "metrics.jsonl",
        "comparison.png",
        "samples/step-000005.png",
        "samples/step-000006.png",
        "checkpoints/step-000004/generator.safetensors",
        "checkpoints/step-000006/generator.safetensors",
        "checkpoints/step-000006/discriminator.safetensors",
        "checkpoints/step-000006/ema_generator.safetensors",
        "checkpoints/step-000006/optimizer_generator.safetensors",
        "checkpoints/step-000006/optimizer_discriminator.safetensors",
        "checkpoints/step-000006/config.toml",
        "checkpoints/step-000006/state.json",
    ] {
        assert!(run.join(file).is_file(), "{file} is missing");
    }
    let leftovers: Vec<_> = fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with("step-"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");

    // Two rows of up to three images, ×3, with gaps: a picture, and not an even one.
    let decoder = png::Decoder::new(std::io::BufReader::new(
        fs::File::open(run.join("samples/step-000006.png")).unwrap(),
    ));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert!(pixels.iter().any(|&pixel| pixel != pixels[0]));
}

#[test]
fn weights_have_pytorchs_names_and_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path());
    let shapes = |file: &str| {
        let bytes = fs::read(run.join("checkpoints/step-000006").join(file)).unwrap();
        let mut shapes: Vec<(String, Vec<usize>)> = from_safetensors(&bytes)
            .unwrap()
            .into_iter()
            .map(|tensor| (tensor.name, tensor.shape))
            .collect();
        shapes.sort();
        shapes
    };
    let expected = |list: &[(&str, &[usize])]| {
        let mut list: Vec<(String, Vec<usize>)> = list
            .iter()
            .map(|(name, shape)| (name.to_string(), shape.to_vec()))
            .collect();
        list.sort();
        list
    };
    let generator = expected(&[
        ("linear.weight", &[392, 8]),
        ("norm.weight", &[8]),
        ("norm.bias", &[8]),
        ("norm.running_mean", &[8]),
        ("norm.running_var", &[8]),
        ("convs.0.weight", &[8, 4, 4, 4]),
        ("norms.0.weight", &[4]),
        ("norms.0.bias", &[4]),
        ("norms.0.running_mean", &[4]),
        ("norms.0.running_var", &[4]),
        ("output.weight", &[4, 1, 4, 4]),
        ("output.bias", &[1]),
    ]);
    assert_eq!(shapes("generator.safetensors"), generator);
    assert_eq!(shapes("ema_generator.safetensors"), generator);
    assert!(
        shapes("optimizer_generator.safetensors").contains(&("convs.0.weight.exp_avg_sq".into(), vec![8, 4, 4, 4]))
    );
}

#[test]
fn only_the_newest_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    begin(
        &experiment(&["checkpoint.every=2", "checkpoint.keep=3"]),
        &path,
        u64::MAX,
    )
    .unwrap();
    let mut kept: Vec<_> = fs::read_dir(path.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    kept.sort();
    assert_eq!(kept, ["step-000008", "step-000010", "step-000012"]);
}

#[test]
fn a_used_folder_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    let error = begin(&experiment(&[]), folder.path(), 1).unwrap_err();
    assert!(matches!(error, TrainingError::RunExists { .. }));
    assert!(error.to_string().contains("--resume"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn damage_anywhere_is_noticed_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path());
    let checkpoint = run.join("checkpoints/step-000006");
    let read = || -> Result<(), TrainingError> {
        let experiment = experiment(&["training.epochs=2"]);
        let found = Checkpoint::find(&run)?;
        found.restore::<B>(&experiment, &experiment.network(found.image()), &device())?;
        Ok(())
    };
    read().unwrap();
    for entry in fs::read_dir(&checkpoint).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let whole = fs::read(&path).unwrap();
        let mut damaged: Vec<Option<Vec<u8>>> = [0, 1, whole.len() / 2, whole.len() - 1]
            .into_iter()
            .map(|length| Some(whole[..length].to_vec()))
            .collect();
        if name == "state.json" {
            // Its own bytes have no seal, but a file that is not listed, or of another format, is noticed. Without it
            // the folder is no checkpoint at all, and an older one is not silently taken for the newest.
            let text = String::from_utf8(whole.clone()).unwrap();
            damaged.push(Some(
                text.replace("\"format_version\": 1", "\"format_version\": 999")
                    .into_bytes(),
            ));
            damaged.push(Some(
                text.replace("generator.safetensors", "x.safetensors").into_bytes(),
            ));
            damaged.push(None);
        } else {
            for position in [0, whole.len() / 3, whole.len() - 1] {
                let mut flipped = whole.clone();
                flipped[position] ^= 0x10;
                damaged.push(Some(flipped));
            }
            damaged.push(None);
        }
        for bytes in damaged {
            match &bytes {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let error = read().expect_err(&name);
            assert!(
                matches!(error, TrainingError::DamagedCheckpoint { .. }),
                "{name}: {error}"
            );
            let text = error.to_string();
            assert!(
                text.contains("step-000006")
                    && text.contains(if text.contains("x.safetensors") {
                        "x.safetensors"
                    } else {
                        &name
                    }),
                "{text}"
            );
        }
        fs::write(&path, &whole).unwrap();
    }
    read().unwrap();
}

#[test]
fn resuming_as_another_run_is_refused_with_both_values() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path());
    for (set, part) in [
        ("seed=6", "`seed` was 5"),
        ("data.batch_size=8", "`data.batch_size` was 16"),
        ("model.base_channels=8", "`model.base_channels` was Some(4)"),
        ("training.update=simultaneous", "`training.update` was Alternating"),
    ] {
        let error = go_on(&experiment(&[set]), &run, 1).unwrap_err();
        assert!(matches!(error, TrainingError::ResumeMismatch { .. }), "{set}: {error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    // More epochs, and another learning rate, are the same run gone on with.
    let more = experiment(&["training.epochs=3", "optimizer.generator.learning_rate=1e-5"]);
    assert_eq!(go_on(&more, &run, u64::MAX).unwrap(), Outcome::Finished { step: 9 });
}

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
    assert!(error.to_string().contains(&format!("at step {step}")), "{error}");
    // What is there can be read and is finite.
    if let Ok(checkpoint) = Checkpoint::find(&path) {
        let generator = checkpoint.sampling_generator::<Inner>(&device()).unwrap();
        let images = Sampler::new(0, 2, 8).images(&generator, &device());
        assert!(images.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn more_samples_begin_with_the_same_images() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::find(&trained(folder.path())).unwrap();
    let generator = checkpoint.sampling_generator::<Inner>(&device()).unwrap();
    let few = Sampler::new(9, 3, 8).images(&generator, &device());
    let many = Sampler::new(9, 300, 8).images(&generator, &device());
    assert_eq!((few.len(), many.len()), (3 * 784, 300 * 784));
    for (few, many) in few.iter().zip(&many) {
        assert!((few - many).abs() < 1e-5, "{few} and {many}");
    }
}
