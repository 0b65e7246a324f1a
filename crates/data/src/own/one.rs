//! One picture, as it lies there or turned, and whether it can be used.

use image::{DynamicImage, GenericImageView};

use super::find::Found;
use super::fit::transposed;
use super::options::{LabelSource, OwnOptions};
use super::pictures::{Reader, Unusable};

/// What came of one picture.
pub(super) struct Brought {
    pub from: [u32; 2],
}

/// Decodes a picture and hands it over with its width and height, where it can be used.
pub(super) fn bring_one(
    options: &OwnOptions,
    found: &Found,
    reader: &mut Reader<'_>,
    index: usize,
    take: impl FnOnce(DynamicImage, [u32; 2]),
) -> Result<Brought, Unusable> {
    let mut picture = reader.picture(index, options.background)?;
    if options.transpose {
        picture = transposed(&picture);
    }
    let is_file = found.pictures.entries().is_some();
    if is_file && has_one_colour(&picture) {
        return Err("has one colour only".to_owned().into());
    }
    if let Some(labels) = &found.labels
        && labels[index].is_none()
    {
        let reason = match options.labels {
            LabelSource::Folders => "lies in no folder, which would be its class",
            _ => "has no label in the table",
        };
        return Err(reason.to_owned().into());
    }
    let (width, height) = picture.dimensions();
    take(picture, [width, height]);
    Ok(Brought { from: [width, height] })
}

/// Whether all pixels are the same.
fn has_one_colour(picture: &DynamicImage) -> bool {
    let channels = usize::from(picture.color().channel_count());
    let bytes = picture.as_bytes();
    bytes
        .get(..channels)
        .is_some_and(|first| bytes.chunks_exact(channels).all(|pixel| pixel == first))
}
