//! Images through Burn's own loader; real MNIST where it is at hand.

use std::{borrow::Cow, sync::Arc};

use burn::data::{dataloader::DataLoaderBuilder, dataset::Dataset};
use ganvas_data::{
    DataError, DatasetName, ImageBatch, ImageBatcher, ImageSource, LoadOptions, Schedule, Split, idx, load,
    synthetic_digits,
};

use ganvas_training::{RunDirectory, train};

use crate::{B, Inner, KIND, ON_CUBECL, desk::Desk, device, golden::values};

#[test]
fn burns_own_loader_takes_the_images() {
    crate::take_turn();
    let images = synthetic_digits(1, Split::Train, 10);
    let labels: Vec<i64> = images.labels().unwrap().iter().map(|&label| i64::from(label)).collect();
    let first: Vec<f32> = images
        .image(0)
        .unwrap()
        .iter()
        .map(|&byte| ganvas_data::normalize(byte))
        .collect();
    assert_eq!(Dataset::len(&images), 10);
    let loader = DataLoaderBuilder::<Inner, _, ImageBatch<Inner>>::new(ImageBatcher)
        .batch_size(4)
        .build(images);
    let batches: Vec<ImageBatch<Inner>> = loader.iter().collect();
    let shapes: Vec<[usize; 4]> = batches.iter().map(|batch| batch.images.dims()).collect();
    assert_eq!(shapes, [[4, 1, 28, 28], [4, 1, 28, 28], [2, 1, 28, 28]]);
    assert_eq!(values(batches[0].images.clone().narrow(0, 0, 1)), first);
    let found: Vec<i64> = batches
        .into_iter()
        .flat_map(|batch| {
            batch
                .labels
                .into_data()
                .convert::<i64>()
                .iter::<i64>()
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(found, labels);
}

#[test]
fn mnist_is_whole_where_it_is_at_hand() {
    if std::env::var_os("GANVAS_DATA").is_none() {
        println!("GANVAS_DATA is not set: synthetic digits stand in for MNIST");
    }
    let (images, count) = match load(DatasetName::Mnist, Split::Train, &LoadOptions::default()) {
        Ok(images) => (images, 60_000),
        Err(error) if std::env::var_os("GANVAS_DATA").is_some() => panic!("GANVAS_DATA is set: {error}"),
        Err(_) => (synthetic_digits(0, Split::Train, 2_000), 2_000),
    };
    assert_eq!((ImageSource::len(&images), images.shape()), (count, [1, 28, 28]));
    // Ink covers about an eighth of either set, white on black, and every digit is there about equally often.
    let ink = images.pixels().iter().map(|&byte| f64::from(byte) / 255.0).sum::<f64>() / images.pixels().len() as f64;
    assert!((0.10..0.17).contains(&ink), "mean ink is {ink}");
    for digit in 0..10 {
        let share = images.labels().unwrap().iter().filter(|&&label| label == digit).count() as f64 / count as f64;
        assert!((0.08..0.12).contains(&share), "{digit} makes up {share}");
    }
    let schedule = Schedule::new(count, 256, false).unwrap();
    let mut seen = vec![0; count];
    for number in 0..schedule.batches_per_epoch() {
        for index in schedule.indices(3, number) {
            seen[index as usize] += 1;
        }
    }
    assert!(seen.iter().all(|&times| times == 1));
    drop(Arc::new(images));
}

/// Pictures without meaning, as IDX files under MNIST's names, with labels or without.
fn write_set(folder: &std::path::Path, [height, width]: [usize; 2], labelled: bool) {
    let pixels: Vec<u8> = (0..40 * height * width)
        .map(|index| (index * index % 251) as u8)
        .collect();
    let (images, labels) = Split::Train.file_names();
    idx::write_images(&folder.join("mnist").join(images), &pixels, height, width).unwrap();
    if labelled {
        let classes: Vec<u8> = (0..40).map(|index| index % 4).collect();
        idx::write_labels(&folder.join("mnist").join(labels), &classes).unwrap();
    }
}

#[test]
fn images_of_any_shape_train_resume_and_are_generated_where_the_network_can_make_them() {
    let sets = [
        ([28, 32], "dcgan\"\nbase_channels = 4", false),
        ([20, 20], "dcgan\"\nbase_channels = 4", true),
        ([32, 32], "dcgan\"\nbase_channels = 4", true),
        ([5, 7], "mlp\"\nhidden_sizes = [8]", false),
    ];
    // A software adapter takes seconds for each start of the command.
    let count = if ON_CUBECL { 1 } else { sets.len() };
    for (size, network, labelled) in sets.into_iter().take(count) {
        let desk = Desk::new();
        write_set(desk.folder.path(), size, labelled);
        let text = format!(
            "[backend]\nkind = \"{KIND}\"\n[data]\ndataset = \"mnist\"\nbatch_size = 16\n[model]\nlatent_size = 8\n\
             network = \"{network}\n[training]\nepochs = 2\n[evaluation]\nevery = 2\ncount = 10\n"
        );
        std::fs::write(desk.path("own.toml"), text).unwrap();
        let data = ["--data-dir", "."];
        let train = ["train", "own.toml", "--out", "run"];
        desk.ok(&[&train[..], &data, &["--set", "training.max_steps=3"]].concat());
        let run = desk.ok(&[&train[..], &data, &["--resume"]].concat());
        assert!(run.stdout.contains("trained 6 steps"), "{}", run.stdout);
        let log = std::fs::read_to_string(desk.path("run/metrics.jsonl")).unwrap();
        assert_eq!(log.matches("pixels/mean_error").count(), 3, "{log}");
        desk.ok(&["generate", "run", "--count", "5", "--out", "five.idx"]);
        let made = idx::read_images(&desk.path("five.idx")).unwrap();
        assert_eq!((made.count, [made.rows, made.columns]), (5, size));
        desk.ok(&[&["bench", "own.toml", "--steps", "1", "--seconds", "0"][..], &data].concat());

        // Other images under the same name.
        write_set(desk.folder.path(), [size[1], size[0] + 4], labelled);
        let refused = desk.run(&[&train[..], &data, &["--resume"]].concat());
        assert_eq!(refused.code, 2, "{}", refused.stderr);
    }
}

#[test]
fn images_that_a_network_cannot_make_are_refused_before_the_first_step() {
    for (size, network) in [([30, 28], "dcgan"), ([12, 12], "dcgan"), ([32, 32], "blog")] {
        let desk = Desk::new();
        write_set(desk.folder.path(), size, true);
        let text =
            format!("[backend]\nkind = \"{KIND}\"\n[data]\ndataset = \"mnist\"\n[model]\nnetwork = \"{network}\"\n");
        std::fs::write(desk.path("own.toml"), text).unwrap();
        for verb in ["train", "bench"] {
            let run = desk.run(&[verb, "own.toml", "--data-dir", "."]);
            assert_eq!(run.code, 2, "{}", run.stderr);
            let image = format!(
                "own.toml:6: `model.network`: `image` is 1×{}×{}, expected ",
                size[0], size[1]
            );
            assert!(run.stderr.contains(&image), "{}", run.stderr);
        }
        assert!(!desk.path("runs").exists());
    }
}

/// Images one of which cannot be read.
#[derive(Debug)]
struct Broken;

impl ImageSource for Broken {
    fn name(&self) -> &str {
        "broken"
    }
    fn len(&self) -> usize {
        40
    }
    fn shape(&self) -> [usize; 3] {
        [1, 28, 28]
    }
    fn image(&self, index: usize) -> Result<Cow<'_, [u8]>, DataError> {
        match index {
            37 => Err(DataError::Source {
                name: "broken".to_owned(),
                reason: "the disk is on strike".into(),
            }),
            _ => Ok(vec![0; 784].into()),
        }
    }
}

#[test]
fn an_image_that_cannot_be_read_is_reported_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = crate::determinism::experiment(&[]);
    let run = RunDirectory::create(Some(&folder.path().join("run")), &experiment.name).unwrap();
    let images: Arc<dyn ImageSource> = Arc::new(Broken);
    let error = train::<B, _, _>(&experiment, &images, &mut [], &run, None, &device(), &mut ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the images of broken: the disk is on strike"
    );
    assert!(!error.is_usage() && !run.config_path().exists());
}
