use std::{fs, path::Path};

use burn_flex::Flex;
use ganvas_data::{ImageSet, Split, synthetic_digits};
use ganvas_evaluator::{EvaluatorError, EvaluatorFile, Judge, Recipe, accuracy, standard_evaluator, train_classifier};

use crate::{B, DEVICE, EVALUATOR, REAL, judge, recipe, seen, trained};

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
    let digits = synthetic_digits(1, Split::Test, 10);
    let larger = digits.clone().padded_to(40).unwrap();
    let error = judge().observe_all(&larger, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("1×28×28") && error.contains("1×40×40"), "{error}");
    // A border that experiments add is taken off again.
    assert_eq!(seen(&digits.clone().padded_to(32).unwrap()), seen(&digits));
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
