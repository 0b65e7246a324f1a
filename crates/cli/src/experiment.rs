//! From arguments to an experiment that is checked as far as it can be before the images are read, and its images.

use std::{path::Path, sync::Arc};

use ganvas_backend::{BackendError, BackendKind, DeviceInfo, Selected, select};
use ganvas_data::{DataError, DatasetName, ImageSource, LoadOptions, Split, shape_before_loading};
use ganvas_training::{
    ConfigError, Experiment, Overrides, PixelStatistics, last_set, load_backend_file, load_experiment, nearest,
};
use tracing::{info, warn};

use crate::{args::ExperimentArguments, data};

/// An experiment, with what its words stand for.
pub struct Loaded {
    pub experiment: Experiment,
    pub backend: Selected,
    dataset: DatasetName,
    options: LoadOptions,
}

impl ExperimentArguments {
    /// Reads the experiment and finds the backend, the device and the data set that it names.
    pub fn load(&self, data_dir: Option<&Path>) -> anyhow::Result<Loaded> {
        let backend = self.backend.as_deref().map(load_backend_file).transpose()?;
        let overrides = Overrides {
            backend: backend.map(|file| file.backend),
            set: self.set.clone(),
        };
        let mut experiment: Experiment = load_experiment(&self.config, &overrides)?;
        let dataset = self.dataset(&experiment.data.dataset)?;
        data::check_folder(data_dir, dataset)?;
        // `MNIST` is mnist, also for a resume that compares them.
        experiment.data.dataset = dataset.to_string();
        let section = &experiment.data;
        let options = LoadOptions {
            data_dir: data_dir.map(Path::to_owned),
            seed: experiment.seed,
            count: section.count,
            image_size: section.image_size,
        };
        let evaluators = evaluator_reports();
        experiment
            .check_best_metric(&evaluators)
            .map_err(|(key, message)| self.blame(&key, &message))?;
        let shape = shape_before_loading(dataset, Split::Train, &options)
            .map_err(|error| self.blame("data.image_size", &error.to_string()))?;
        if let Some(shape) = shape {
            experiment
                .check_image(shape.into())
                .map_err(|(key, message)| self.blame(&key, &message))?;
        }
        Ok(Loaded {
            backend: self.select(&experiment)?,
            experiment,
            dataset,
            options,
        })
    }

    fn dataset(&self, name: &str) -> Result<DatasetName, ConfigError> {
        name.parse().map_err(|error: DataError| {
            let known = DatasetName::ALL.map(DatasetName::as_str);
            let mut error = self.blame("data.dataset", &error.to_string());
            error.suggestion = nearest(name, known);
            error
        })
    }

    fn select(&self, experiment: &Experiment) -> Result<Selected, ConfigError> {
        let section = &experiment.backend;
        let kind: BackendKind = section
            .kind
            .parse()
            .map_err(|error: BackendError| self.blame("backend.kind", &error.to_string()))?;
        select(kind, &section.device).map_err(|error| {
            let key = match error {
                BackendError::UnknownDevice { .. } => "backend.device",
                _ => "backend.kind",
            };
            self.blame(key, &error.to_string())
        })
    }

    /// Names what gave a key its value: the last `--set` of it, else the backend file, else the experiment file.
    fn blame(&self, key: &str, message: &str) -> ConfigError {
        let of_backend = self.backend.as_ref().filter(|_| key.starts_with("backend."));
        match last_set(&self.set, key) {
            Some(argument) => ConfigError::in_override(argument, format!("`{key}`: {message}")),
            None => ConfigError::at_key(of_backend.unwrap_or(&self.config), key, message),
        }
    }
}

/// The names of the numbers that the command's evaluators report.
pub fn evaluator_reports() -> Vec<String> {
    PixelStatistics::REPORTS.map(str::to_owned).to_vec()
}

impl Loaded {
    /// Reads or draws the images.
    pub fn images(&self) -> anyhow::Result<Arc<dyn ImageSource>> {
        let images = ganvas_data::load(self.dataset, Split::Train, &self.options)?;
        let [channels, height, width] = images.shape();
        info!(
            "{}: {} images of {channels}×{height}×{width}",
            self.dataset,
            images.len()
        );
        Ok(Arc::new(images))
    }

    /// Says what to expect of a software adapter.
    pub fn warn_of_software(&self) {
        let DeviceInfo {
            software, description, ..
        } = self.backend.info();
        if *software {
            warn!(
                "{description} is a software adapter: it computes on the processor, and each step takes 20 to 50 times as \
                 long as with the backend ndarray"
            );
        }
    }
}
