//! The real images, and those that the floor is made of.

use std::path::Path;

use ganvas_data::{DatasetName, ImageSet, ImageSource, LoadOptions, Split, epoch_order, read_samples};
use ganvas_evaluator::Metric;
use ganvas_training::counted;
use tracing::info;

use super::subjects::Subject;
use crate::{args::EvaluateArguments, data, screen};

/// Real images.
pub struct RealImages {
    /// What they are called: a data set's name, or a path.
    pub name: String,
    /// The split that they are, where they are of a data set.
    pub split: Option<Split>,
    /// Those that generated ones are compared with.
    pub images: ImageSet,
    /// The training images, where they are of a data set: they make the floor, and show what was memorized.
    pub training: Option<ImageSet>,
}

impl RealImages {
    pub fn load(
        arguments: &EvaluateArguments,
        name: Option<DatasetName>,
        subjects: &[Subject],
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
                split: None,
                images: samples.images,
                training: None,
            });
        };
        data::check_folder(data_dir, name)?;
        // Synthetic digits are those of the run; other runs' are as good.
        let experiment = subjects.iter().find_map(Subject::experiment);
        let of_this_set = experiment.filter(|experiment| experiment.data.dataset.parse().ok() == Some(name));
        let options = LoadOptions {
            data_dir: data_dir.map(Path::to_owned),
            seed: of_this_set.map_or(0, |experiment| experiment.seed),
            ..LoadOptions::default()
        };
        let load = |split| {
            let _loading = screen::loading(name);
            ganvas_data::load(name, split, &options)
        };
        let (images, training) = (load(Split::Test)?, load(Split::Train)?);
        info!(
            "real: {} of {name}'s test split, {} to train on",
            counted(images.len(), "image"),
            counted(training.len(), "image")
        );
        Ok(Self {
            name: name.to_string(),
            split: Some(Split::Test),
            images,
            training: Some(training),
        })
    }

    /// How many images an evaluator looks at for these, where `count` generated ones are compared.
    pub fn to_look_at(&self, count: usize, metrics: &[Metric]) -> usize {
        let of_training = self.training.as_ref().map_or(self.images.len(), |training| {
            match metrics.contains(&Metric::Memorized) {
                true => training.len(),
                false => count.min(training.len()),
            }
        });
        self.images.len() + of_training
    }

    /// The training images that stand in the place of `count` generated ones for the floor, chosen by the seed.
    pub fn floor(training: &ImageSet, seed: u64, count: usize) -> Vec<u32> {
        let mut order = epoch_order(seed, 0, training.len());
        order.truncate(count);
        order
    }
}
