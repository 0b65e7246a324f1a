//! Numbers of quality while training: `[evaluation] metrics` and `evaluator`.

use std::path::Path;

use burn::tensor::backend::Backend;
use ganvas_data::{Classes, DatasetName, ImageSource, LoadOptions, Split, shape_before_loading};
use ganvas_evaluator::{EvaluatorError, Fitted, Floor, FoundEvaluator, Metric, Reference, TrainingJudge, fits};
use ganvas_model::NetworkSettings;
use ganvas_training::{Basis, Experiment, PixelStatistics, counted, nearest};
use tracing::info;

use crate::{
    evaluator::{default_name, find},
    images::{Origin, TrainingImages},
    screen,
    words::number,
};

/// A mistake in the configuration: the dotted key, and what is wrong with it.
pub type Mistake = (&'static str, String, Option<String>);

/// The names of the numbers that the command's evaluators report in this experiment.
pub fn reports(experiment: &Experiment) -> Vec<String> {
    let of_pixels = PixelStatistics::REPORTS.iter();
    let of_judge = metrics(experiment).unwrap_or_default();
    let of_judge = of_judge.iter().flat_map(|metric| metric.reports());
    of_pixels.chain(of_judge).map(|&name| name.to_owned()).collect()
}

/// The metrics that an experiment asks for.
fn metrics(experiment: &Experiment) -> Result<Vec<Metric>, Mistake> {
    let mut metrics: Vec<Metric> = Vec::new();
    for name in &experiment.evaluation.metrics {
        let metric: Metric = name.parse().map_err(|error: ganvas_evaluator::UnknownMetric| {
            let near = nearest(name, Metric::ALL.map(Metric::name));
            ("evaluation.metrics", error.to_string(), near)
        })?;
        if metrics.contains(&metric) {
            return Err(("evaluation.metrics", format!("`{name}` stands there twice"), None));
        }
        metrics.push(metric);
    }
    Ok(metrics)
}

/// Who judges a run on its way.
pub struct Quality {
    evaluator: FoundEvaluator,
    metrics: Vec<Metric>,
    dataset: DatasetName,
    options: LoadOptions,
}

impl Quality {
    /// What an experiment asks for; nothing where it asks for no metrics, or never evaluates.
    pub fn of(experiment: &Experiment, images: &TrainingImages) -> Result<Option<Self>, Mistake> {
        let section = &experiment.evaluation;
        let metrics = metrics(experiment)?;
        if metrics.is_empty() {
            return Ok(None);
        }
        let Origin::Named(dataset, options) = &images.origin else {
            let message = "expected nothing for images of `data.path`, which have no test split and no classifier; `ganvas evaluate RUN` looks \
                           for copies, and with `--real` and `--evaluator` judges such runs";
            return Err(("evaluation.metrics", message.to_owned(), None));
        };
        let dataset = *dataset;
        if section.every == 0 {
            let message =
                "expected the steps between two evaluations where `evaluation.metrics` names numbers, found 0";
            return Err(("evaluation.every", message.to_owned(), None));
        }
        if metrics.contains(&Metric::Modes) && dataset != DatasetName::StackedMnist {
            let message = format!("`modes` are those of stacked-mnist, and `data.dataset` is {dataset}");
            return Err(("evaluation.metrics", message, None));
        }
        if metrics.contains(&Metric::ClassAccuracy) && !experiment.model.is_conditional() {
            let message =
                "`class_accuracy` is of conditional networks, which are asked for classes (`model.conditional`)";
            return Err(("evaluation.metrics", message.to_owned(), None));
        }
        if metrics.contains(&Metric::ClassRecall) && dataset == DatasetName::StackedMnist {
            let message = "`class_recall` needs more images of each class than there are of stacked-mnist's thousand";
            return Err(("evaluation.metrics", message.to_owned(), None));
        }
        let least = 10;
        if section.count < least {
            let message = format!(
                "expected at least {least} where there are metrics, found {}",
                section.count
            );
            return Err(("evaluation.count", message, None));
        }
        let evaluator = match &section.evaluator {
            Some(named) => find(Path::new(named)),
            None => find(Path::new(default_name(dataset).as_str())),
        };
        let evaluator = evaluator.map_err(|error| {
            let advice = match (&error, &section.evaluator) {
                (EvaluatorError::Unknown { .. }, None) => {
                    format!("; `ganvas evaluator train {dataset}` makes one for these images")
                }
                _ => String::new(),
            };
            ("evaluation.evaluator", format!("{error}{advice}"), None)
        })?;
        let mut shape = evaluator.file.info.network.shape;
        if dataset == DatasetName::StackedMnist {
            shape[0] *= 3;
        }
        if let Ok(Some(found)) = shape_before_loading(dataset, Split::Train, options)
            && !fits(found, shape)
        {
            let [channels, height, width] = shape;
            let message = format!(
                "the evaluator {} takes images of {channels}×{height}×{width}; train one for these, or leave `metrics` out",
                evaluator.file.name_and_hash()
            );
            return Err(("evaluation.evaluator", message, None));
        }
        Ok(Some(Self {
            evaluator,
            metrics,
            dataset,
            options: options.clone(),
        }))
    }

    /// As many training images as that, or all that there are.
    fn whole_split(&self, count: usize) -> LoadOptions {
        LoadOptions {
            count: self.dataset.is_made().then_some(count),
            ..self.options.clone()
        }
    }

    /// Puts the evaluator on a device and shows it the real images: the test split, training images for the floor, and all of them where
    /// copies are looked for.
    pub fn judge<B: Backend>(
        &self,
        experiment: &Experiment,
        training: &dyn ImageSource,
        device: &B::Device,
    ) -> Result<TrainingJudge<B>, EvaluatorError> {
        let (metrics, count, seed) = (&self.metrics, experiment.evaluation.count, experiment.seed);
        let judge = self.evaluator.judge::<B>(Some(self.dataset), device)?;
        let loading = screen::loading(self.dataset);
        let options = LoadOptions {
            // Real images are the same for all runs.
            seed: 0,
            count: None,
            ..self.options.clone()
        };
        let real = ganvas_data::load(self.dataset, Split::Test, &options)?;
        drop(loading);
        if let Some(change) = Fitted::new(training, judge.shape())?.change() {
            info!("images: {change} for the evaluator");
        }
        let looking = screen::spinner("looking at real images");
        let mut reference = Reference::new(judge.observe_all(&real, &mut |_| ())?);
        if metrics.contains(&Metric::Memorized) {
            reference = reference.with_training(judge.observe_all(training, &mut |_| ())?.features);
        }
        // As many as generated ones, and of the whole split where the run trains on fewer.
        let split = match training.len() < count {
            true => Some(ganvas_data::load(self.dataset, Split::Train, &self.whole_split(count))?),
            false => None,
        };
        let others = split.as_ref().map_or(training, |split| split as &dyn ImageSource);
        let floor = match others.len() < count {
            true => Vec::new(),
            false => {
                let others = judge.observe(others, &Floor::order(seed, others.len(), count), &mut |_| ())?;
                Floor::of(&reference, &others, metrics, seed)?.numbers
            }
        };
        drop(looking);
        let by = format!(
            "{}, {} against {} of {} ({})",
            self.evaluator.file.name_and_hash(),
            counted(count, "image"),
            real.len(),
            self.dataset,
            Split::Test
        );
        let said: Vec<String> = floor
            .iter()
            .map(|&(name, value)| format!("{name} {}", number(value)))
            .collect();
        match said.is_empty() {
            false => info!("judged by {by}; real images in their place have {}", said.join(", ")),
            true => info!("judged by {by}; there are too few real images to put as many in their place"),
        }
        Ok(TrainingJudge {
            judge,
            reference,
            metrics: metrics.clone(),
            seed,
            count,
            classes: Classes::of(training),
            basis: Basis {
                by,
                floor: floor
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            },
        })
    }
}
