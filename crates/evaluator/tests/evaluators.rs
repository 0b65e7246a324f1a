//! Evaluators from training to file and back, and what they say of better and worse images.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, sync::LazyLock};

use burn_autodiff::Autodiff;
use burn_flex::{Flex, FlexDevice};
use ganvas_data::{ImageSet, ImageSource, Purpose, Split, StackedDigits, epoch_order, keyed_rng, synthetic_digits};
use ganvas_evaluator::{
    ClassifierConfig, EvaluatorError, EvaluatorFile, EvaluatorInfo, FEATURES, Judge, Metric, Observed, Recipe,
    Reference, TrainedOn, accuracy, expected_modes, standard_evaluator, train_classifier,
};
use proptest::prelude::*;
use rand::Rng;

type B = Autodiff<Flex>;
const DEVICE: FlexDevice = FlexDevice;

fn recipe() -> Recipe {
    Recipe {
        epochs: 3,
        ..Recipe::default()
    }
}

fn trained(images: &ImageSet, recipe: Recipe) -> EvaluatorFile {
    let classifier = train_classifier::<B>(images, &recipe, &DEVICE, &mut |_, _| ()).unwrap();
    let info = EvaluatorInfo {
        version: EvaluatorInfo::VERSION,
        name: "test".into(),
        network: ClassifierConfig {
            shape: images.shape(),
            classes: images.classes(),
        },
        recipe,
        data: TrainedOn::of(images).unwrap(),
        backend: "flex".into(),
        accuracy: None,
    };
    EvaluatorFile::new(info, &classifier).unwrap()
}

/// Trained on synthetic digits, once for all tests.
static EVALUATOR: LazyLock<EvaluatorFile> =
    LazyLock::new(|| trained(&synthetic_digits(1, Split::Train, 6000), recipe()));

fn judge() -> Judge<Flex> {
    EVALUATOR.judge(Path::new("test"), &DEVICE).unwrap()
}

fn seen(images: &ImageSet) -> Observed {
    judge().observe_all(images, &mut |_| ()).unwrap()
}

/// Real images for the tests below.
static REAL: LazyLock<ImageSet> = LazyLock::new(|| synthetic_digits(1, Split::Test, 1500));

fn numbers(images: &ImageSet) -> Vec<(&'static str, f64)> {
    static SEEN: LazyLock<Observed> = LazyLock::new(|| seen(&REAL));
    Reference::new(SEEN.clone())
        .measure(&seen(images), &Metric::ALL, 1)
        .unwrap()
}

fn number(images: &ImageSet, name: &str) -> f64 {
    numbers(images).into_iter().find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn a_classifier_of_digits_reads_digits() {
    let test = synthetic_digits(2, Split::Test, 2000);
    let found = accuracy(&seen(&test), &test).unwrap();
    assert!(found > 0.97, "{found}");
}

#[test]
fn synthetic_digits_are_read_as_what_they_are_by_the_evaluator_of_mnist() {
    let found = standard_evaluator("mnist").unwrap().unwrap();
    let judge: Judge<Flex> = found.file.judge(&found.path, &DEVICE).unwrap();
    let images = synthetic_digits(5, Split::Test, 3000);
    let share = accuracy(&judge.observe_all(&images, &mut |_| ()).unwrap(), &images).unwrap();
    assert!(share >= 0.9, "{share}");
}

#[test]
fn the_same_seed_gives_the_same_classifier_and_another_another() {
    let images = synthetic_digits(1, Split::Train, 300);
    let of_seed = |seed| {
        trained(
            &images,
            Recipe {
                seed,
                epochs: 1,
                ..recipe()
            },
        )
        .hash()
    };
    assert_eq!(of_seed(1), of_seed(1));
    assert_ne!(of_seed(1), of_seed(2));
}

#[test]
fn what_an_image_is_seen_as_does_not_depend_on_its_neighbours() {
    let all = seen(&REAL);
    let chosen = [7, 1499, 0, 501];
    let some = judge().observe(&*REAL, &chosen, &mut |_| ()).unwrap();
    for (row, &index) in chosen.iter().enumerate() {
        for (one, other) in some
            .features
            .sample(row)
            .iter()
            .zip(all.features.sample(index as usize))
        {
            assert!((one - other).abs() <= 1e-5 * other.abs().max(1.0), "{one} {other}");
        }
    }
}

#[test]
fn a_file_gives_back_what_was_written_and_its_hash_is_of_the_weights_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some/evaluator.safetensors");
    EVALUATOR.write(&path).unwrap();
    let read = EvaluatorFile::read(&path).unwrap();
    assert_eq!(read, *EVALUATOR);
    assert_eq!(read.hash(), EVALUATOR.hash());
    let mut renamed = read.clone();
    renamed.info.name = "another".into();
    renamed.info.accuracy = Some(0.5);
    assert_eq!(renamed.hash(), EVALUATOR.hash());
}

#[test]
fn files_that_are_none_are_refused_with_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evaluator.safetensors");
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let read = EvaluatorFile::read(&path).and_then(|file| file.judge::<Flex>(&path, &DEVICE));
        let error = read.unwrap_err().to_string();
        assert!(error.contains("evaluator.safetensors"), "{error}");
        error
    };
    let whole = EVALUATOR.to_bytes().unwrap();
    for length in (0..whole.len()).step_by(whole.len() / 50) {
        refused(&whole[..length]);
    }
    refused(b"PNG");
    let text = String::from_utf8_lossy(&whole[..whole.len().min(4000)]).into_owned();
    let forged = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        assert_eq!(from.len(), to.len());
        let at = whole
            .windows(from.len())
            .position(|window| window == from.as_bytes())
            .unwrap();
        let mut bytes = whole.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        refused(&bytes)
    };
    assert!(forged("\\\"version\\\":1", "\\\"version\\\":9").contains("version 9"));
    forged("\\\"shape\\\":[1,28,28]", "\\\"shape\\\":[1,99,99]");
    forged("\\\"shape\\\":[1,28,28]", "\\\"shape\\\":[0,28,28]");
    forged("\\\"classes\\\":10", "\\\"classes\\\":99");
    forged("ganvas.evaluator", "ganvas.imposters");
    let missing = EvaluatorFile::read(&folder.path().join("nothing")).unwrap_err();
    assert!(matches!(missing, EvaluatorError::Io { .. }), "{missing}");
}

#[test]
fn images_of_another_shape_and_images_without_labels_are_refused() {
    let padded = synthetic_digits(1, Split::Test, 10).padded_to(32).unwrap();
    let error = judge().observe_all(&padded, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("1×28×28") && error.contains("1×32×32"), "{error}");
    let unlabelled = ImageSet::new("mine", vec![0; 784 * 2], None, [1, 28, 28]).unwrap();
    let error = train_classifier::<B>(&unlabelled, &recipe(), &DEVICE, &mut |_, _| ()).unwrap_err();
    assert!(error.to_string().contains("mine"), "{error}");
}

#[test]
fn classifiers_are_made_for_any_size_and_number_of_channels() {
    for (shape, classes) in [([3, 32, 32], 2), ([1, 5, 9], 3), ([3, 64, 48], 4), ([1, 1, 1], 2)] {
        let pixels: Vec<u8> = (0..shape.iter().product::<usize>() * 6)
            .map(|at| (at * 37) as u8)
            .collect();
        let labels = (0..6).map(|image| (image % classes) as u8).collect();
        let images = ImageSet::new("any", pixels, Some(labels), shape).unwrap();
        let recipe = Recipe {
            epochs: 1,
            batch_size: 4,
            ..recipe()
        };
        let file = trained(&images, recipe);
        let judge: Judge<Flex> = file.judge(Path::new("any"), &DEVICE).unwrap();
        let seen = judge.observe_all(&images, &mut |_| ()).unwrap();
        assert_eq!((seen.features.count(), seen.predictions.count()), (6, 6));
    }
}

/// Other real images of the same number are the best that a generator can reach.
#[test]
fn other_real_images_score_at_the_floor() {
    let others = synthetic_digits(2, Split::Test, 1500);
    let found = numbers(&others);
    let get = |name: &str| found.iter().find(|(known, _)| *known == name).unwrap().1;
    let noisy = numbers(&noise(&others, 60));
    let worse = |name: &str| noisy.iter().find(|(known, _)| *known == name).unwrap().1;
    assert!(get("fid") < 0.1 * worse("fid"), "{found:?} {noisy:?}");
    assert!(get("kid").abs() < 0.1 * worse("kid"), "{found:?} {noisy:?}");
    for share in ["precision", "recall", "coverage", "density"] {
        assert!(get(share) > 0.85, "{found:?}");
    }
    assert!(
        get("score") > 9.0 && get("class_entropy") > 0.995 * 10_f64.ln(),
        "{found:?}"
    );
    assert!(get("class_distance") < 0.05, "{found:?}");
    // The training images are not known.
    assert!(!found.iter().any(|(name, _)| *name == "memorized"));
}

fn changed(images: &ImageSet, change: impl Fn(&mut [u8], usize)) -> ImageSet {
    let mut pixels = images.pixels().to_vec();
    for (index, image) in pixels.chunks_exact_mut(784).enumerate() {
        change(image, index);
    }
    ImageSet::new("changed", pixels, images.labels().map(<[u8]>::to_vec), images.shape()).unwrap()
}

fn noise(images: &ImageSet, most: i32) -> ImageSet {
    changed(images, |image, index| {
        let mut rng = keyed_rng(9, Purpose::Augmentation, index as u64);
        for value in image {
            *value = (i32::from(*value) + rng.random_range(-most..=most)).clamp(0, 255) as u8;
        }
    })
}

/// Every pixel the mean of those within `radius`.
fn blur(images: &ImageSet, radius: i32) -> ImageSet {
    changed(images, |image, _| {
        let source = image.to_vec();
        for (at, value) in image.iter_mut().enumerate() {
            let (row, column) = (at as i32 / 28, at as i32 % 28);
            let mut sum = 0;
            for (row, column) in
                (-radius..=radius).flat_map(|down| (-radius..=radius).map(move |right| (row + down, column + right)))
            {
                if (0..28).contains(&row) && (0..28).contains(&column) {
                    sum += i32::from(source[(row * 28 + column) as usize]);
                }
            }
            *value = (sum / (2 * radius + 1).pow(2)) as u8;
        }
    })
}

fn select(images: &ImageSet, chosen: impl Iterator<Item = usize>) -> ImageSet {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for index in chosen {
        pixels.extend_from_slice(&images.image(index).unwrap());
        labels.push(images.label(index).unwrap() as u8);
    }
    ImageSet::new("selected", pixels, Some(labels), images.shape()).unwrap()
}

/// Fails unless FID and KID rise along the sets.
fn assert_rising(what: &str, sets: &[ImageSet]) {
    for name in ["fid", "kid"] {
        let found: Vec<f64> = sets.iter().map(|images| number(images, name)).collect();
        assert!(
            found.is_sorted_by(|one, other| one < other),
            "{name} over {what}: {found:?}"
        );
    }
}

#[test]
fn distances_rise_with_noise_and_blur() {
    let others = synthetic_digits(2, Split::Test, 1500);
    assert_rising("noise", &[0, 40, 80, 120, 160].map(|most| noise(&others, most)));
    assert_rising("blur", &[0, 1, 2, 3].map(|radius| blur(&others, radius)));
}

#[test]
fn distances_rise_with_every_class_that_is_missing_and_recall_falls() {
    let others = synthetic_digits(2, Split::Test, 4500);
    let without = |missing: u32| {
        let kept = (0..others.len()).filter(|&index| others.label(index).unwrap() >= missing);
        select(&others, kept.take(1500))
    };
    let sets = [0, 2, 4, 6].map(without);
    assert_rising("missing classes", &sets);
    for name in ["recall", "coverage", "class_entropy"] {
        let found: Vec<f64> = sets.iter().map(|images| number(images, name)).collect();
        assert!(found.is_sorted_by(|one, other| one > other), "{name}: {found:?}");
    }
    assert!((number(&sets[2], "class_distance") - 0.4).abs() < 0.05);
}

#[test]
fn distances_rise_with_duplicates_and_fid_with_fewer_samples() {
    let others = synthetic_digits(2, Split::Test, 1500);
    let of_few = |distinct: usize| select(&others, (0..1500).map(move |index| index % distinct));
    assert_rising("duplicates", &[1500, 300, 60, 12].map(of_few));
    let fewer = |count: usize| select(&others, 0..count);
    let found: Vec<f64> = [1500, 700, 300, 100].map(|count| number(&fewer(count), "fid")).to_vec();
    assert!(found.is_sorted_by(|one, other| one < other), "{found:?}");
}

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
