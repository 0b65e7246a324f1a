//! Samples beside the training images that they are nearest to.

use anyhow::bail;
use ganvas_data::{ImageSet, ImageSource, compose_grid};
use ganvas_evaluator::Neighbour;

use crate::{
    args::EvaluateArguments,
    data,
    ended::UsageError,
    image_files::ENLARGEMENT,
    outputs::{Destination, is_stdout},
};

/// How many samples are drawn beside training images.
const PAIRS: usize = 40;

/// Columns of the picture: four pairs.
const PAIR_COLUMNS: usize = 8;

/// Where the samples that are nearest to training images are drawn.
pub fn picture(arguments: &EvaluateArguments) -> anyhow::Result<Option<Destination>> {
    let Some(path) = &arguments.neighbours else {
        return Ok(None);
    };
    if is_stdout(path) {
        bail!(UsageError(
            "--neighbours -: expected a file; the numbers go to standard output".to_owned()
        ));
    }
    data::picture("--neighbours", path, arguments.force).map(Some)
}

/// Draws samples beside training images.
pub fn draw(mut picture: Destination, pairs: &ImageSet) -> anyhow::Result<()> {
    let grid = compose_grid(pairs.pixels(), pairs.len(), pairs.shape(), PAIR_COLUMNS)?;
    grid.upscale(ENLARGEMENT).encode_png(&mut picture)?;
    picture.finish()
}

/// The samples that are nearest to training images, nearest first, each followed by that image.
pub fn pairs(images: &dyn ImageSource, training: &dyn ImageSource, nearest: &[Neighbour]) -> anyhow::Result<ImageSet> {
    let mut order: Vec<usize> = (0..nearest.len()).collect();
    order.sort_by(|&one, &other| nearest[one].distance.total_cmp(&nearest[other].distance));
    let mut pixels = Vec::new();
    for index in order.into_iter().take(PAIRS) {
        pixels.extend_from_slice(&images.image(index)?);
        pixels.extend_from_slice(&training.image(nearest[index].index)?);
    }
    Ok(ImageSet::new("pairs", pixels, None, images.shape())?)
}
