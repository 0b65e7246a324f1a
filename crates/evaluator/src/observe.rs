//! What a classifier has to say of many images.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorData, backend::Backend};
use ganvas_data::{HostBatch, ImageSource};
use ganvas_metrics::{Features, Predictions, StackedClasses};
use ganvas_model::{Pass, host_values};

use crate::{
    EvaluatorError, Fitted,
    classifier::{Classifier, ClassifierConfig, FEATURES},
};

/// Images looked at at once: bounds the memory, whatever their number. An image's features do not depend on its neighbours.
const CHUNK: usize = 500;

/// Features and classes of images, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// `[images, FEATURES]`, or `[images, channels · FEATURES]` where each channel was looked at alone.
    pub features: Features,
    /// `[images, classes]`, or `[images · channels, classes]`.
    pub predictions: Predictions,
    /// The classes that they are of, or were asked to be of, where that is known.
    pub labels: Option<Vec<u32>>,
}

impl Observed {
    /// Generated images, with the classes that they were asked to be of.
    pub fn asked_for(self, classes: Option<Vec<u32>>) -> Self {
        Self {
            labels: classes,
            ..self
        }
    }

    /// The class that is read in each image; of stacked digits the number that they make, channel after channel.
    pub fn read_classes(&self) -> Vec<u32> {
        let classes = self.predictions.classes();
        let channels = self.predictions.count() / self.count().max(1);
        let number = |read: &[usize]| read.iter().fold(0, |number, &class| number * 10 + class as u32);
        classes.chunks_exact(channels.max(1)).map(number).collect()
    }

    /// The features of the images in which each class is read.
    pub(crate) fn by_class(&self) -> BTreeMap<u32, Features> {
        let mut of_classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, class) in self.read_classes().into_iter().enumerate() {
            of_classes.entry(class).or_default().push(index);
        }
        let features = |(class, indices)| (class, self.features.select(indices));
        of_classes.into_iter().map(features).collect()
    }

    /// The share of images in which the class is read that they are of, or were asked to be of, where that is known.
    pub fn class_accuracy(&self) -> Option<f64> {
        let labels = self.labels.as_ref().filter(|labels| !labels.is_empty())?;
        let pairs = labels.iter().zip(self.read_classes());
        let right = pairs.filter(|(label, read)| **label == *read).count();
        Some(right as f64 / labels.len() as f64)
    }

    /// How many images were looked at.
    pub fn count(&self) -> usize {
        self.features.count()
    }

    /// The classes of each image's three channels; none where they were not looked at one by one.
    pub fn stacked_classes(&self) -> Option<Vec<StackedClasses>> {
        if self.predictions.count() != 3 * self.count() {
            return None;
        }
        let classes = self.predictions.classes();
        Some(classes.chunks_exact(3).map(|of| [of[0], of[1], of[2]]).collect())
    }
}

/// A classifier on its device, with what it is for.
#[derive(Debug)]
pub struct Judge<B: Backend> {
    classifier: Classifier<B>,
    config: ClassifierConfig,
    /// Channels that are looked at alone, as images of their own; 1 for whole images.
    channels: usize,
    device: B::Device,
}

impl<B: Backend> Judge<B> {
    /// A classifier that was built for `config` on `device`.
    pub fn new(classifier: Classifier<B>, config: ClassifierConfig, device: &B::Device) -> Self {
        Self {
            classifier,
            config,
            channels: 1,
            device: device.clone(),
        }
    }

    /// Looks at each of the three channels of stacked digits alone.
    ///
    /// # Errors
    /// [`EvaluatorError::NotOfDigits`] where it does not read ten classes in grey images.
    pub fn per_channel(self) -> Result<Self, EvaluatorError> {
        match (self.config.shape[0], self.config.classes) {
            (1, 10) => Ok(Self { channels: 3, ..self }),
            (channels, classes) => Err(EvaluatorError::NotOfDigits { channels, classes }),
        }
    }

    /// The images that it looks at: channels, height and width.
    pub fn shape(&self) -> [usize; 3] {
        let [channels, height, width] = self.config.shape;
        [channels * self.channels, height, width]
    }

    /// Looks at the images of these numbers, in this order, [fitted](Fitted) where they are of nearly its shape. `progress` is given
    /// the images done.
    ///
    /// # Errors
    /// [`EvaluatorError::Shape`] where the classifier is for others, [`EvaluatorError::Data`] where one cannot be read,
    /// [`EvaluatorError::Metrics`] where there are none or the classifier gives numbers that are not finite.
    pub fn observe(
        &self,
        images: &dyn ImageSource,
        chosen: &[u32],
        progress: &mut dyn FnMut(usize),
    ) -> Result<Observed, EvaluatorError> {
        let images = Fitted::new(images, self.shape())?;
        let (mut features, mut logits) = (Vec::new(), Vec::new());
        let mut done = 0;
        for indices in chosen.chunks(CHUNK) {
            let batch = HostBatch::assemble(&images, indices)?;
            // Channel after channel in memory, so that each is an image of its own where that is wanted.
            let [channels, height, width] = self.config.shape;
            let shape = [indices.len() * self.channels, channels, height, width];
            let pixels = Tensor::from_data(TensorData::new(batch.images, shape), &self.device);
            let seen = self.classifier.forward_pass(pixels, &mut Pass::inference());
            // One image after the other.
            features.extend(host_values(seen.features.transpose()));
            logits.extend(host_values(seen.logits.transpose()));
            done += indices.len();
            progress(done);
        }
        Ok(Observed {
            features: Features::from_f32(&features, self.channels * FEATURES)?,
            predictions: Predictions::from_logits(&logits, self.config.classes)?,
            labels: chosen.iter().map(|&index| images.label(index as usize)).collect(),
        })
    }

    /// As [`observe`](Self::observe), all of them.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    pub fn observe_all(
        &self,
        images: &dyn ImageSource,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Observed, EvaluatorError> {
        let all: Vec<u32> = (0..images.len() as u32).collect();
        self.observe(images, &all, progress)
    }
}
