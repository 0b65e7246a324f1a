//! What is done on a backend: one job with variants, so that each backend's code is compiled once.

use std::sync::Arc;

use burn::{module::AutodiffModule, tensor::backend::AutodiffBackend};
use ganvas_backend::{BackendError, BackendKind, DeviceInfo, Job};
use ganvas_data::ImageSet;
use ganvas_training::{
    BackendSection, Checkpoint, Experiment, Observer, Outcome, Rehearsal, RehearsalOptions, ResumePoint, RunDirectory,
    Sampler, TrainingError, rehearse, train,
};

/// A job for whatever backend was chosen.
pub enum Work<'a> {
    /// Trains into a run directory.
    Train {
        experiment: &'a Experiment,
        images: &'a Arc<ImageSet>,
        run: &'a RunDirectory,
        resume: Option<&'a ResumePoint>,
        observer: &'a mut dyn Observer,
    },
    /// Rehearses a training.
    Rehearse {
        experiment: &'a Experiment,
        images: &'a Arc<ImageSet>,
        options: RehearsalOptions,
    },
    /// Makes images.
    Generate {
        checkpoint: &'a Checkpoint,
        sampler: &'a Sampler,
    },
}

/// What a [`Work`] gives back, variant by variant.
pub enum Result {
    Trained(Outcome),
    Rehearsed(Rehearsal),
    /// `[count, channels, height, width]`
    Images(Vec<f32>),
}

impl Job for Work<'_> {
    type Output = std::result::Result<Result, TrainingError>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        match self {
            Self::Train {
                experiment,
                images,
                run,
                resume,
                observer,
            } => train::<B>(experiment, images, run, resume, &device, observer).map(Result::Trained),
            Self::Rehearse {
                experiment,
                images,
                options,
            } => rehearse::<B>(experiment, images, &device, options).map(Result::Rehearsed),
            Self::Generate { checkpoint, sampler } => {
                let generator = checkpoint.sampling_generator::<B>(&device)?.valid();
                Ok(Result::Images(sampler.images(&generator, &device)))
            }
        }
    }
}

/// The device that [`run`] would take.
pub fn find_device(backend: &BackendSection) -> std::result::Result<DeviceInfo, BackendError> {
    ganvas_backend::find_device(backend.kind.parse()?, &backend.device)
}

/// Runs a job on the backend that an experiment names.
pub fn run(backend: &BackendSection, work: Work<'_>) -> anyhow::Result<Result> {
    let kind: BackendKind = backend.kind.parse()?;
    Ok(ganvas_backend::run(kind, &backend.device, work)??)
}
