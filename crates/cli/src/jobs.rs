//! What is done on the chosen backend.

use std::sync::Arc;

use burn::{module::AutodiffModule, tensor::backend::AutodiffBackend};
use ganvas_backend::Job;
use ganvas_data::{Classes, ImageSource};
use ganvas_evaluator::EvaluatorError;
use ganvas_model::{DataShape, Generator, Graph, InnerGenerator, NetworkConfig, fused_layers_in_use};
use ganvas_training::{
    Benchmark, BenchmarkOptions, Checkpoint, Evaluator, Experiment, MemoryNeed, Observer, Outcome, PixelStatistics,
    ResumePoint, RunDirectory, Sampler, TrainingError, Weights, benchmark, memory_need, train,
};
use tracing::debug;

use crate::{morph::Path, quality::Quality};

/// Trains into a run directory.
pub struct TrainJob<'a> {
    pub experiment: &'a Experiment,
    pub images: &'a Arc<dyn ImageSource>,
    pub quality: Option<&'a Quality>,
    pub run: &'a RunDirectory,
    pub resume: Option<&'a ResumePoint>,
    pub observer: &'a mut dyn Observer,
}

impl Job for TrainJob<'_> {
    type Output = Result<Outcome, TrainingError>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        report_kernels::<B>(&device);
        let mut evaluators = evaluators::<B>(self.experiment, &**self.images, self.quality, &device)?;
        train::<B, _, _>(
            self.experiment,
            self.images,
            &mut evaluators,
            self.run,
            self.resume,
            &device,
            self.observer,
        )
    }
}

/// The evaluators of `[evaluation]`; what they report stands in `quality.rs`.
fn evaluators<B: AutodiffBackend>(
    experiment: &Experiment,
    images: &dyn ImageSource,
    quality: Option<&Quality>,
    device: &B::Device,
) -> Result<Vec<CommandEvaluator<B>>, TrainingError> {
    let section = &experiment.evaluation;
    let mut evaluators: Vec<CommandEvaluator<B>> = Vec::new();
    if section.every > 0 {
        evaluators.push(Box::new(PixelStatistics::new(images, experiment.seed, section.count)?));
    }
    if let Some(quality) = quality {
        let judge = quality.judge::<B::InnerBackend>(experiment, images, device);
        evaluators.push(Box::new(judge.map_err(|error| match error {
            EvaluatorError::Data(error) => TrainingError::Data(error),
            error => TrainingError::Evaluator(Box::new(error)),
        })?));
    }
    Ok(evaluators)
}

/// An evaluator of the families that ship.
type CommandEvaluator<B> = Box<dyn Evaluator<<B as AutodiffBackend>::InnerBackend, InnerGenerator<B, NetworkConfig>>>;

/// Times steps.
pub struct BenchmarkJob<'a> {
    pub experiment: &'a Experiment,
    pub images: &'a Arc<dyn ImageSource>,
    /// Whether an evaluation is timed, too.
    pub evaluates: bool,
    /// By whom, beside the pixels.
    pub quality: Option<&'a Quality>,
    pub options: BenchmarkOptions,
}

impl Job for BenchmarkJob<'_> {
    type Output = Result<Benchmark, TrainingError>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        report_kernels::<B>(&device);
        let mut evaluators = match self.evaluates {
            true => evaluators::<B>(self.experiment, &**self.images, self.quality, &device)?,
            false => Vec::new(),
        };
        benchmark::<B, _, _>(self.experiment, self.images, &mut evaluators, &device, self.options)
    }
}

/// Counts the memory that a training needs.
pub struct MemoryJob<'a> {
    pub experiment: &'a Experiment,
    pub data: DataShape,
    /// More than this cannot be had.
    pub most: u64,
}

impl Job for MemoryJob<'_> {
    type Output = Result<MemoryNeed, TrainingError>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        memory_need::<B, _, _>(self.experiment, self.data, self.most, &device)
    }
}

/// Makes images, and hands them over in parts.
pub struct GenerateJob<'a> {
    pub checkpoint: &'a Checkpoint,
    pub networks: &'a NetworkConfig,
    pub weights: Weights,
    pub latents: &'a Latents,
    /// z is multiplied by this.
    pub truncation: f32,
    pub classes: AskedClasses,
    /// Takes a part.
    pub take: &'a mut dyn FnMut(Part<'_>) -> anyhow::Result<()>,
}

/// What images are made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Latents {
    /// Noise that one seed decides, for so many images.
    Seed(u64, u64),
    /// For each seed the first image that it decides.
    Seeds(Vec<u64>),
    /// Noise that was brought, so many numbers an image; what else is drawn comes from the seed.
    Given { z: Vec<f32>, width: usize, seed: u64 },
    /// A path from seed to seed, all of one class: the first seed's.
    Path(Path),
}

/// Images whose noise is brought are made so many at once.
const PART: usize = 256;

impl Latents {
    /// How many images.
    pub fn count(&self) -> u64 {
        match self {
            Self::Seed(_, count) => *count,
            Self::Seeds(seeds) => seeds.len() as u64,
            Self::Given { z, width, .. } => (z.len() / width) as u64,
            Self::Path(path) => path.count(),
        }
    }

    /// Part after part of the images.
    fn samplers(&self, latent: usize, classes: Option<&Classes>) -> Box<dyn Iterator<Item = Sampler> + '_> {
        let classes = classes.cloned();
        match self {
            Self::Seed(seed, count) => {
                let parts = Sampler::parts(*seed, *count, latent);
                Box::new(parts.map(move |part| part.of_classes(classes.as_ref())))
            }
            Self::Seeds(seeds) => Box::new(
                seeds
                    .chunks(PART)
                    .map(move |seeds| Sampler::of_seeds(seeds, latent, classes.as_ref())),
            ),
            Self::Given { z, width, seed } => {
                let parts = z.chunks(PART * width).enumerate();
                Box::new(parts.map(move |(part, z)| {
                    Sampler::of_noise(z.to_vec(), latent, *seed, (part * PART) as u64).of_classes(classes.as_ref())
                }))
            }
            Self::Path(path) => {
                let first = Sampler::of_seeds(&path.seeds[..1], latent, classes.as_ref());
                let class = first.labels().map(|labels| labels[0]);
                let parts = (0..path.count()).step_by(PART);
                Box::new(parts.map(move |first| {
                    let images = first..path.count().min(first + PART as u64);
                    let sampler = Sampler::of_noise(path.noise(images, latent), latent, 0, first);
                    match class {
                        Some(class) => sampler.with_classes(|_| class),
                        None => sampler,
                    }
                }))
            }
        }
    }
}

/// The classes that images are made of, where the generator is conditional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedClasses {
    /// Each as often as it is among the images of the training.
    Drawn,
    /// One for all images.
    One(u32),
    /// So many images of each class, one class after the other.
    Each(u64),
}

impl AskedClasses {
    /// For the images from number `first` on.
    fn of(self, sampler: Sampler, first: u64) -> Sampler {
        match self {
            Self::Drawn => sampler,
            Self::One(class) => sampler.with_classes(|_| class),
            Self::Each(images) => {
                let own = sampler.first();
                sampler.with_classes(|index| ((first + index - own) / images) as u32)
            }
        }
    }
}

/// Some of the images.
pub struct Part<'a> {
    /// `[part, channels, height, width]`
    pub images: &'a [f32],
    /// The noise that they were made of, `[part, latent]`.
    pub noise: &'a [f32],
    /// The size of one image's noise.
    pub latent: usize,
    /// The classes that they were made of, where the generator is conditional.
    pub classes: Option<&'a [u32]>,
}

impl Job for GenerateJob<'_> {
    type Output = anyhow::Result<()>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        report_kernels::<B>(&device);
        // Built on the backend with gradients, so that each backend's networks are compiled once.
        let generator = self
            .checkpoint
            .generator_of::<B, _>(self.networks, self.weights, &device)?
            .valid();
        let latent = generator.latent_size();
        let mut first = 0;
        for sampler in self
            .latents
            .samplers(latent, self.checkpoint.state.images.classes.as_ref())
        {
            let sampler = self.classes.of(sampler, first).truncated(self.truncation);
            first += sampler.count() as u64;
            let images = sampler.images(&generator, &device);
            let part = Part {
                images: &images,
                noise: sampler.noise(),
                latent,
                classes: sampler.labels().filter(|_| generator.classes() > 0),
            };
            (self.take)(part)?;
        }
        Ok(())
    }
}

/// Reads what a generator computes.
pub struct GraphJob<'a> {
    pub checkpoint: &'a Checkpoint,
    pub networks: &'a NetworkConfig,
    pub weights: Weights,
}

impl Job for GraphJob<'_> {
    type Output = anyhow::Result<Graph>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let generator = self
            .checkpoint
            .generator_of::<B, _>(self.networks, self.weights, &device)?
            .valid();
        Ok(Graph::of(&generator)?)
    }
}

/// For `-v`: without fused kernels a processor is several times as slow.
fn report_kernels<B: AutodiffBackend>(device: &B::Device) {
    debug!(
        "{}",
        match fused_layers_in_use::<B>(device) {
            true => "fused kernels are in use",
            false => "no fused kernels for this device: the layers are made of Burn's operations",
        }
    );
}
