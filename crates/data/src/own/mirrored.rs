//! Each image, and after all of them each as in a mirror.

use std::borrow::Cow;
use std::sync::Arc;

use crate::{DataError, ImageSource};

/// Images with their mirror images: number `len + i` is image `i` with left and right exchanged, as StyleGAN's `--mirror` has it.
#[derive(Debug)]
pub struct Mirrored(Arc<dyn ImageSource>);

impl Mirrored {
    /// Twice as many images.
    #[must_use]
    pub fn new(images: Arc<dyn ImageSource>) -> Self {
        Self(images)
    }
}

impl ImageSource for Mirrored {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn len(&self) -> usize {
        2 * self.0.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.0.shape()
    }

    fn image(&self, index: usize) -> Result<Cow<'_, [u8]>, DataError> {
        let half = self.0.len();
        if index < half || index >= 2 * half {
            return self.0.image(index);
        }
        let mut image = self.0.image(index - half)?.into_owned();
        let [_, _, width] = self.shape();
        image.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        Ok(image.into())
    }

    fn classes(&self) -> usize {
        self.0.classes()
    }

    fn class_names(&self) -> Vec<String> {
        self.0.class_names()
    }

    fn label(&self, index: usize) -> Option<u32> {
        let half = self.0.len();
        self.0.label(if index >= half && index < 2 * half {
            index - half
        } else {
            index
        })
    }
}
