use std::sync::LazyLock;

use ganvas_data::{ImageSet, ImageSource, Split, StackedDigits, epoch_order, synthetic_digits};
use ganvas_evaluator::{FEATURES, Metric, Observed, Reference, expected_modes};
use proptest::prelude::*;

use crate::{REAL, judge, seen, select};

#[test]
fn copies_of_training_images_are_found() {
    let training = synthetic_digits(1, Split::Train, 3000);
    let reference = Reference::new(seen(&REAL)).with_training(seen(&training).features);
    let share = |images: &ImageSet| {
        let found = reference.measure(&seen(images), &[Metric::Memorized], 1).unwrap();
        assert_eq!(found.len(), 1);
        found[0].1
    };
    let others = synthetic_digits(2, Split::Test, 1000);
    assert!(share(&others) < 0.03, "{}", share(&others));
    let half = [select(&training, 0..500), select(&others, 0..500)];
    let pixels = half.iter().flat_map(|set| set.pixels()).copied().collect();
    let half = ImageSet::new("half", pixels, None, [1, 28, 28]).unwrap();
    let found = share(&half);
    assert!((found - 0.5).abs() < 0.03, "{found}");
    assert_eq!(share(&select(&training, 0..200)), 1.0);
}

/// The counter of modes: digits that are read right, stacked, have as many modes as there are classes of them, cubed.
#[test]
fn stacked_digits_have_a_thousand_modes_and_those_of_k_digits_k_cubed() {
    let digits = synthetic_digits(4, Split::Test, 1500);
    let read = seen(&digits).predictions.classes();
    let of_classes = |classes: u32, count: usize| {
        let is_right = |&index: &usize| digits.label(index) == Some(read[index] as u32);
        let is_known = |&index: &usize| digits.label(index).unwrap() < classes;
        let known = select(&digits, (0..digits.len()).filter(is_right).filter(is_known));
        let stacked = StackedDigits::new("stacked", known, 1, count).unwrap();
        let seen = judge()
            .per_channel()
            .unwrap()
            .observe_all(&stacked, &mut |_| ())
            .unwrap();
        assert_eq!((seen.count(), seen.features.width()), (count, 3 * FEATURES));
        let found = Reference::new(seen.clone()).measure(&seen, &[Metric::Modes, Metric::Fid], 1);
        let found = found.unwrap();
        assert_eq!(
            found.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["modes", "modes_kl", "fid"]
        );
        (found[0].1, found[1].1)
    };
    for classes in [1, 3, 6] {
        let (modes, divergence) = of_classes(classes, 2500);
        let all = f64::from(classes).powi(3);
        assert_eq!(modes, all);
        // Uniform over those, but for the sample.
        assert!((divergence - (1000.0 / all).ln()).abs() < 0.1, "{divergence}");
    }
    let (modes, divergence) = of_classes(10, 12_000);
    assert_eq!(modes, 1000.0);
    let (_, expected) = expected_modes([0.1; 10], 12_000);
    assert!((divergence - expected).abs() < 0.02, "{divergence} {expected}");
    // Whole images have no channels to count modes in.
    let whole = seen(&select(&digits, 0..100));
    assert_eq!(
        Reference::new(whole.clone())
            .measure(&whole, &[Metric::Modes], 1)
            .unwrap(),
        []
    );
}

fn numbers(images: &ImageSet) -> Vec<(&'static str, f64)> {
    static SEEN: LazyLock<Observed> = LazyLock::new(|| seen(&REAL));
    Reference::new(SEEN.clone())
        .measure(&seen(images), &Metric::ALL, 1)
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn the_order_of_images_makes_no_difference_but_for_rounding(seed: u64) {
        let some = select(&REAL, 0..200);
        let order = epoch_order(seed, 0, 200);
        let shuffled = select(&some, order.into_iter().map(|index| index as usize));
        for ((name, one), (_, other)) in numbers(&some).into_iter().zip(numbers(&shuffled)) {
            // Its subsets are drawn by place.
            if name.starts_with("kid") {
                continue;
            }
            prop_assert!((one - other).abs() <= 1e-4 * one.abs().max(1e-3), "{} {} {}", name, one, other);
        }
    }
}
