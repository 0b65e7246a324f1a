//! What is known of images before they are decoded.

use super::find::{Found, find};
use super::one::{Brought, bring_one};
use super::options::OwnOptions;
use super::report::BadPicture;
use super::stored::Depth;
use crate::DataError;

/// How many pictures say whether all are grey.
const LOOKED_AT: usize = 64;

/// What is known of images before they are decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSurvey {
    /// How many there are, those that cannot be used among them.
    pub count: usize,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// What the classes are called; empty where there are none.
    pub classes: Vec<String>,
}

/// What is known before anything is decoded but the outsides of a few pictures.
///
/// # Errors
///
/// [`DataError::Io`] and [`DataError::Format`] where there is nothing that can be read or the table of labels is broken;
/// [`DataError::OwnTooLarge`] where the images would not fit.
pub fn survey_own(options: &OwnOptions) -> Result<OwnSurvey, DataError> {
    let found = find(options, Depth::Outside)?;
    let shape = shape(options, &found)?;
    check_room(options, found.pictures.len(), shape)?;
    Ok(OwnSurvey {
        count: found.pictures.len(),
        shape,
        classes: found.classes,
    })
}

/// The shape that images will have.
pub(super) fn shape(options: &OwnOptions, found: &Found) -> Result<[usize; 3], DataError> {
    let mut reader = found.pictures.reader();
    let count = found.pictures.len();
    let [height, width] = match (options.image_size, found.pictures.stored_shape()) {
        (Some(size), _) => [size, size],
        (None, Some([_, height, width])) if options.transpose => [width, height],
        (None, Some([_, height, width])) => [height, width],
        (None, None) => {
            // The first that can be used: one that is cut short says nothing of the others.
            let mut usable =
                (0..count).filter_map(|index| bring_one(options, found, &mut reader, index, |_, _| ()).ok());
            let Some(Brought {
                from: [width, height], ..
            }) = usable.next()
            else {
                let reason = reader
                    .outside(0)
                    .map_or_else(|error| error.reason, |_| "cannot be used".to_owned());
                let bad = BadPicture::new(&found.pictures.path(0), reason);
                let none = format!("none that can be used: {bad}, and so on");
                return Err(DataError::format(&options.path, "pictures", none));
            };
            [height as usize, width as usize]
        }
    };
    let channels = match options.channels {
        Some(channels) => channels,
        None => {
            let looked = count.min(LOOKED_AT);
            let outsides = (0..looked).filter_map(|number| reader.outside(number * count / looked).ok());
            let has_colours = outsides.filter(|outside| !outside.is_grey).count() > 0;
            if has_colours { 3 } else { 1 }
        }
    };
    if height > 1 << 14 || width > 1 << 14 {
        let found = format!("{width}×{height}");
        return Err(DataError::format(&options.path, "images of at most 16384×16384", found));
    }
    Ok([channels, height, width])
}

/// Refuses more bytes than there is room for.
pub(super) fn check_room(options: &OwnOptions, count: usize, shape: [usize; 3]) -> Result<(), DataError> {
    let sides = shape.map(|side| side as u64);
    let bytes = sides.into_iter().fold(count as u64, u64::saturating_mul);
    let most = options.most_bytes.unwrap_or(u64::MAX).min(isize::MAX as u64);
    match bytes > most {
        true => Err(DataError::OwnTooLarge {
            path: options.path.clone(),
            count,
            shape,
            bytes,
            most,
        }),
        false => Ok(()),
    }
}
