//! The numbers by their names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A number, or a pair of them, that says how good images are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Fréchet distance of the features.
    Fid,
    /// Kernel distance of the features, and its standard deviation over subsets, `kid_sd`.
    Kid,
    /// Share of generated images among real ones.
    Precision,
    /// Share of real images among generated ones.
    Recall,
    /// Real balls that a generated image lies in, over those that a real one is expected to.
    Density,
    /// Share of real balls with a generated image in them.
    Coverage,
    /// exp of the mutual information of image and class.
    Score,
    /// Entropy of the histogram of classes, in nats.
    ClassEntropy,
    /// Total variation distance of the histogram of classes from the real images'.
    ClassDistance,
    /// Share of images in which the class is read that was asked for.
    ClassAccuracy,
    /// Recall within the images in which a class is read: the mean over the classes, and the least, `class_recall_min`.
    ClassRecall,
    /// Share of generated images that are nearer to the training images than 99 of 100 real ones are.
    Memorized,
    /// Modes of stacked digits, of 1000, and the divergence of their distribution from the uniform one, `modes_kl`.
    Modes,
}

impl Metric {
    /// Every one, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::Fid,
        Self::Kid,
        Self::Precision,
        Self::Recall,
        Self::Density,
        Self::Coverage,
        Self::Score,
        Self::ClassEntropy,
        Self::ClassDistance,
        Self::ClassAccuracy,
        Self::ClassRecall,
        Self::Memorized,
        Self::Modes,
    ];

    /// Its name, in logs and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fid => "fid",
            Self::Kid => "kid",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::Density => "density",
            Self::Coverage => "coverage",
            Self::Score => "score",
            Self::ClassEntropy => "class_entropy",
            Self::ClassDistance => "class_distance",
            Self::ClassAccuracy => "class_accuracy",
            Self::ClassRecall => "class_recall",
            Self::Memorized => "memorized",
            Self::Modes => "modes",
        }
    }

    /// The names of the numbers that it gives.
    pub fn reports(self) -> &'static [&'static str] {
        match self {
            Self::Fid => &["fid"],
            Self::Kid => &["kid", "kid_sd"],
            Self::Precision => &["precision"],
            Self::Recall => &["recall"],
            Self::Density => &["density"],
            Self::Coverage => &["coverage"],
            Self::Score => &["score"],
            Self::ClassEntropy => &["class_entropy"],
            Self::ClassDistance => &["class_distance"],
            Self::ClassAccuracy => &["class_accuracy"],
            Self::ClassRecall => &["class_recall", "class_recall_min"],
            Self::Memorized => &["memorized"],
            Self::Modes => &["modes", "modes_kl"],
        }
    }

    /// Whether it says most of conditional generators: that of the asked classes, and that of variety within a class, whose loss the other would hide.
    pub const fn is_of_asked_classes(self) -> bool {
        matches!(self, Self::ClassAccuracy | Self::ClassRecall)
    }

    /// Whether it compares images by the neighbours that they have.
    pub(crate) fn is_of_neighbours(self) -> bool {
        matches!(self, Self::Precision | Self::Recall | Self::Density | Self::Coverage)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// No number has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown metric `{name}`, expected one of {}", Metric::ALL.map(|metric| format!("`{metric}`")).join(", "))]
pub struct UnknownMetric {
    /// The name.
    pub name: String,
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, UnknownMetric> {
        let known = Self::ALL.into_iter().find(|metric| metric.name() == name);
        known.ok_or_else(|| UnknownMetric { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for metric in Metric::ALL {
            assert_eq!(metric.name().parse(), Ok(metric));
            assert_eq!(metric.reports()[0], metric.name());
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
        }
        let error = "FID".parse::<Metric>().unwrap_err().to_string();
        assert!(error.contains("`FID`") && error.contains("`fid`"), "{error}");
    }
}
