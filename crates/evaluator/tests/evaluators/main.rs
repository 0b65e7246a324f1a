//! Evaluators from training to file and back, and what they say of better and worse images.
#![allow(clippy::unwrap_used)]

/// What damage does to the numbers.
mod damage;
/// Copies, modes, and the order of images.
mod scores;
/// Training, files, and what is refused.
mod training;

use std::{path::Path, sync::LazyLock};

use burn_autodiff::Autodiff;
use burn_flex::{Flex, FlexDevice};
use ganvas_data::{ImageSet, ImageSource, Split, synthetic_digits};
use ganvas_evaluator::{
    ClassifierConfig, EvaluatorFile, EvaluatorInfo, Judge, Observed, Recipe, TrainedOn, train_classifier,
};

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

/// Real images that others are compared with.
static REAL: LazyLock<ImageSet> = LazyLock::new(|| synthetic_digits(1, Split::Test, 1500));

fn select(images: &ImageSet, chosen: impl Iterator<Item = usize>) -> ImageSet {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for index in chosen {
        pixels.extend_from_slice(&images.image(index).unwrap());
        labels.push(images.label(index).unwrap() as u8);
    }
    ImageSet::new("selected", pixels, Some(labels), images.shape()).unwrap()
}
