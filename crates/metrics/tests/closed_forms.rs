//! Numbers that are known without another program, and sets that others stumble over.

#![allow(clippy::unwrap_used)]

mod common;

use common::{features, mapped, near};
use ganvas_metrics::{
    Features, Gaussian, Manifold, MetricsError, Modes, Predictions, expected_modes, frechet_distance,
    histogram_distance, kernel_distance, nearest, several_nearest,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn normal(seed: u64, count: usize, parts: &[(f64, f64)]) -> Features {
    let mut rng = rng(seed);
    let sample = |_| -> Vec<f64> {
        parts
            .iter()
            .map(|&(mean, deviation)| Normal::new(mean, deviation).unwrap().sample(&mut rng))
            .collect()
    };
    Features::new((0..count).flat_map(sample).collect(), parts.len()).unwrap()
}

/// All numbers that compare two sets.
fn compare(real: &Features, fake: &Features) -> [f64; 7] {
    let [of_real, of_fake] = [real, fake].map(|set| Manifold::new(set.clone()).unwrap());
    let overlap = of_real.overlap(&of_fake).unwrap();
    let kernel = kernel_distance(real, fake, 4, 50, &mut rng(1)).unwrap();
    [
        frechet_distance(real, fake).unwrap(),
        kernel.mean,
        kernel.deviation,
        overlap.precision,
        overlap.recall,
        overlap.density,
        overlap.coverage,
    ]
}

#[test]
fn two_gaussians_are_as_far_apart_as_their_formula_says() {
    // Independent features: Σ (μ₁ − μ₂)² + (σ₁ − σ₂)².
    let (one, other) = ([(0.0, 1.0), (2.0, 3.0)], [(1.0, 2.0), (2.0, 0.5)]);
    let expected = 1.0 + 1.0 + 6.25;
    let found = frechet_distance(&normal(1, 200_000, &one), &normal(2, 200_000, &other)).unwrap();
    near(found, expected, 0.02);
}

#[test]
fn a_shifted_copy_is_as_far_as_it_was_shifted() {
    let real = features(1, 300, 6);
    for shift in [0.5, 3.0, 1e3] {
        let found = frechet_distance(&real, &mapped(1, 300, 6, |value| value + shift)).unwrap();
        near(found, 6.0 * shift * shift, 1e-6);
    }
    // A copy twice as wide: tr Σ (1 − 2)² besides the means.
    let [spread, means] = [0.0, 1.0].map(|power| {
        let moved = mapped(1, 300, 6, |value| value * 2.0_f64.powf(power));
        frechet_distance(&real, &moved).unwrap()
    });
    assert!(spread < 1e-6 && means > 1.0, "{spread} {means}");
}

#[test]
fn identical_sets_are_at_no_distance_and_cover_each_other() {
    let real = features(1, 500, 6);
    let [frechet, _, _, precision, recall, density, coverage] = compare(&real, &real);
    assert!(frechet.abs() < 1e-6, "{frechet}");
    assert_eq!([precision, recall, coverage], [1.0; 3]);
    // Each sample lies at the center of its own ball, and in those of about k others.
    assert!((1.0..1.4).contains(&density), "{density}");
    let kernel = kernel_distance(&real, &real, 200, 50, &mut rng(2)).unwrap();
    assert!(kernel.mean.abs() < kernel.deviation / 2.0, "{kernel:?}");
}

#[test]
fn two_halves_of_one_distribution_have_a_kernel_distance_of_none_on_average() {
    let found = kernel_distance(
        &features(1, 4000, 6),
        &features(500_000, 4000, 6),
        100,
        500,
        &mut rng(3),
    )
    .unwrap();
    // A hundred subsets overlap, so their mean is less sure than a tenth of their deviation.
    assert!(found.mean.abs() < found.deviation, "{found:?}");
    let single: Vec<f64> = {
        let mut rng = rng(3);
        let one = |_| {
            kernel_distance(&features(1, 4000, 6), &features(500_000, 4000, 6), 1, 500, &mut rng)
                .unwrap()
                .mean
        };
        (0..5).map(one).collect()
    };
    let five = kernel_distance(&features(1, 4000, 6), &features(500_000, 4000, 6), 5, 500, &mut rng(3)).unwrap();
    let mean = single.iter().sum::<f64>() / 5.0;
    let variance = single.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 5.0;
    near(five.mean, mean, 1e-9);
    near(five.deviation, variance.sqrt(), 1e-9);
}

#[test]
fn constant_and_dependent_features_change_nothing() {
    let plain = |salt, shift: f64| mapped(salt, 200, 4, move |value| value + shift);
    let widened = |salt, shift| {
        let plain = plain(salt, shift);
        let values = plain.samples().flat_map(|sample| {
            // A constant, a copy, and a sum.
            [sample, &[7.0, sample[0], sample[0] + sample[1]]].concat()
        });
        Features::new(values.collect(), 7).unwrap()
    };
    let (real, fake) = (widened(1, 0.0), widened(9000, 0.3));
    let found = compare(&real, &fake);
    assert!(found.iter().all(|value| value.is_finite()), "{found:?}");
    // The constant alone changes nothing at all.
    let with_constant = |features: &Features| {
        let values = features.samples().flat_map(|sample| [sample, &[7.0]].concat());
        Features::new(values.collect(), 5).unwrap()
    };
    let (real, fake) = (plain(1, 0.0), plain(9000, 0.3));
    let expected = frechet_distance(&real, &fake).unwrap();
    near(
        frechet_distance(&with_constant(&real), &with_constant(&fake)).unwrap(),
        expected,
        1e-6,
    );
}

#[test]
fn fewer_samples_than_features_and_samples_that_are_all_alike_are_measured() {
    let (real, fake) = (features(1, 20, 64), mapped(9000, 20, 64, |value| value + 0.5));
    let found = compare(&real, &fake);
    assert!(found.iter().all(|value| value.is_finite()), "{found:?}");
    // Both spans are of 19 dimensions, and the shift is the least that lies between them.
    assert!(found[0] > 64.0 * 0.25 * 0.5, "{found:?}");

    let constant = |value: f64| Features::new(vec![value; 20 * 3], 3).unwrap();
    let found = compare(&constant(1e3), &constant(1e3));
    assert!(found[0].abs() < 1e-6, "{found:?}");
    assert_eq!(found[3..5], [1.0, 1.0]);
    assert_eq!(found[6], 1.0, "coverage");
    let found = compare(&constant(1e3), &constant(1e3 + 2.0));
    near(found[0], 12.0, 1e-6);
    assert_eq!(found[3..], [0.0; 4]);
}

#[test]
fn a_generator_that_knows_one_place_is_precise_and_does_not_cover() {
    let real = normal(1, 1000, &[(0.0, 1.0); 2]);
    let narrow = normal(2, 1000, &[(0.0, 0.05); 2]);
    let [_, _, _, precision, recall, density, coverage] = compare(&real, &narrow);
    assert!(precision > 0.95 && density > 0.9, "{precision} {density}");
    assert!(recall < 0.1 && coverage < 0.1, "{recall} {coverage}");
    // And the other way round.
    let wide = normal(3, 1000, &[(0.0, 10.0); 2]);
    let [_, _, _, precision, recall, ..] = compare(&real, &wide);
    assert!(precision < 0.2 && recall > 0.9, "{precision} {recall}");
}

#[test]
fn what_is_too_small_or_does_not_fit_is_refused() {
    let (three, wide) = (features(1, 3, 4), features(1, 9, 5));
    let widths = MetricsError::OtherWidth { expected: 4, found: 5 };
    assert_eq!(frechet_distance(&three, &wide).unwrap_err(), widths);
    assert_eq!(kernel_distance(&three, &wide, 1, 2, &mut rng(1)).unwrap_err(), widths);
    assert!(matches!(
        Manifold::new(three.clone()).unwrap_err(),
        MetricsError::TooFew { least: 6, found: 3, .. }
    ));
    assert!(matches!(
        Gaussian::of(&three.select([0])).unwrap_err(),
        MetricsError::TooFew { least: 2, found: 1, .. }
    ));
}

#[test]
fn the_score_goes_from_one_to_the_number_of_classes() {
    let score = |class: &dyn Fn(usize) -> usize| {
        let logits: Vec<f32> = (0..500)
            .flat_map(|sample| (0..10).map(move |other| (sample, other)))
            .map(|(sample, other)| if class(sample) == other { 50.0 } else { 0.0 })
            .collect();
        Predictions::from_logits(&logits, 10).unwrap().score()
    };
    near(score(&|sample| sample % 10), 10.0, 1e-6);
    near(score(&|sample| sample % 4), 4.0, 1e-6);
    near(score(&|_| 3), 1.0, 1e-6);
    let unsure = Predictions::from_logits(&[0.0; 100], 10).unwrap();
    near(unsure.score(), 1.0, 1e-6);
    assert_eq!(histogram_distance(&[0.5, 0.5, 0.0], &[0.0, 0.5, 0.5]), 0.5);
}

#[test]
fn a_source_that_knows_k_digits_a_channel_has_k_cubed_modes() {
    for k in 1..=10 {
        let all: Vec<[usize; 3]> = (0..k * k * k)
            .map(|index| [index / k / k, index / k % k, index % k])
            .collect();
        let found = Modes::of(&all);
        assert_eq!(found.count, k * k * k);
        assert!((found.divergence - (1000.0 / (k * k * k) as f64).ln()).abs() < 1e-9);
        let shares = std::array::from_fn(|class| if class < k { 1.0 / k as f64 } else { 0.0 });
        let (modes, divergence) = expected_modes(shares, 100_000);
        near(modes, (k * k * k) as f64, 1e-6);
        assert!(
            divergence > found.divergence - 1e-9 && divergence < found.divergence + 0.01,
            "{k}: {divergence}"
        );
    }
}

/// Samples on a line, many of them equal, so that all distances are whole numbers.
#[test]
fn the_nearest_are_those_that_sorting_finds() {
    let on_line = |count: usize, step: usize| {
        Features::new((0..count).map(|index| (index * step % 97) as f64).collect(), 1).unwrap()
    };
    let (samples, others) = (on_line(300, 31), on_line(2_500, 7));
    for (count, differing) in [(1, false), (5, false), (60, true), (3_000, true)] {
        let found = several_nearest(&samples, &others, count, |sample, other, squared| {
            !differing || (squared > 0.0 && sample != other)
        })
        .unwrap();
        for (number, (sample, found)) in samples.samples().zip(&found).enumerate() {
            let distance = |(_, other): (usize, &[f64])| (other[0] - sample[0]).abs();
            let all = others.samples().enumerate();
            let mut expected: Vec<f64> = all
                .filter(|(other, _)| !differing || *other != number)
                .map(distance)
                .collect();
            expected.retain(|distance| !differing || *distance > 0.0);
            expected.sort_by(f64::total_cmp);
            expected.truncate(count);
            assert_eq!(found.iter().map(|found| found.distance).collect::<Vec<_>>(), expected);
            for neighbour in found {
                let other = others.sample(neighbour.index)[0];
                assert_eq!((other - sample[0]).abs(), neighbour.distance);
            }
        }
        if count == 1 {
            let first: Vec<_> = found.iter().map(|found| found[0]).collect();
            for (sample, found) in samples.samples().zip(&first) {
                let is_equal = |other: &[f64]| (other[0] - sample[0]).abs() == found.distance;
                assert_eq!(others.samples().position(is_equal), Some(found.index));
            }
            assert_eq!(first, nearest(&samples, &others).unwrap());
        }
    }
    let wider = Features::new(vec![1.0, 2.0], 2).unwrap();
    assert!(several_nearest(&samples, &wider, 1, |_, _, _| true).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn order_does_not_matter_and_nothing_is_negative_or_nan(
        (width, values) in (1..6_usize).prop_flat_map(|width| {
            let sets = prop::collection::vec(-5.0..5.0, width * 12..=width * 12);
            (Just(width), (sets.clone(), sets))
        })
    ) {
        let [one, other] = [values.0, values.1].map(|values| Features::new(values, width).unwrap());
        let found = compare(&one, &other);
        prop_assert!(found.iter().all(|value| value.is_finite()));
        prop_assert!(found[0] >= 0.0);
        let turned = |features: &Features| features.select((0..features.count()).rev());
        let again = compare(&turned(&one), &turned(&other));
        for index in [0, 3, 4, 5, 6] {
            prop_assert!((found[index] - again[index]).abs() <= 1e-7 * (1.0 + found[index]), "{index}");
        }
        // The Fréchet distance is symmetric.
        let back = frechet_distance(&other, &one).unwrap();
        prop_assert!((found[0] - back).abs() <= 1e-6 * (1.0 + back));
    }
}
