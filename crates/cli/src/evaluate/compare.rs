//! Comparing images on the chosen backend.

use std::{
    cell::Cell,
    collections::{BTreeMap, btree_map::Entry},
};

use anyhow::Context;
use burn::{
    module::AutodiffModule,
    tensor::backend::{AutodiffBackend, Backend},
};
use ganvas_backend::Job;
use ganvas_data::{ImageSet, ImageSource};
use ganvas_evaluator::{
    FoundEvaluator, Judge, Metric, Neighbour, Observed, Reference, expected_modes, fit, generated_images,
};
use ganvas_model::Generator;
use ganvas_training::{Checkpoint, Experiment, Sampler};
use tracing::info;

use super::{real::RealImages, subjects::Subject};
use crate::screen::Progress;

/// How many samples are drawn beside training images.
const PAIRS: usize = 40;

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

/// A subject's numbers.
pub struct OfSubject {
    pub label: String,
    pub step: Option<u64>,
    /// Images that were looked at.
    pub count: usize,
    pub numbers: Numbers,
}

/// What real images score in the place of generated ones.
pub struct Floor {
    /// Images in the place of the generated ones.
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
        let mut judge: Judge<B::InnerBackend> = evaluator.file.judge(&evaluator.path, &device)?;
        if real.is_stacked() {
            judge = judge.per_channel()?;
        }
        let looking = Looking {
            judge: &judge,
            progress: self.progress,
            done: Cell::new(0),
        };
        let (real_images, change) = fit(real.images.clone(), judge.shape())?;
        if let Some(change) = change {
            info!("real images: {change} for the evaluator");
        }
        let mut reference = Reference::new(looking.all(&real_images)?);
        let training = match &real.training {
            Some(training) => Some(fit(training.clone(), judge.shape())?.0),
            None => None,
        };
        let looks_for_copies = metrics.contains(&Metric::Memorized) || self.wants_pairs;
        if let Some(training) = training.as_ref().filter(|_| looks_for_copies) {
            reference = reference.with_training(looking.all(training)?.features);
        }

        let mut compared = Compared {
            of_subjects: Vec::new(),
            floors: BTreeMap::new(),
            pairs: None,
        };
        for subject in self.subjects {
            let images = match subject {
                Subject::Samples { images, .. } => images.clone().truncated(self.count),
                Subject::Checkpoint {
                    checkpoint, experiment, ..
                } => generated::<B>(checkpoint, experiment, self.count, seed, &device)?,
            };
            let (images, change) = fit(images, judge.shape())?;
            if let Some(change) = change {
                info!("{}: {change} for the evaluator", subject.label());
            }
            let seen = looking.all(&images)?;
            // Whether images were memorized shows only beside those that they were trained on.
            let metrics = match real.are_those_of(subject) {
                true => metrics.to_vec(),
                false => without_memorized(metrics),
            };
            let judged = reference.measure(&seen, &metrics, seed);
            let numbers = judged.with_context(|| format!("cannot judge {}", subject.label()))?;
            if let (true, Some(training)) = (self.wants_pairs && compared.pairs.is_none(), &training) {
                let nearest = reference.nearest_training(&seen)?.unwrap_or_default();
                compared.pairs = Some(pairs(&images, training, &nearest)?);
            }
            if let Entry::Vacant(place) = compared.floors.entry(seen.count()) {
                let mut floor = match &training {
                    Some(training) => of_training(&looking, &reference, (real, training), &metrics, seen.count(), seed),
                    None => of_halves(&looking, &real_images, &metrics, seed),
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
                step: subject.step(),
                count: seen.count(),
                numbers,
            });
        }
        Ok(compared)
    }
}

/// The samples that are nearest to training images, nearest first, each followed by that image.
fn pairs(images: &ImageSet, training: &ImageSet, nearest: &[Neighbour]) -> anyhow::Result<ImageSet> {
    let mut order: Vec<usize> = (0..nearest.len()).collect();
    order.sort_by(|&one, &other| nearest[one].distance.total_cmp(&nearest[other].distance));
    let mut pixels = Vec::new();
    for index in order.into_iter().take(PAIRS) {
        pixels.extend_from_slice(&images.image(index)?);
        pixels.extend_from_slice(&training.image(nearest[index].index)?);
    }
    Ok(ImageSet::new("pairs", pixels, None, images.shape())?)
}

/// Training images in the place of generated ones.
fn of_training<B: Backend>(
    looking: &Looking<'_, B>,
    reference: &Reference,
    (real, training): (&RealImages, &ImageSet),
    metrics: &[Metric],
    count: usize,
    seed: u64,
) -> anyhow::Result<Floor> {
    let seen = looking.some(training, &real.floor(training, seed, count))?;
    Ok(Floor {
        count: seen.count(),
        numbers: reference.measure(&seen, &without_memorized(metrics), seed)?,
    })
}

/// Every second real image against the others: all that there is where nothing is known of a training set.
fn of_halves<B: Backend>(
    looking: &Looking<'_, B>,
    images: &ImageSet,
    metrics: &[Metric],
    seed: u64,
) -> anyhow::Result<Floor> {
    let half = |first: u32| looking.some(images, &(first..images.len() as u32).step_by(2).collect::<Vec<_>>());
    let (one, other) = (half(0)?, half(1)?);
    Ok(Floor {
        count: other.count(),
        numbers: Reference::new(one).measure(&other, &without_memorized(metrics), seed)?,
    })
}

/// Training images are at no distance from themselves.
fn without_memorized(metrics: &[Metric]) -> Vec<Metric> {
    let others = metrics.iter().copied();
    others.filter(|&metric| metric != Metric::Memorized).collect()
}

/// The images that `ganvas generate --seed SEED` makes of a checkpoint, as bytes, as it writes them.
fn generated<B: AutodiffBackend>(
    checkpoint: &Checkpoint,
    experiment: &Experiment,
    count: usize,
    seed: u64,
    device: &B::Device,
) -> anyhow::Result<ImageSet> {
    // Built on the backend with gradients, so that each backend's networks are compiled once.
    let generator = checkpoint
        .sampling_generator::<B, _>(&experiment.model, device)?
        .valid();
    let noise = Sampler::parts(seed, count as u64, generator.latent_size());
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
