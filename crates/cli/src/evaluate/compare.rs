//! Comparing images on the chosen backend.

use std::{
    borrow::Cow,
    cell::Cell,
    collections::{BTreeMap, HashSet, btree_map::Entry},
    path::{Path, PathBuf},
};

use anyhow::Context;
use burn::{
    module::AutodiffModule,
    tensor::backend::{AutodiffBackend, Backend},
};
use ganvas_backend::Job;
use ganvas_data::{ImageSet, ImageSource};
use ganvas_evaluator::{
    Fitted, Floor, FoundEvaluator, Generated, Judge, Metric, Observed, Reference, expected_modes, generated_images,
    without_memorized,
};
use ganvas_model::Generator;
use ganvas_training::{Checkpoint, Experiment, Sampler, counted};
use tracing::info;

use super::{pairs::pairs, real::RealImages, subjects::Subject};
use crate::screen::{self, Progress};

/// Numbers by their names.
pub type Numbers = Vec<(&'static str, f64)>;

/// Looks at all images and computes the numbers.
pub struct CompareJob<'a> {
    pub evaluator: &'a FoundEvaluator,
    pub real: &'a RealImages,
    pub subjects: &'a [Subject],
    pub metrics: &'a [Metric],
    /// Images of each subject, at most.
    pub count: usize,
    pub seed: u64,
    /// Whether the samples that are nearest to training images are wanted, beside those.
    pub wants_pairs: bool,
    pub progress: &'a Progress,
}

/// What came of it.
pub struct Compared {
    /// Each subject's, in their order.
    pub of_subjects: Vec<OfSubject>,
    /// The floor of each number of images that a subject has.
    pub floors: BTreeMap<usize, Floor>,
    /// Images of the first subject, each followed by the training image that it is nearest to.
    pub pairs: Option<ImageSet>,
}

impl Compared {
    /// Whether several subjects are checkpoints of the same run.
    pub fn are_of_one_run(&self) -> bool {
        let runs: Vec<&PathBuf> = self.of_subjects.iter().filter_map(|found| found.run.as_ref()).collect();
        let all: HashSet<&PathBuf> = runs.iter().copied().collect();
        all.len() < runs.len()
    }
}

/// A subject's numbers.
pub struct OfSubject {
    pub label: String,
    /// The folder of the run, of a checkpoint.
    pub run: Option<PathBuf>,
    pub step: Option<u64>,
    /// Images that were looked at.
    pub count: usize,
    pub numbers: Numbers,
}

impl Job for CompareJob<'_> {
    type Output = anyhow::Result<Compared>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let Self {
            evaluator,
            real,
            metrics,
            seed,
            ..
        } = self;
        let judge = evaluator.judge::<B::InnerBackend>(real.dataset, &device)?;
        let looking = Looking {
            judge: &judge,
            progress: self.progress,
            done: Cell::new(0),
        };
        let fitted = |what: &str, images: &ImageSet| {
            let change = Fitted::new(images, judge.shape())?.change();
            change
                .iter()
                .for_each(|change| info!("{what}: {change} for the evaluator"));
            anyhow::Ok(())
        };
        fitted("real images", &real.images)?;
        let mut reference = Reference::new(looking.all(&real.images)?);
        let looks_for_copies = metrics.contains(&Metric::Memorized) || self.wants_pairs;
        if let Some(training) = real.training.as_ref().filter(|_| looks_for_copies) {
            reference = reference.with_training(looking.all(training)?.features);
        }

        let mut compared = Compared {
            of_subjects: Vec::new(),
            floors: BTreeMap::new(),
            pairs: None,
        };
        for subject in self.subjects {
            let (images, asked) = match subject {
                Subject::Samples { images, .. } => (Cow::Borrowed(images), None),
                Subject::Checkpoint {
                    checkpoint, experiment, ..
                } => {
                    let generated = generated::<B>(checkpoint, experiment, self.count, seed, &device)?;
                    (Cow::Owned(generated.images), generated.classes)
                }
            };
            fitted(subject.label(), &images)?;
            let chosen: Vec<u32> = (0..images.len().min(self.count) as u32).collect();
            let seen = looking.some(&images, &chosen)?.asked_for(asked);
            // Whether images were memorized shows only beside those that they were trained on.
            let metrics = match real.are_those_of(subject) {
                true => metrics.to_vec(),
                false => without_memorized(metrics),
            };
            let comparing = screen::spinner(format!("comparing {}", counted(seen.count(), "image")));
            let judged = reference.measure(&seen, &metrics, seed);
            drop(comparing);
            let numbers = judged.with_context(|| format!("cannot judge {}", subject.label()))?;
            if let (true, Some(training)) = (self.wants_pairs && compared.pairs.is_none(), &real.training) {
                let nearest = reference.nearest_training(&seen)?.unwrap_or_default();
                let [images, training] = [&*images, training].map(|images| Fitted::new(images, judge.shape()));
                compared.pairs = Some(pairs(&images?, &training?, &nearest)?);
            }
            if let Entry::Vacant(place) = compared.floors.entry(seen.count()) {
                let mut floor = match &real.training {
                    Some(training) => {
                        let seen = looking.some(training, &Floor::order(seed, training.len(), seen.count()))?;
                        Floor::of(&reference, &seen, &metrics, seed)
                    }
                    None => {
                        // All that there is where nothing is known of a training set: every second image against the others.
                        let half = |first: u32| (first..real.images.len() as u32).step_by(2).collect::<Vec<_>>();
                        let [one, other] = [half(0), half(1)].map(|half| looking.some(&real.images, &half));
                        Floor::of(&Reference::new(one?), &other?, &metrics, seed)
                    }
                }
                .context("cannot compute the floor")?;
                if let (Some(shares), true) = (real.digits, metrics.contains(&Metric::Modes)) {
                    // Not what the classifier reads in real images, but what a perfect sampler is expected to have.
                    let (modes, divergence) = expected_modes(shares, floor.count as u64);
                    floor.numbers.retain(|(name, _)| !name.starts_with("modes"));
                    floor.numbers.extend([("modes", modes), ("modes_kl", divergence)]);
                }
                place.insert(floor);
            }
            compared.of_subjects.push(OfSubject {
                label: subject.label().to_owned(),
                run: subject.run().map(Path::to_owned),
                step: subject.step(),
                count: seen.count(),
                numbers,
            });
        }
        Ok(compared)
    }
}

/// The images that `ganvas generate --seed SEED` makes of a checkpoint, as bytes, as it writes them.
pub fn generated<B: AutodiffBackend>(
    checkpoint: &Checkpoint,
    experiment: &Experiment,
    count: usize,
    seed: u64,
    device: &B::Device,
) -> anyhow::Result<Generated> {
    // Built on the backend with gradients, so that each backend's networks are compiled once.
    let generator = checkpoint
        .sampling_generator::<B, _>(&experiment.model, device)?
        .valid();
    let classes = checkpoint.state.images.classes.as_ref();
    let noise = Sampler::parts(seed, count as u64, generator.latent_size()).map(|part| part.of_classes(classes));
    Ok(generated_images(&generator, noise, device)?)
}

/// A classifier, and how many images it has looked at.
struct Looking<'a, B: Backend> {
    judge: &'a Judge<B>,
    progress: &'a Progress,
    done: Cell<usize>,
}

impl<B: Backend> Looking<'_, B> {
    fn all(&self, images: &ImageSet) -> anyhow::Result<Observed> {
        self.some(images, &(0..images.len() as u32).collect::<Vec<_>>())
    }

    fn some(&self, images: &ImageSet, chosen: &[u32]) -> anyhow::Result<Observed> {
        let before = self.done.get();
        let seen = self.judge.observe(images, chosen, &mut |done| {
            self.done.set(before + done);
            self.progress.reach((before + done) as u64);
        })?;
        Ok(seen)
    }
}
