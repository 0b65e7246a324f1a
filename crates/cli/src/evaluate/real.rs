//! The real images, and those that the floor is made of.

use std::path::Path;

use ganvas_data::{DatasetName, ImageSet, ImageSource, LoadOptions, Split, read_samples};
use ganvas_training::counted;
use tracing::info;

use super::subjects::Subject;
use crate::{args::EvaluateArguments, data, screen};

/// Real images.
pub struct RealImages {
    /// What they are called: a data set's name, or a path.
    pub name: String,
    /// The data set, where they are of one.
    pub dataset: Option<DatasetName>,
    /// The split that they are, where they are of a data set.
    pub split: Option<Split>,
    /// Those that generated ones are compared with.
    pub images: ImageSet,
    /// The training images, where they are of a data set: they make the floor, and show what was memorized.
    pub training: Option<ImageSet>,
    /// What decided the training images, where they were made.
    pub made_by: Option<u64>,
    /// The share of each digit among those that stacked ones are made of.
    pub digits: Option<[f64; 10]>,
}

impl RealImages {
    pub fn load(
        arguments: &EvaluateArguments,
        name: Option<DatasetName>,
        subjects: &[Subject],
        count: usize,
    ) -> anyhow::Result<Self> {
        let data_dir = arguments.folder.data_dir.as_deref();
        let Some(name) = name else {
            let path = arguments.real.as_deref().unwrap_or(Path::new(""));
            let reading = screen::spinner("reading real images");
            let samples = read_samples(path, arguments.range)?;
            drop(reading);
            info!("real: {}", samples.origin);
            return Ok(Self {
                name: path.to_string_lossy().into_owned(),
                dataset: None,
                split: None,
                images: samples.images,
                training: None,
                made_by: None,
                digits: None,
            });
        };
        data::check_folder(data_dir, name)?;
        // Digits that are made: those to compare with are the same for all runs, those to train on the first run's.
        let experiment = subjects.iter().find_map(Subject::experiment);
        let of_this_set = experiment.filter(|experiment| experiment.data.dataset.parse().ok() == Some(name));
        let seed = of_this_set.map_or(0, |experiment| experiment.seed);
        let options = LoadOptions {
            data_dir: data_dir.map(Path::to_owned),
            ..LoadOptions::default()
        };
        let load = |split, count| {
            let _loading = screen::loading(name);
            let options = LoadOptions {
                count,
                seed: if split == Split::Train { seed } else { 0 },
                ..options.clone()
            };
            ganvas_data::load(name, split, &options)
        };
        // Stacked digits are made as many as are needed: all of them take 300 megabytes.
        let of_floor = |split| match (name, split) {
            (DatasetName::StackedMnist, Split::Train) => Some(count),
            _ => None,
        };
        let load = |split| load(split, of_floor(split));
        let (images, training) = (load(Split::Test)?, load(Split::Train)?);
        let digits = match name {
            DatasetName::StackedMnist => Some(shares_of_digits(data_dir)?),
            _ => None,
        };
        info!(
            "real: {} of {name}'s test split, {} to train on",
            counted(images.len(), "image"),
            counted(training.len(), "image")
        );
        Ok(Self {
            name: name.to_string(),
            dataset: Some(name),
            split: Some(Split::Test),
            images,
            training: Some(training),
            made_by: name.is_made().then_some(seed),
            digits,
        })
    }

    /// Whether the training images are those that a subject was trained on, as far as is known.
    pub fn are_those_of(&self, subject: &Subject) -> bool {
        let of_subject = subject.experiment().map(|experiment| experiment.seed);
        self.made_by
            .is_none_or(|seed| of_subject.is_none_or(|of_subject| of_subject == seed))
    }

    /// How many images an evaluator looks at for these, where `count` generated ones are compared.
    pub fn to_look_at(&self, count: usize, looks_for_copies: bool) -> usize {
        let of_floor = self.training.as_ref().map_or(self.images.len(), |training| {
            let of_copies = if looks_for_copies { training.len() } else { 0 };
            of_copies + count.min(training.len())
        });
        self.images.len() + of_floor
    }
}

/// The share of each digit among MNIST's training images.
fn shares_of_digits(data_dir: Option<&Path>) -> anyhow::Result<[f64; 10]> {
    let options = LoadOptions {
        data_dir: data_dir.map(Path::to_owned),
        ..LoadOptions::default()
    };
    let digits = ganvas_data::load(DatasetName::Mnist, Split::Train, &options)?;
    let mut shares = [0.0; 10];
    for &label in digits.labels().unwrap_or_default() {
        if let Some(share) = shares.get_mut(usize::from(label)) {
            *share += 1.0 / digits.len() as f64;
        }
    }
    Ok(shares)
}
