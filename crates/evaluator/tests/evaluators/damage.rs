use burn_flex::Flex;
use ganvas_data::{
    DatasetName, ImageSet, ImageSource, LoadOptions, Purpose, Split, epoch_order, keyed_rng, load, synthetic_digits,
};
use ganvas_evaluator::{Judge, Metric, Reference, standard_evaluator};
use rand::Rng;

use crate::{DEVICE, REAL, judge, select};

/// Images that others are compared with, others of the same kind, and who judges them.
struct Kind {
    name: &'static str,
    judge: Judge<Flex>,
    reference: Reference,
    others: ImageSet,
}

/// How many images of a kind are compared.
const COUNT: usize = 1500;

impl Kind {
    fn new(name: &'static str, judge: Judge<Flex>, real: &ImageSet, others: ImageSet) -> Self {
        let reference = Reference::new(judge.observe_all(real, &mut |_| ()).unwrap());
        Self {
            name,
            judge,
            reference,
            others,
        }
    }

    /// Synthetic digits, and MNIST's where they are at hand.
    fn all() -> Vec<Self> {
        let mut kinds = vec![Self::new(
            "synthetic",
            judge(),
            &REAL,
            synthetic_digits(2, Split::Test, 3 * COUNT),
        )];
        if std::env::var_os("GANVAS_DATA").is_none() {
            println!("GANVAS_DATA is not set: synthetic digits alone");
            return kinds;
        }
        // The first test images were written by other people than the last: every sixth is compared with some of all the others.
        let digits = load(DatasetName::Mnist, Split::Test, &LoadOptions::default()).unwrap();
        let real = select(&digits, (0..6 * COUNT).step_by(6));
        let order = epoch_order(0, 0, digits.len()).into_iter().map(|index| index as usize);
        let others = select(&digits, order.filter(|index| index % 6 != 0));
        let found = standard_evaluator("mnist").unwrap().unwrap();
        let judge = found.judge(None, &DEVICE).unwrap();
        kinds.push(Self::new("mnist", judge, &real, others));
        kinds
    }

    /// The first of the others.
    fn some(&self) -> ImageSet {
        self.others.clone().truncated(COUNT)
    }

    fn numbers(&self, images: &ImageSet, metrics: &[Metric]) -> Vec<(&'static str, f64)> {
        let seen = self.judge.observe_all(images, &mut |_| ()).unwrap();
        self.reference.measure(&seen, metrics, 1).unwrap()
    }

    /// Fails unless these numbers rise along the sets.
    fn assert_rising(&self, what: &str, metrics: &[Metric], sets: &[ImageSet]) {
        let found: Vec<_> = sets.iter().map(|images| self.numbers(images, metrics)).collect();
        for metric in metrics {
            let found: Vec<f64> = found.iter().map(|numbers| get(numbers, metric.name())).collect();
            let is_rising = found.is_sorted_by(|one, other| one < other);
            assert!(is_rising, "{}: {metric} over {what}: {found:?}", self.name);
        }
    }
}

fn get(numbers: &[(&'static str, f64)], name: &str) -> f64 {
    numbers.iter().find(|(known, _)| *known == name).unwrap().1
}

/// Other real images of the same number are the best that a generator can reach.
#[test]
fn other_real_images_score_at_the_floor() {
    for kind in Kind::all() {
        let others = kind.some();
        let found = kind.numbers(&others, &Metric::ALL);
        let noisy = kind.numbers(&noise(&others, 60), &[Metric::Fid, Metric::Kid]);
        for distance in ["fid", "kid"] {
            assert!(
                get(&found, distance).abs() < 0.1 * get(&noisy, distance),
                "{}: {found:?} {noisy:?}",
                kind.name
            );
        }
        for share in ["precision", "recall", "coverage", "density"] {
            assert!(get(&found, share) > 0.85, "{}: {found:?}", kind.name);
        }
        assert!(
            get(&found, "score") > 9.0 && get(&found, "class_entropy") > 0.995 * 10_f64.ln(),
            "{}: {found:?}",
            kind.name
        );
        assert!(get(&found, "class_distance") < 0.05, "{}: {found:?}", kind.name);
        // The training images are not known.
        assert!(!found.iter().any(|(name, _)| *name == "memorized"));
    }
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

#[test]
fn distances_rise_with_noise_and_blur() {
    for kind in Kind::all() {
        let others = kind.some();
        let noisy = [0, 40, 80, 120, 160].map(|most| noise(&others, most));
        kind.assert_rising("noise", &[Metric::Fid, Metric::Kid], &noisy);
        let blurred = [0, 1, 2, 3].map(|radius| blur(&others, radius));
        kind.assert_rising("blur", &[Metric::Fid, Metric::Kid], &blurred);
    }
}

#[test]
fn distances_rise_with_every_class_that_is_missing_and_recall_falls() {
    for kind in Kind::all() {
        let without = |missing: u32| {
            let others = &kind.others;
            let kept = (0..others.len()).filter(|&index| others.label(index).unwrap() >= missing);
            select(others, kept.take(COUNT))
        };
        let mut sets = [0, 2, 4, 6].map(without);
        kind.assert_rising(
            "missing classes",
            &[Metric::Fid, Metric::Kid, Metric::ClassDistance],
            &sets,
        );
        let distance = get(&kind.numbers(&sets[2], &[Metric::ClassDistance]), "class_distance");
        assert!((distance - 0.4).abs() < 0.05, "{}: {distance}", kind.name);
        sets.reverse();
        kind.assert_rising(
            "classes",
            &[Metric::Recall, Metric::Coverage, Metric::ClassEntropy],
            &sets,
        );
    }
}

#[test]
fn distances_rise_with_duplicates_and_fid_with_fewer_samples() {
    for kind in Kind::all() {
        let others = kind.some();
        let of_few = |distinct: usize| select(&others, (0..COUNT).map(move |index| index % distinct));
        let duplicated = [COUNT, 300, 60, 12].map(of_few);
        kind.assert_rising("duplicates", &[Metric::Fid, Metric::Kid], &duplicated);
        let fewer = [COUNT, 700, 300, 100].map(|count| select(&others, 0..count));
        kind.assert_rising("fewer samples", &[Metric::Fid], &fewer);
    }
}
