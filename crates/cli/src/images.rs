//! The images that an experiment trains on: a data set by its name, or one's own.

use std::{fmt, path::PathBuf, sync::Arc};

use ganvas_data::{
    DataError, DatasetName, ImageSource, LoadOptions, Mirrored, OwnOptions, OwnSurvey, Split, count_before_loading,
    image_cache, load_own, load_source, shape_before_loading, survey_own,
};
use ganvas_training::DataSection;
use tracing::info;

use crate::{memory, quoting::quoted, screen};

/// What `data.dataset` is where `data.path` is given.
pub const OWN: &str = "own";

/// Which images.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Those of a data set.
    Named(DatasetName, LoadOptions),
    /// Those of a path, and what is known of them.
    Own(Box<(OwnOptions, OwnSurvey)>),
}

/// What is to be trained on, before it is loaded.
#[derive(Debug, Clone)]
pub struct TrainingImages {
    pub origin: Origin,
    /// Whether each is also seen as in a mirror.
    flip: bool,
}

impl TrainingImages {
    /// Those of a data set.
    pub fn named(name: DatasetName, options: LoadOptions, section: &DataSection) -> Self {
        Self {
            origin: Origin::Named(name, options),
            flip: section.flip,
        }
    }

    /// Those of a path; looks there.
    ///
    /// # Errors
    ///
    /// As [`survey_own`].
    pub fn own(path: PathBuf, section: &DataSection) -> Result<Self, DataError> {
        let options = OwnOptions {
            path,
            image_size: section.image_size,
            channels: section.channels,
            fit: section.fit,
            // Both are checked with the experiment.
            background: section.background.parse().unwrap_or_default(),
            labels: section.labels.clone().into(),
            transpose: section.transpose,
            skip_bad: section.skip_bad,
            count: section.count,
            most_bytes: memory::limit().map(|(most, _)| most),
            cache: image_cache(),
        };
        let survey = survey_own(&options)?;
        Ok(Self {
            origin: Origin::Own(Box::new((options, survey))),
            flip: section.flip,
        })
    }

    /// How many classes they have.
    pub fn classes(&self) -> usize {
        match &self.origin {
            Origin::Named(name, _) => name.classes(),
            Origin::Own(own) => own.1.classes.len(),
        }
    }

    /// How many there will be, as far as that is known.
    ///
    /// # Errors
    ///
    /// As [`count_before_loading`].
    pub fn count(&self) -> Result<usize, DataError> {
        let count = match &self.origin {
            Origin::Named(name, options) => count_before_loading(*name, Split::Train, options)?,
            Origin::Own(own) => own.1.count,
        };
        Ok(if self.flip { 2 * count } else { count })
    }

    /// Their shape; `None` where the files of a data set are not here.
    ///
    /// # Errors
    ///
    /// As [`shape_before_loading`].
    pub fn shape(&self) -> Result<Option<[usize; 3]>, DataError> {
        match &self.origin {
            Origin::Named(name, options) => shape_before_loading(*name, Split::Train, options),
            Origin::Own(own) => Ok(Some(own.1.shape)),
        }
    }

    /// Reads, draws or decodes them.
    ///
    /// # Errors
    ///
    /// As [`load_source`] and [`load_own`].
    pub fn load(&self) -> Result<Arc<dyn ImageSource>, DataError> {
        let images: Arc<dyn ImageSource> = match &self.origin {
            Origin::Named(name, options) => {
                let _loading = screen::loading(*name);
                load_source(*name, Split::Train, options)?
            }
            Origin::Own(own) => {
                let (options, survey) = &**own;
                let decoding = screen::progress(survey.count as u64, format!("decoding {}", options.name()));
                let (images, report) = load_own(options, &|done, _| decoding.reach(done as u64))?;
                drop(decoding);
                info!("{}: {report}", quoted(&options.path));
                Arc::new(images)
            }
        };
        Ok(if self.flip {
            Arc::new(Mirrored::new(images))
        } else {
            images
        })
    }
}

impl fmt::Display for TrainingImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Named(name, _) => name.fmt(f),
            Origin::Own(own) => f.write_str(&own.0.name()),
        }
    }
}
