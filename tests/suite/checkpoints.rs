//! Checkpoints: what they hold, damage noticed and named.

use std::{fs, path::Path};

use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{BlogConfig, NetworkConfig, from_safetensors};
use ganvas_training::{
    Checkpoint, Experiment, Outcome, RunDirectory, Sampler, TrainingError, TrainingState, resume_point,
};
use rand::Rng;

use crate::{
    B, Inner,
    determinism::{assert_same_run, begin, experiment, go_on, images},
    device,
};

fn trained(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("run");
    begin(&experiment(&["training.epochs=2"]), &path, u64::MAX).unwrap();
    path
}

/// Everything under a final name is whole, but for a checkpoint that was damaged on purpose.
pub fn assert_whole(run: &Path, damaged: Option<&str>) {
    for entry in fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("step-") && Some(&*name) != damaged {
            Checkpoint::find(&entry.path()).unwrap();
        }
    }
    for picture in fs::read_dir(run.join("samples")).into_iter().flatten().flatten() {
        if picture.file_name().to_string_lossy().starts_with("step-") {
            let file = std::io::BufReader::new(fs::File::open(picture.path()).unwrap());
            let mut reader = png::Decoder::new(file).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
        }
    }
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
        "checkpoints/step-000006/SHA256SUMS",
        "checkpoints/latest",
        "sessions.jsonl",
        "timings.json",
    ] {
        assert!(run.join(file).is_file(), "{file} is missing");
    }
    let leftovers: Vec<_> = fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with("step-") && name != "latest")
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");

    assert_eq!(
        fs::read_to_string(run.join("checkpoints/latest")).unwrap(),
        "step-000006\n"
    );
    let state = Checkpoint::find(&run).unwrap().state;
    assert_eq!((state.step, state.epoch, state.batch_in_epoch), (6, 2, 3));
    assert_eq!((state.random.seed, state.random.next_batch), (5, 6));
    assert_eq!(state.metrics.unwrap().step, 6);
    assert_eq!((state.images.count, state.images.shape), (40, [1, 28, 28]));
    assert_eq!(
        state.images.fingerprint,
        images(&experiment(&[])).fingerprint().unwrap()
    );
    let middle = Checkpoint::find(&run.join("checkpoints/step-000004")).unwrap().state;
    assert_eq!((middle.epoch, middle.batch_in_epoch), (2, 1));

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
        from_safetensors(&bytes)
            .unwrap()
            .into_iter()
            .map(|tensor| (tensor.name, tensor.shape))
            .collect::<Vec<_>>()
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

/// The checkpoints that a run of twelve steps, saved at every second, keeps.
fn kept(set: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    begin(&experiment(&[&["checkpoint.every=2"], set].concat()), &path, u64::MAX).unwrap();
    let mut kept: Vec<_> = fs::read_dir(path.join("checkpoints"))
        .unwrap()
        .filter_map(|entry| {
            Some(
                entry
                    .unwrap()
                    .file_name()
                    .to_str()?
                    .strip_prefix("step-0000")?
                    .to_owned(),
            )
        })
        .collect();
    kept.sort();
    kept
}

#[test]
fn the_newest_and_the_periodic_are_kept() {
    assert_eq!(kept(&["checkpoint.keep=3"]), ["08", "10", "12"]);
    assert_eq!(
        kept(&["checkpoint.keep=1", "checkpoint.keep_every=4"]),
        ["04", "08", "12"]
    );
}

#[test]
fn a_used_folder_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    let error = begin(&experiment(&[]), folder.path(), 1).unwrap_err();
    assert!(matches!(error, TrainingError::RunExists { .. }));
    assert!(error.to_string().contains("folder of its own"), "{error}");
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
        let _: TrainingState<B, NetworkConfig> = found.restore(&experiment, &device())?;
        Ok(())
    };
    read().unwrap();
    let mut rng = keyed_rng(1, Purpose::Noise, 0);
    for entry in fs::read_dir(&checkpoint).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let whole = fs::read(&path).unwrap();
        // What holds the others together at every byte, of the others a sample.
        let every = match name.as_str() {
            "state.json" | "SHA256SUMS" => 1,
            _ => whole.len().div_ceil(200),
        };
        let lengths = (0..whole.len()).step_by(every).chain([whole.len() - 1]);
        let mut damaged: Vec<Option<Vec<u8>>> = lengths.map(|length| Some(whole[..length].to_vec())).collect();
        for position in (0..whole.len()).step_by(every) {
            let mut flipped = whole.clone();
            flipped[position] ^= 1 << rng.random_range(0..8);
            damaged.push(Some(flipped));
        }
        damaged.push(None);
        let mut longer = whole.clone();
        longer.push(b'\n');
        damaged.push(Some(longer));
        if name == "state.json" {
            let text = String::from_utf8(whole.clone()).unwrap();
            damaged.push(Some(
                text.replace("\"format_version\": 3", "\"format_version\": 999")
                    .into_bytes(),
            ));
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
            // A changed checksum or name in the list may put the blame on the file that it stands for.
            assert!(
                text.contains("step-000006") && (text.contains(&name) || name == "SHA256SUMS"),
                "{name}: {text}"
            );
        }
        fs::write(&path, &whole).unwrap();
    }
    read().unwrap();

    // Another version is named, whatever its checksums look like.
    let state = checkpoint.join("state.json");
    let whole = fs::read_to_string(&state).unwrap();
    fs::write(&state, whole.replace("\"format_version\": 3", "\"format_version\": 1")).unwrap();
    fs::remove_file(checkpoint.join("SHA256SUMS")).unwrap();
    let error = read().unwrap_err().to_string();
    assert!(error.contains("expected format version 3, found 1"), "{error}");
}

#[test]
fn a_resume_falls_back_to_the_newest_whole_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["training.epochs=2", "checkpoint.every=2", "checkpoint.keep=3"];
    let whole = folder.path().join("whole");
    begin(&experiment(&set), &whole, u64::MAX).unwrap();
    let path = folder.path().join("run");
    begin(&experiment(&set), &path, u64::MAX).unwrap();
    let step = |step: u64| path.join(format!("checkpoints/step-{step:06}"));
    let spoil = |step: &Path| {
        let file = step.join("discriminator.safetensors");
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(file, bytes).unwrap();
    };
    spoil(&step(6));
    fs::remove_file(step(4).join("state.json")).unwrap();
    assert_eq!(
        go_on(&experiment(&set), &path, u64::MAX).unwrap(),
        Outcome::Finished { step: 6 }
    );
    assert_same_run(&whole, &path);
    for name in ["damaged-step-000006", "damaged-step-000004"] {
        assert!(path.join("checkpoints").join(name).is_dir(), "{name}");
    }

    // Killed while a checkpoint was replaced: the old one gets its name back.
    fs::rename(step(6), path.join("checkpoints/.step-000006.replaced")).unwrap();
    assert_eq!(
        go_on(&experiment(&set), &path, u64::MAX).unwrap(),
        Outcome::Finished { step: 6 }
    );
    assert!(step(6).is_dir() && !path.join("checkpoints/.step-000006.replaced").exists());

    // With none left it stops, and leaves all where it is.
    for number in [2, 4, 6] {
        spoil(&step(number));
    }
    let error = go_on(&experiment(&set), &path, u64::MAX).unwrap_err();
    assert!(
        matches!(error, TrainingError::NoWholeCheckpoint { .. }) && !error.is_usage(),
        "{error}"
    );
    assert!(error.to_string().contains("step-000006"), "{error}");
    assert!([2, 4, 6].into_iter().all(|number| step(number).is_dir()));

    // None at all where `latest` says that there was one: somebody moved the folder, and beginning anew would lose it.
    let checkpoints = path.join("checkpoints");
    for number in [2, 4, 6] {
        fs::remove_dir_all(step(number)).unwrap();
    }
    let error = go_on(&experiment(&set), &path, u64::MAX).unwrap_err();
    assert!(matches!(error, TrainingError::NoWholeCheckpoint { .. }), "{error}");
    assert!(error.to_string().contains("latest"), "{error}");

    // A folder that cannot be read, which is not the same as an empty one.
    fs::remove_dir_all(&checkpoints).unwrap();
    fs::write(&checkpoints, "no folder").unwrap();
    let error = go_on(&experiment(&set), &path, u64::MAX).unwrap_err();
    assert!(matches!(error, TrainingError::Io { .. }), "{error}");
    assert!(error.to_string().contains("checkpoints"), "{error}");
    assert_eq!(fs::read_to_string(&checkpoints).unwrap(), "no folder");
}

#[test]
fn resuming_as_another_run_is_refused_with_both_values() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path());
    let refused = |other: &Experiment, before: &str, now: &str| {
        let directory = RunDirectory::open(Some(&run), &other.name).unwrap();
        let error = resume_point(&directory, other, &*images(&experiment(&[]))).unwrap_err();
        assert!(
            matches!(error, TrainingError::ResumeMismatch { .. }),
            "{before}: {error}"
        );
        assert!(error.is_usage());
        let text = error.to_string();
        assert!(
            text.contains(before) && text.contains(&format!(" and is {now} now")),
            "{text}"
        );
    };
    for (key, before, now) in [
        ("seed", "5", "6"),
        ("data.batch_size", "16", "8"),
        ("model.base_channels", "4", "8"),
        ("training.update", "\"alternating\"", "\"simultaneous\""),
        ("objective.loss", "\"non-saturating\"", "\"minimax\""),
    ] {
        let other = experiment(&[&format!("{key}={}", now.trim_matches('"'))]);
        refused(&other, &format!("`{key}` was {before}"), now);
    }
    let mut other = experiment(&[]);
    other.data.dataset = "fashion-mnist".into();
    refused(&other, "`data.dataset` was \"synthetic\"", "\"fashion-mnist\"");
    let mut other = experiment(&[]);
    other.model = BlogConfig::default().into();
    refused(&other, "`model.base_channels` was 4", "not set");
    // More epochs, and another learning rate, are the same run gone on with.
    let more = experiment(&["training.epochs=3", "optimizer.generator.learning_rate=1e-5"]);
    assert_eq!(go_on(&more, &run, u64::MAX).unwrap(), Outcome::Finished { step: 9 });
}

#[test]
fn more_samples_begin_with_the_same_images() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Checkpoint::find(&trained(folder.path())).unwrap();
    let networks = checkpoint
        .experiment::<NetworkConfig, ganvas_model::ObjectiveConfig>()
        .unwrap()
        .model;
    let generator = checkpoint.sampling_generator::<Inner, _>(&networks, &device()).unwrap();
    let few = Sampler::new(9, 3, 8).images(&generator, &device());
    let many = Sampler::new(9, 300, 8).images(&generator, &device());
    assert_eq!((few.len(), many.len()), (3 * 784, 300 * 784));
    for (few, many) in few.iter().zip(&many) {
        assert!((few - many).abs() < 1e-5, "{few} and {many}");
    }
}
