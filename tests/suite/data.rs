//! Images through Burn's own loader; real MNIST where it is at hand.

use std::sync::Arc;

use burn::data::{dataloader::DataLoaderBuilder, dataset::Dataset};
use ganvas_data::{DatasetName, ImageBatch, ImageBatcher, LoadOptions, Schedule, Split, load, synthetic_digits};

use crate::{Inner, golden::values};

#[test]
fn burns_own_loader_takes_the_images() {
    let images = synthetic_digits(1, Split::Train, 10);
    let labels: Vec<i64> = images.labels().iter().map(|&label| i64::from(label)).collect();
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
    assert_eq!((images.len(), images.shape()), (count, [1, 28, 28]));
    // Ink covers about an eighth of either set, white on black, and every digit is there about equally often.
    let ink = images.pixels().iter().map(|&byte| f64::from(byte) / 255.0).sum::<f64>() / images.pixels().len() as f64;
    assert!((0.10..0.17).contains(&ink), "mean ink is {ink}");
    for digit in 0..10 {
        let share = images.labels().iter().filter(|&&label| label == digit).count() as f64 / count as f64;
        assert!((0.08..0.12).contains(&share), "{digit} makes up {share}");
    }
    let schedule = Schedule::new(count, 256, false).unwrap();
    let mut seen = vec![0; count];
    for step in 0..schedule.steps_per_epoch() {
        for index in schedule.indices(3, step) {
            seen[index as usize] += 1;
        }
    }
    assert!(seen.iter().all(|&times| times == 1));
    drop(Arc::new(images));
}
