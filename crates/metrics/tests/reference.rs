//! Every number against numpy, scipy and prdc (`reference/metrics.py`).

#![allow(clippy::unwrap_used)]

mod common;

use common::{features, mapped, near, uniform};
use ganvas_metrics::{
    Features, Manifold, Modes, Predictions, entropy, expected_modes, frechet_distance, kernel_distance, memorized,
    nearest,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    near: Sets,
    far: Sets,
    classes: Classes,
    triples: Triples,
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
struct Sets {
    frechet: f64,
    kernel: f64,
    precision: f64,
    recall: f64,
    density: f64,
    coverage: f64,
    nearest: Vec<usize>,
    distances: Vec<f64>,
}

#[derive(Deserialize)]
struct Classes {
    score: f64,
    histogram: Vec<f64>,
    entropy: f64,
}

#[derive(Deserialize)]
struct Triples {
    modes: usize,
    divergence: f64,
}

#[derive(Deserialize)]
struct Expected {
    shares: [f64; 10],
    samples: u64,
    modes: f64,
    divergence: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/metrics.json")).unwrap()
}

const TOLERANCE: f64 = 1e-6;

fn hold(expected: &Sets, real: &Features, fake: &Features) {
    near(frechet_distance(real, fake).unwrap(), expected.frechet, TOLERANCE);
    // Of whole sets, the subsets are all the same.
    let size = real.count().min(fake.count());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let found = kernel_distance(&real.select(0..size), &fake.select(0..size), 3, size, &mut rng).unwrap();
    near(found.mean, expected.kernel, TOLERANCE);
    assert!(found.deviation < 1e-9 * found.mean.abs(), "{found:?}");

    let [of_real, of_fake] = [real, fake].map(|set| Manifold::new(set.clone()).unwrap());
    let found = of_real.overlap(&of_fake).unwrap();
    near(found.precision, expected.precision, TOLERANCE);
    near(found.recall, expected.recall, TOLERANCE);
    near(found.density, expected.density, TOLERANCE);
    near(found.coverage, expected.coverage, TOLERANCE);

    let neighbours = nearest(fake, real).unwrap();
    let indices: Vec<usize> = neighbours.iter().map(|neighbour| neighbour.index).collect();
    assert_eq!(indices, expected.nearest);
    for (found, &expected) in neighbours.iter().zip(&expected.distances) {
        near(found.distance, expected, TOLERANCE);
    }
}

#[test]
fn distances_between_sets_are_those_of_others() {
    let Reference { near, far, .. } = reference();
    let real = features(1, 130, 7);
    hold(&near, &real, &mapped(5000, 110, 7, |value| value + 0.1));
    hold(&far, &real, &mapped(9000, 130, 7, |value| 0.8 * value + 0.6));
    // Numbers that a mistake could not leave as they are.
    for sets in [&near, &far] {
        for share in [sets.precision, sets.recall, sets.coverage] {
            assert!(share > 0.0 && share < 1.0, "{share}");
        }
    }
}

#[test]
fn classes_are_those_of_others() {
    let Reference { classes, .. } = reference();
    let logits: Vec<f32> = uniform(31, 2000).map(|value| (8.0 * value - 4.0) as f32).collect();
    let found = Predictions::from_logits(&logits, 10).unwrap();
    near(found.score(), classes.score, TOLERANCE);
    for (found, &expected) in found.histogram().iter().zip(&classes.histogram) {
        near(*found, expected, TOLERANCE);
    }
    near(entropy(&found.histogram()), classes.entropy, TOLERANCE);
}

#[test]
fn modes_are_those_of_others() {
    let Reference { triples, expected, .. } = reference();
    let digits: Vec<usize> = uniform(41, 15_000)
        .map(|value| ((11.0 * value) as usize).min(9))
        .collect();
    let samples: Vec<[usize; 3]> = digits
        .chunks_exact(3)
        .map(|three| [three[0], three[1], three[2]])
        .collect();
    let found = Modes::of(&samples);
    assert_eq!(found.count, triples.modes);
    near(found.divergence, triples.divergence, TOLERANCE);
    for case in &expected {
        let (modes, divergence) = expected_modes(case.shares, case.samples);
        near(modes, case.modes, TOLERANCE);
        near(divergence, case.divergence, TOLERANCE);
    }
    // MNIST's: what others print beside every divergence.
    near(expected[0].divergence, 0.0235, 0.01);
}

#[test]
fn copies_are_counted_beside_what_test_images_do() {
    let training = features(1, 400, 7);
    let test = nearest(&features(50_000, 400, 7), &training).unwrap();
    let others = nearest(&features(90_000, 400, 7), &training).unwrap();
    let share = memorized(&others, &test);
    assert!(share < 0.04, "{share}");
    let copies = nearest(&training.select(0..100), &training).unwrap();
    assert_eq!(memorized(&copies, &test), 1.0);
    let half = [&copies[..], &others[..100]].concat();
    near(memorized(&half, &test), 0.5, 0.04);
}
