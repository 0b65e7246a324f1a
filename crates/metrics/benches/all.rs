//! `cargo bench -p ganvas-metrics`: how long each number takes for 10,000 samples against 10,000, and copies against 60,000.

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use ganvas_metrics::{Features, Manifold, frechet_distance, kernel_distance, nearest};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const WIDTH: usize = 128;

fn drawn(seed: u64, count: usize) -> Features {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Features::new((0..count * WIDTH).map(|_| rng.random::<f64>()).collect(), WIDTH).unwrap()
}

fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let made = work();
    println!("{name:<28} {:>6.2} s", start.elapsed().as_secs_f64());
    made
}

fn main() {
    let (real, fake, training) = (drawn(1, 10_000), drawn(2, 10_000), drawn(3, 60_000));
    let start = Instant::now();
    timed("Fréchet distance", || frechet_distance(&real, &fake).unwrap());
    timed("kernel distance, 100 of 1000", || {
        kernel_distance(&real, &fake, 100, 1000, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    });
    let [of_real, of_fake] = timed("balls of both", || [real, fake].map(|set| Manifold::new(set).unwrap()));
    timed("precision to coverage", || of_real.overlap(&of_fake).unwrap());
    println!("{:<28} {:>6.2} s", "all", start.elapsed().as_secs_f64());
    timed("nearest of 60,000", || nearest(of_fake.features(), &training).unwrap());
}
