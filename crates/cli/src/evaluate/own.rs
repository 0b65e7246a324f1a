//! Runs on images of one's own, which no classifier knows: are their images copies?

use std::{path::PathBuf, sync::Arc};

use anyhow::bail;
use burn::tensor::backend::AutodiffBackend;
use ganvas_backend::{Job, Selected};
use ganvas_data::{ImageSet, ImageSource};
use ganvas_evaluator::{Metric, Originals};
use ganvas_training::{Checkpoint, DataSection, Experiment, ImagesState, counted};
use serde_json::json;

use super::{
    compare::generated,
    pairs::{draw, pairs},
    subjects::Subject,
};
use crate::{
    args::EvaluateArguments, ended::UsageError, images::TrainingImages, output::print_line, outputs::Destination,
    quoting::quoted, screen,
};

/// Images that are compared where nobody says how many.
const COUNT: usize = 1_000;

/// The runs on images of their own, where all subjects are and nobody says who shall judge them by what.
pub fn runs(arguments: &EvaluateArguments, subjects: &[Subject]) -> bool {
    let is_own = |subject: &Subject| {
        subject
            .experiment()
            .is_some_and(|experiment| experiment.data.path.is_some())
    };
    arguments.real.is_none() && arguments.evaluator.is_none() && subjects.iter().all(is_own)
}

/// Compares the images of each with those that it was trained on.
pub fn evaluate(
    arguments: &EvaluateArguments,
    subjects: &[Subject],
    selected: &Selected,
    mut picture: Option<Destination>,
) -> anyhow::Result<()> {
    if let Some(metric) = arguments.metrics.iter().find(|metric| **metric != Metric::Memorized) {
        bail!(UsageError(format!(
            "`{}` needs a classifier, and images of one's own have none: name one with `--evaluator`, and the real images with `--real`; \
             without them `memorized` is what there is",
            metric.name()
        )));
    }
    let count = arguments.count.map_or(COUNT, |count| count as usize);
    let mut known: Option<(DataSection, Training)> = None;
    let mut evaluations = Vec::new();
    for (evaluated, subject) in subjects.iter().enumerate() {
        let Subject::Checkpoint {
            label,
            checkpoint,
            experiment,
            ..
        } = subject
        else {
            continue;
        };
        let training = match known.take() {
            Some((section, training)) if section == experiment.data => training,
            _ => Training::load(experiment)?,
        };
        training.check(checkpoint, label)?;
        let made = selected.run(GenerateJob {
            checkpoint,
            experiment,
            count,
            seed: arguments.seed,
        })?;
        let comparing = screen::spinner(format!("comparing {}", counted(count, "image")));
        let copies = training.originals.copies(&made)?;
        drop(comparing);
        if let Some(picture) = picture.take() {
            draw(picture, &pairs(&made, &*training.seen, &copies.nearest)?)?;
        }
        match arguments.json {
            true => evaluations.push(json!({
                "source": label,
                "step": checkpoint.state.step,
                "count": count,
                "seed": arguments.seed,
                "backend": selected.kind().name(),
                "memorized": copies.share,
                "real": {"name": training.path, "count": training.count},
            })),
            false => report(evaluated, label, count, &training, copies.share),
        }
        known = Some((experiment.data.clone(), training));
    }
    if arguments.json {
        let document = match evaluations.as_slice() {
            [one] => one.clone(),
            _ => json!({"evaluations": evaluations}),
        };
        print_line!("{document}");
    } else if let Some(path) = &arguments.neighbours {
        print_line!(
            "\nnearest to training images, each left of the one that it is nearest to: {}",
            quoted(path)
        );
    }
    Ok(())
}

/// The images that a run was trained on.
struct Training {
    path: PathBuf,
    /// With their mirror images, where it saw those.
    seen: Arc<dyn ImageSource>,
    /// How many there are without those.
    count: usize,
    state: ImagesState,
    originals: Originals,
}

impl Training {
    fn load(experiment: &Experiment) -> anyhow::Result<Self> {
        let section = &experiment.data;
        let path = PathBuf::from(section.path.clone().unwrap_or_default());
        let usage = |error: ganvas_data::DataError| {
            UsageError(format!(
                "the images of `data.path`: {error}; copies are looked for among the images at the place where the run found them"
            ))
        };
        let seen = TrainingImages::own(path.clone(), section).map_err(usage)?.load()?;
        let count = if section.flip { seen.len() / 2 } else { seen.len() };
        let state = ImagesState::of(&*seen)?;
        let measuring = screen::spinner(format!(
            "comparing {} with each other",
            counted(count, "training image")
        ));
        let originals = Originals::new(seen.clone(), count)?;
        drop(measuring);
        Ok(Self {
            path,
            seen,
            count,
            state,
            originals,
        })
    }

    /// Copies are looked for among the images that a checkpoint knows, or not at all.
    fn check(&self, checkpoint: &Checkpoint, label: &str) -> anyhow::Result<()> {
        let (found, expected) = (&self.state, &checkpoint.state.images);
        if found.is_same(expected) {
            return Ok(());
        }
        bail!(UsageError(format!(
            "{}: expected the images that {label} was trained on, {expected}; found {found}",
            quoted(&self.path)
        )));
    }
}

/// Makes images of a checkpoint.
struct GenerateJob<'a> {
    checkpoint: &'a Checkpoint,
    experiment: &'a Experiment,
    count: usize,
    seed: u64,
}

impl Job for GenerateJob<'_> {
    type Output = anyhow::Result<ImageSet>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        Ok(generated::<B>(self.checkpoint, self.experiment, self.count, self.seed, &device)?.images)
    }
}

fn report(number: usize, label: &str, count: usize, training: &Training, share: Option<f64>) {
    if number > 0 {
        print_line!("");
    }
    print_line!("{} of {label}", counted(count, "image"));
    print_line!(
        "beside the {} of {} that it was trained on, by their pixels, as no classifier knows these:",
        counted(training.count, "image"),
        quoted(&training.path)
    );
    let Some(share) = share else {
        print_line!("memorized  cannot be told: training images do not differ from each other");
        return;
    };
    // So many where nothing is copied: of few images the nearest is the measure.
    let (than, expected) = match training.count {
        100.. => ("99 of 100 training images are", 1.0),
        few => ("any training image is", 100.0 / (few as f64 + 1.0)),
    };
    print_line!(
        "memorized  {:.1} % are nearer to a training image, against the others around it, than {than} to another one\n\
         \x20          (about {expected:.0} % where nothing is copied)",
        100.0 * share
    );
}
