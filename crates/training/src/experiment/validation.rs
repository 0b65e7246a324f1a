//! What the types of an experiment cannot say: ranges, and keys that have no meaning together.

use ganvas_data::{Background, Classes, ImageSource, LabelSource};
use ganvas_model::{DataShape, ImageShape, ModelError, NetworkSettings, ObjectiveSettings};

use super::{
    error::{ConfigError, nearest},
    sections::{DataSection, Experiment, UpdateRule},
};
use crate::{Plan, TrainingError, run::SPEED, step::REPORTS};

/// Names that no objective and no evaluator can have.
const RESERVED: [&str; 5] = ["step", "epoch", SPEED, REPORTS[0], REPORTS[1]];

/// A dotted key, and what is wrong with its value.
pub(crate) type Mistake = (String, String);

fn mistake(key: &str, message: impl Into<String>) -> Result<(), Mistake> {
    Err((key.to_owned(), message.into()))
}

impl<N: NetworkSettings, O: ObjectiveSettings> Experiment<N, O> {
    /// Checks what types cannot, as far as it can be known without the images.
    ///
    /// # Errors
    /// The first bad key, as `(dotted key, message)`.
    pub(crate) fn check(&self) -> Result<(), Mistake> {
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        // The upper bounds are far beyond any use; they keep a slip of the fingers from asking for all memory there is.
        let bounded = [
            ("data.batch_size", self.data.batch_size, 65_536),
            ("data.count", self.data.count.unwrap_or(1), usize::MAX),
            ("data.image_size", self.data.image_size.unwrap_or(1), 1024),
            ("training.epochs", number(self.training.epochs), 10_000_000),
            (
                "training.max_steps",
                number(self.training.max_steps.unwrap_or(1)),
                usize::MAX,
            ),
            ("training.discriminator_steps", self.training.discriminator_steps, 1_000),
            ("logging.every", number(self.logging.every), usize::MAX),
            ("evaluation.count", self.evaluation.count, 1_000_000),
            ("samples.count", self.samples.count, 10_000),
            ("checkpoint.keep", self.checkpoint.keep, usize::MAX),
        ];
        for (key, value, most) in bounded {
            if value == 0 {
                return mistake(key, "expected at least 1, found 0");
            }
            if value > most {
                return mistake(key, format!("expected at most {most}, found {value}"));
            }
        }
        self.check_own_images()?;
        let packing = self.model.packing();
        if !self.data.batch_size.is_multiple_of(packing.max(1)) {
            let message = format!(
                "expected a multiple of `model.packing`, {packing}, found {}",
                self.data.batch_size
            );
            return mistake("data.batch_size", message);
        }
        self.optimizer.generator.check("generator")?;
        self.optimizer.discriminator.check("discriminator")?;
        self.schedule.check()?;
        self.check_schedule()?;
        self.ema.check()?;
        if self.evaluation.patience > 0 && self.checkpoint.best.is_none() {
            let message = "expected 0 without [checkpoint.best], whose number it waits for";
            return mistake("evaluation.patience", message);
        }
        if self.evaluation.patience > 0 && self.evaluation.every == 0 {
            let message = "expected 0 without evaluations; `evaluation.every` says how often there is one";
            return mistake("evaluation.patience", message);
        }
        if self.training.update == UpdateRule::Simultaneous && self.training.discriminator_steps > 1 {
            let message = format!(
                "expected 1 with update = \"simultaneous\", found {}; more need update = \"alternating\"",
                self.training.discriminator_steps
            );
            return mistake("training.discriminator_steps", message);
        }
        if !self.name.chars().all(is_plain) || self.name.starts_with('.') {
            let message = format!(
                "expected letters, digits, `-`, `_` or `.`, found `{}`; it names the run's folder",
                self.name
            );
            return mistake("name", message);
        }
        self.objective
            .validate()
            .map_err(|error| in_section("objective", &error))?;
        self.model.validate(None).map_err(|error| in_section("model", &error))?;
        match (self.model.reads_classes(), self.objective.needs_class_logits()) {
            (Some(true), false) => mistake(
                "objective.classification",
                "expected a weight above 0, usually 1, where `model.class_head = \"classifier\"`, which nothing else trains; or take \
                 `\"projection\"`",
            ),
            (Some(false), true) => mistake(
                "objective.classification",
                "expected 0 where no discriminator reads the classes of images; `model.conditional = true` and `model.class_head = \
                 \"classifier\"` give it what reads them",
            ),
            _ => Ok(()),
        }
    }

    /// Checks the keys of images of one's own, and that there are none without them.
    fn check_own_images(&self) -> Result<(), Mistake> {
        let data = &self.data;
        if data.channels.is_some_and(|channels| ![1, 3].contains(&channels)) {
            let found = data.channels.unwrap_or_default();
            return mistake("data.channels", format!("expected 1 or 3, found {found}"));
        }
        if let Err(message) = data.background.parse::<Background>() {
            return mistake("data.background", message);
        }
        match &data.path {
            Some(path) if path.is_empty() => return mistake("data.path", "expected a folder or a file, found nothing"),
            Some(_) => return Ok(()),
            None => {}
        }
        let usual = DataSection::default();
        let has_labels = LabelSource::from(data.labels.clone()) != LabelSource::None;
        let given = [
            ("data.channels", data.channels.is_some()),
            ("data.fit", data.fit != usual.fit),
            ("data.background", data.background != usual.background),
            ("data.labels", has_labels),
            ("data.transpose", data.transpose),
            ("data.skip_bad", data.skip_bad),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((key, _)) => mistake(key, "expected nothing without `data.path`, whose images it is about"),
            None => Ok(()),
        }
    }

    /// Checks that there is what the schedule changes.
    fn check_schedule(&self) -> Result<(), Mistake> {
        let (objective, optimizer) = (&self.objective, &self.optimizer);
        let without =
            |key: &str, expected: &str, found: f64| mistake(key, format!("expected {expected}, found {found}"));
        if self.schedule.penalty != 1.0 && !objective.has_penalties() {
            let expected = "1 where the objective has no penalties, such as `objective.r1`";
            return without("schedule.penalty", expected, self.schedule.penalty);
        }
        if self.schedule.instance_noise > 0.0 && !objective.has_instance_noise() {
            let expected = "0 where `objective.instance_noise` is 0";
            return without("schedule.instance_noise", expected, self.schedule.instance_noise);
        }
        match self.schedule.beta2 {
            Some(beta2) if !optimizer.generator.has_beta2() && !optimizer.discriminator.has_beta2() => without(
                "schedule.beta2",
                "nothing where both optimizers are `sgd`, which has no beta2",
                beta2,
            ),
            _ => Ok(()),
        }
    }

    /// Checks that the networks can make such images.
    ///
    /// # Errors
    /// The key to change, and the network's reason, as `(dotted key, message)`.
    pub fn check_image(&self, data: DataShape) -> Result<(), (String, String)> {
        self.model.validate(Some(data)).map_err(|error| match &error {
            ModelError::Config { key: "image", .. } => {
                let key = match self.data.image_size {
                    Some(_) => "data.image_size",
                    None => "model.network",
                };
                (key.to_owned(), error.to_string())
            }
            _ => in_section("model", &error),
        })
    }

    /// Checks that `[checkpoint.best]` names a number that is reported: by every step, by the objective, or by the evaluators,
    /// whose names are given.
    ///
    /// # Errors
    /// The key and the names that there are, as `(dotted key, message)`.
    pub fn check_best_metric(&self, of_evaluators: &[String]) -> Result<(), (String, String)> {
        let Some(best) = &self.checkpoint.best else {
            return Ok(());
        };
        let all_of_evaluators = of_evaluators;
        // Without evaluations the evaluators report nothing.
        let of_evaluators = of_evaluators.iter().filter(|_| self.evaluation.every > 0);
        let known: Vec<String> = REPORTS
            .map(str::to_owned)
            .into_iter()
            .chain([SPEED.to_owned()])
            .chain(self.objective.reports())
            .chain(of_evaluators.cloned())
            .collect();
        if known.contains(&best.metric) {
            let (saved, evaluated) = (self.checkpoint.every, self.evaluation.every);
            // Otherwise a checkpoint would go by the number of other weights.
            if all_of_evaluators.contains(&best.metric) && !saved.is_multiple_of(evaluated) {
                let message = format!(
                    "expected a multiple of `evaluation.every`, {evaluated}, where [checkpoint.best] goes by `{}`, found {saved}",
                    best.metric
                );
                return mistake("checkpoint.every", message);
            }
            return Ok(());
        }
        if self.evaluation.every == 0 && all_of_evaluators.contains(&best.metric) {
            let message = format!(
                "`{}` is reported where `evaluation.every` is above 0, and it is 0",
                best.metric
            );
            return mistake("checkpoint.best.metric", message);
        }
        let near = nearest(&best.metric, known.iter().map(String::as_str));
        let message = format!(
            "expected one of {}, found `{}`{}",
            known.join(", "),
            best.metric,
            near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
        );
        mistake("checkpoint.best.metric", message)
    }

    /// Everything that can be refused once the images are known, before anything is written or trained: networks that cannot
    /// make them, a plan without steps, a metric that nobody reports.
    ///
    /// # Errors
    /// [`TrainingError::Config`] naming the key; [`TrainingError::Data`] where the images cannot be cut into batches.
    pub fn check_against(&self, images: &dyn ImageSource, of_evaluators: &[String]) -> Result<Plan, TrainingError> {
        let Some(image) = ImageShape::checked(images.shape()) else {
            let [channels, height, width] = images.shape();
            let message = format!(
                "`data.dataset`: expected small images, found {} of {channels}×{height}×{width}",
                images.name()
            );
            return Err(ConfigError::new("configuration", None, message).into());
        };
        self.check_image(DataShape::new(image, images.classes()))
            .map_err(refuse)?;
        if self.model.is_conditional() && Classes::of(images).is_none() {
            let message = format!(
                "expected false for images of which not every one has a label below {}",
                images.classes()
            );
            return Err(refuse(("model.conditional".to_owned(), message)).into());
        }
        self.check_best_metric(of_evaluators).map_err(refuse)?;
        let own = of_evaluators.iter().cloned().chain(self.objective.reports());
        if let Some(taken) = own.into_iter().find(|name| RESERVED.contains(&name.as_str())) {
            let message =
                format!("the number `{taken}` of an objective or evaluator has a name that every line of the log has");
            return Err(ConfigError::new("configuration", None, message).into());
        }
        self.plan(images.len()).map_err(|mistake| refuse(mistake).into())
    }

    /// The steps over so many images.
    ///
    /// # Errors
    /// The key to change where there would be none, as `(dotted key, message)`.
    pub fn plan(&self, images: usize) -> Result<Plan, (String, String)> {
        Plan::new(&self.data, &self.training, images)
    }
}

/// A mistake that shows once the images are known.
pub(crate) fn refuse((key, message): Mistake) -> ConfigError {
    ConfigError::new("configuration", None, format!("`{key}`: {message}"))
}

/// Whether a run's name may have this letter: it names a folder.
pub(super) fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || "-_.".contains(letter)
}

/// A mistake in a section whose checks are its own.
fn in_section(section: &str, error: &ModelError) -> Mistake {
    match error {
        ModelError::Config { key, found, expected } => (
            format!("{section}.{key}"),
            format!("expected {expected}, found {found}"),
        ),
        other => (section.to_owned(), other.to_string()),
    }
}
