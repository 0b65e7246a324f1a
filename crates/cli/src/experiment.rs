//! From arguments to an experiment that is checked as far as it can be before the images are read, and its images.

use std::{path::Path, sync::Arc};

use ganvas_backend::{BackendError, BackendKind, DeviceInfo, Selected};
use ganvas_data::{DataError, DatasetName, ImageSource, LoadOptions};
use ganvas_model::{DataShape, ModelError};
use ganvas_training::{
    BackendFile, ConfigError, ConfigText, Experiment, Overrides, Plan, TrainingError, counted, last_set, nearest,
};
use tracing::{debug, info, warn};

use crate::{
    args::{ExperimentArguments, Overlay},
    backends, data,
    images::{OWN, Origin, TrainingImages},
    jobs::MemoryJob,
    memory,
    quality::{self, Quality},
    shipped, words,
};

mod advice;

/// An experiment, with what its words stand for.
pub struct Loaded {
    pub experiment: Experiment,
    pub backend: Selected,
    /// Who judges the images on the way, where that is asked for.
    pub quality: Option<Quality>,
    text: ConfigText,
    overrides: Overrides,
    flags: Flags,
    images: TrainingImages,
}

impl ExperimentArguments {
    /// Reads the experiment and finds the backend, the device and the data set that it names.
    pub fn load(&self, data_dir: Option<&Path>) -> anyhow::Result<Loaded> {
        self.overlay.load(shipped::experiment(&self.config)?, data_dir)
    }
}

impl Overlay {
    /// Lays the arguments over an experiment's text, and finds the backend, the device and the data set that it names.
    pub fn load(&self, text: ConfigText, data_dir: Option<&Path>) -> anyhow::Result<Loaded> {
        let backend = self.backend.as_deref().map(shipped::backend).transpose()?;
        let overrides = Overrides {
            backend: backend.map(|file: BackendFile| file.backend),
            set: self.sets(),
        };
        let mut experiment: Experiment = text.experiment(&overrides).map_err(|error| self.own_names(error))?;
        self.warn_of_what_has_no_say(&experiment);
        let blame = |key: &str, message: &str| self.own_names(text.at_key(key, message, &overrides));
        let images = match experiment.data.path.take() {
            Some(path) => {
                let path = std::path::absolute(&path).unwrap_or_else(|_| path.into());
                experiment.data.dataset = OWN.to_owned();
                // A resumed run finds them from any folder. What came as text is text.
                experiment.data.path = Some(path.to_string_lossy().into_owned());
                TrainingImages::own(path, &experiment.data).map_err(|error| blame("data.path", &error.to_string()))?
            }
            None => named_images(&mut experiment, data_dir, blame)?,
        };
        let quality = Quality::of(&experiment, &images).map_err(|(key, message, suggestion)| ConfigError {
            suggestion,
            ..blame(key, &message)
        })?;
        experiment
            .check_best_metric(&quality::reports(&experiment))
            .map_err(|(key, message)| blame(&key, &message))?;
        let shape = images
            .shape()
            .map_err(|error| blame("data.image_size", &error.to_string()))?;
        if let Some(shape) = shape {
            experiment
                .check_image(DataShape::new(shape.into(), images.classes()))
                .map_err(|(key, message)| blame(&key, &message))?;
        }
        let backend = self.select(&experiment, &text, &overrides)?;
        Ok(Loaded {
            backend,
            experiment,
            text,
            overrides,
            flags: self.flags(),
            images,
            quality,
        })
    }

    /// All keys that are set, those with a flag of their own last.
    fn sets(&self) -> Vec<String> {
        let mut set = self.set.clone();
        set.extend(self.epochs.map(|_| "training.max_steps=".to_owned()));
        set.extend(self.flags().0.into_iter().map(|flag| flag.set()));
        set
    }

    fn flags(&self) -> Flags {
        let whole = |key, name, value: Option<u64>| {
            Some(Flag {
                key,
                name,
                value: value?.to_string(),
            })
        };
        let rate = |key| {
            Some(Flag {
                key,
                name: "--learning-rate",
                value: format!("{:?}", self.learning_rate?),
            })
        };
        let all = [
            whole("training.epochs", "--epochs", self.epochs),
            whole("seed", "--seed", self.seed),
            whole("data.batch_size", "--batch-size", self.batch_size),
            rate("optimizer.generator.learning_rate"),
            rate("optimizer.discriminator.learning_rate"),
        ];
        Flags(all.into_iter().flatten().collect())
    }

    fn own_names(&self, error: ConfigError) -> ConfigError {
        self.flags().own_names(error)
    }

    /// What is typed and has no effect is worth a word.
    fn warn_of_what_has_no_say(&self, experiment: &Experiment) {
        if let (Some(steps), Some(_)) = (experiment.training.max_steps, last_set(&self.set, "training.epochs")) {
            warn!("training.max_steps = {steps} decides when the training ends; training.epochs has no say beside it");
        }
    }

    fn select(
        &self,
        experiment: &Experiment,
        text: &ConfigText,
        overrides: &Overrides,
    ) -> Result<Selected, ConfigError> {
        let section = &experiment.backend;
        // A backend file stands between the experiment and what is set.
        let blame = |key: &str, error: &BackendError| match (&self.backend, last_set(&overrides.set, key)) {
            (Some(file), None) => ConfigError::new(file.display().to_string(), None, format!("`{key}`: {error}")),
            _ => text.at_key(key, &error.to_string(), overrides),
        };
        backends::select(section).map_err(|error| match error {
            BackendError::UnknownDevice { .. } => blame("backend.device", &error),
            BackendError::UnknownKind { .. } => ConfigError {
                suggestion: nearest(&section.kind, BackendKind::ALL.map(BackendKind::name)),
                ..blame("backend.kind", &error)
            },
            _ => blame("backend.kind", &error),
        })
    }
}

/// The images of the data set that an experiment names.
fn named_images(
    experiment: &mut Experiment,
    data_dir: Option<&Path>,
    blame: impl Fn(&str, &str) -> ConfigError,
) -> anyhow::Result<TrainingImages> {
    let name = experiment.data.dataset.clone();
    if name == OWN {
        return Err(blame(
            "data.path",
            "expected where the images are, with `data.dataset = \"own\"`; found nothing",
        )
        .into());
    }
    let dataset: DatasetName = name.parse().map_err(|error: DataError| ConfigError {
        suggestion: nearest(&name, DatasetName::ALL.map(DatasetName::as_str)),
        ..blame("data.dataset", &error.to_string())
    })?;
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
    Ok(TrainingImages::named(dataset, options, section))
}

/// A key that has a flag of its own, where that is given.
struct Flag {
    key: &'static str,
    name: &'static str,
    value: String,
}

impl Flag {
    /// As `--set` has it.
    fn set(&self) -> String {
        format!("{}={}", self.key, self.value)
    }
}

/// What was set by flags of their own.
struct Flags(Vec<Flag>);

impl Flags {
    /// An error of an override under the name of the flag that it came by.
    fn own_names(&self, error: ConfigError) -> ConfigError {
        let is_blamed = |flag: &&Flag| error.is_override && error.source == flag.set();
        match self.0.iter().find(is_blamed) {
            Some(Flag { name, value, .. }) => ConfigError {
                source: format!("{name} {value}"),
                is_override: false,
                ..error
            },
            None => error,
        }
    }
}

impl Loaded {
    /// Reads or draws the images.
    pub fn images(&self) -> anyhow::Result<Arc<dyn ImageSource>> {
        let images = self.images.load().map_err(|error| {
            let key = match error {
                DataError::ImageCount { .. } | DataError::TooFewImages { .. } => "data.count",
                // What shows only when a file of one's own is read through.
                DataError::Format { .. } if matches!(self.images.origin, Origin::Own(..)) => "data.path",
                error => return error.into(),
            };
            anyhow::Error::new(self.text.at_key(key, &error.to_string(), &self.overrides))
        })?;
        // What was done to images of one's own is said already.
        if matches!(self.images.origin, Origin::Named(..)) || self.experiment.data.flip {
            let [channels, height, width] = images.shape();
            let count = counted(images.len(), "image");
            info!("{}: {count} of {channels}×{height}×{width}", self.images);
        }
        Ok(images)
    }

    /// Checks what does not need the images themselves: that there are steps, and that a step fits into memory.
    pub fn check_fit(&self) -> anyhow::Result<Plan> {
        let blame = |key: &str, message: &str| self.flags.own_names(self.text.at_key(key, message, &self.overrides));
        let count = self
            .images
            .count()
            .map_err(|error| blame("data.count", &error.to_string()))?;
        let plan = self
            .experiment
            .plan(count)
            .map_err(|(key, message)| blame(&key, &message))?;
        let shape = self.images.shape()?;
        let (Some((most, what)), Some(shape)) = (self.memory_limit(), shape) else {
            return Ok(plan);
        };
        let need = self.backend.run(MemoryJob {
            experiment: &self.experiment,
            data: DataShape::new(shape.into(), self.images.classes()),
            most,
        });
        let need = need.map_err(|error| match error {
            TrainingError::Model(ModelError::Config { key, found, expected }) => {
                let message = format!("expected {expected}, found {found}");
                blame(&format!("model.{key}"), &message).into()
            }
            TrainingError::Model(error @ ModelError::NoInputGradient { .. }) => {
                let advice = advice::on_penalties(&self.experiment);
                blame("objective", &format!("{error}{advice}")).into()
            }
            error => anyhow::Error::new(error),
        })?;
        debug!(
            "memory: at least {} for the networks, {} for a step",
            words::bytes(need.networks),
            words::bytes(need.step)
        );
        if need.total() > most {
            let message = format!(
                "a step of batches of {} needs at least {}, and {what} is {}; take smaller batches or networks",
                plan.batch_size,
                words::bytes(need.total()),
                words::bytes(most)
            );
            return Err(blame("data.batch_size", &message).into());
        }
        if need.total() > most / 2 {
            let (need, most) = (words::bytes(need.total()), words::bytes(most));
            warn!(
                "a step needs at least {need}, {what} is {most}, and layers take more while they work: it may not fit"
            );
        }
        Ok(plan)
    }

    /// The memory that there is, where the backend computes in it.
    fn memory_limit(&self) -> Option<(u64, &'static str)> {
        // Not for software adapters: there, starting the kernels takes longer than all other checks.
        (self.backend.info().name == "cpu").then(memory::limit).flatten()
    }

    /// Says where the images are not here yet: a configuration can be right without them.
    pub fn warn_of_missing_data(&self) {
        if let Origin::Named(name, options) = &self.images.origin
            && self.images.shape().is_ok_and(|shape| shape.is_none())
        {
            let fetch = data::fetch_command(name.as_str(), options.data_dir.as_deref());
            warn!("{name} is not here, or cannot be read; `{fetch}` gets it");
        }
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
