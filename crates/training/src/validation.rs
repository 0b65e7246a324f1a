//! What the types of an experiment cannot say: ranges, and keys that have no meaning together.

use ganvas_model::{ImageShape, NetworkKind};

use crate::{Experiment, MetricsLine, UpdateRule};

impl Experiment {
    /// Checks what types cannot: ranges, and keys that have no meaning together.
    ///
    /// # Errors
    /// The first bad key, as `(dotted key, message)`.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        // The upper bounds are far beyond any use; they keep a slip of the fingers from asking for all memory there is.
        let hidden = self.model.hidden_sizes.as_deref().unwrap_or(&[]);
        let bounded = [
            ("data.batch_size", self.data.batch_size, 65_536),
            ("data.count", self.data.count.unwrap_or(1), usize::MAX),
            ("data.image_size", self.data.image_size.unwrap_or(28), 1024),
            ("model.latent_size", self.model.latent_size.unwrap_or(1), 16_384),
            ("model.base_channels", self.model.base_channels.unwrap_or(1), 2_048),
            ("model.hidden_sizes", hidden.iter().copied().max().unwrap_or(1), 65_536),
            ("model.hidden_sizes", hidden.iter().copied().min().unwrap_or(1), 65_536),
            (
                "training.epochs",
                usize::try_from(self.training.epochs).unwrap_or(usize::MAX),
                10_000_000,
            ),
            (
                "training.max_steps",
                usize::try_from(self.training.max_steps.unwrap_or(1)).unwrap_or(usize::MAX),
                usize::MAX,
            ),
            ("training.discriminator_steps", self.training.discriminator_steps, 1_000),
            (
                "logging.every",
                usize::try_from(self.logging.every).unwrap_or(usize::MAX),
                usize::MAX,
            ),
            ("samples.count", self.samples.count, 10_000),
            ("checkpoint.keep", self.checkpoint.keep, usize::MAX),
        ];
        for (key, value, most) in bounded {
            if value == 0 {
                return Err((key, "expected at least 1, found 0".into()));
            }
            if value > most {
                return Err((key, format!("expected at most {most}, found {value}")));
            }
        }
        self.optimizer.generator.check("generator")?;
        self.optimizer.discriminator.check("discriminator")?;
        if !(0.0..1.0).contains(&self.ema.decay) {
            return Err((
                "ema.decay",
                format!("expected 0 or more and below 1, found {}", self.ema.decay),
            ));
        }
        if self.training.update == UpdateRule::Simultaneous && self.training.discriminator_steps > 1 {
            return Err((
                "training.discriminator_steps",
                format!(
                    "expected 1 with update = \"simultaneous\", found {}; more need update = \"alternating\"",
                    self.training.discriminator_steps
                ),
            ));
        }
        if let Some(best) = &self.checkpoint.best
            && !MetricsLine::METRICS.contains(&best.metric.as_str())
        {
            return Err((
                "checkpoint.best.metric",
                format!(
                    "expected one of {}, found `{}`",
                    MetricsLine::METRICS.join(", "),
                    best.metric
                ),
            ));
        }
        let network = self.model.network;
        let only_for = |kind: NetworkKind| {
            format!(
                "has no meaning for network = \"{}\", only for \"{}\"",
                network.name(),
                kind.name()
            )
        };
        if self.model.base_channels.is_some() && network != NetworkKind::Dcgan {
            return Err(("model.base_channels", only_for(NetworkKind::Dcgan)));
        }
        if self.model.hidden_sizes.is_some() && network != NetworkKind::Mlp {
            return Err(("model.hidden_sizes", only_for(NetworkKind::Mlp)));
        }
        if self.model.hidden_sizes.as_ref().is_some_and(Vec::is_empty) {
            return Err(("model.hidden_sizes", "expected at least one layer, found none".into()));
        }
        if !self
            .name
            .chars()
            .all(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
            || self.name.starts_with('.')
        {
            return Err((
                "name",
                format!(
                    "expected letters, digits, `-`, `_` or `.`, found `{}`; it names the run's folder",
                    self.name
                ),
            ));
        }
        // All sets have grey images of 28×28 pixels, so a network that does not fit is known before any is read.
        let side = self.data.image_size.unwrap_or(28);
        if side < 28 {
            return Err((
                "data.image_size",
                format!("expected at least the images' own 28, found {side}"),
            ));
        }
        self.network(ImageShape::new(1, side, side))
            .validate()
            .map_err(|error| match self.data.image_size {
                Some(_) => ("data.image_size", error.to_string()),
                None => ("model.network", error.to_string()),
            })
    }
}
