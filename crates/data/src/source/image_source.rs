//! What training needs to know of images, wherever they come from.

use std::borrow::Cow;
use std::fmt::Debug;

use crate::{DataError, Fingerprint};

/// A numbered collection of small images of one shape, with labels or without.
///
/// [`ImageSet`](crate::ImageSet) is one that lies in memory. A source of one's own says how many
/// images it has and of which shape, and gives image `i`: from disk, or made on the way. The same
/// number must always give the same image, or a resumed run is another run.
pub trait ImageSource: Debug + Send + Sync {
    /// What reports call it.
    fn name(&self) -> &str;

    /// How many images there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of each image: channels, height and width.
    fn shape(&self) -> [usize; 3];

    /// Image `index` in C·H·W order, one byte a value from 0 (black) to 255 (white).
    ///
    /// # Errors
    ///
    /// [`DataError::IndexOutOfRange`] past the end; [`DataError::Source`] or [`DataError::Io`] where
    /// the image cannot be read.
    fn image(&self, index: usize) -> Result<Cow<'_, [u8]>, DataError>;

    /// How many classes the labels tell apart; 0 where there are no labels.
    fn classes(&self) -> usize {
        0
    }

    /// What people call the classes, in the order of their numbers; the numbers themselves where they have no names.
    fn class_names(&self) -> Vec<String> {
        (0..self.classes()).map(|class| class.to_string()).collect()
    }

    /// The class of image `index`, counted from 0; `None` past the end and where there are no
    /// labels.
    fn label(&self, index: usize) -> Option<u32> {
        let _ = index;
        None
    }

    /// What distinguishes these images from any others.
    ///
    /// # Errors
    ///
    /// As [`image`](Self::image).
    fn fingerprint(&self) -> Result<Fingerprint, DataError> {
        let images = (0..self.len()).map(|index| self.image(index));
        Fingerprint::of(self.shape(), self.len(), images)
    }
}
