//! Pictures of a run.

use std::path::Path;

use ganvas_data::{
    Canvas, ImageSource, compose_grid, denormalize, epoch_order, near_square_columns, side_by_side, write_png,
};

use crate::TrainingError;

/// Digits are small: each pixel becomes a square of this side.
const ENLARGEMENT: usize = 3;

/// The comparison shows 4×4 images a side, as the blog post does.
pub(crate) const COMPARED: usize = 16;

/// A grid of images with values in [-1, 1].
fn grid(images: &[f32], shape: [usize; 3], columns: Option<usize>) -> Result<Canvas, TrainingError> {
    let bytes: Vec<u8> = images.iter().map(|&value| denormalize(value)).collect();
    grid_of_bytes(&bytes, shape, columns)
}

fn grid_of_bytes(bytes: &[u8], shape: [usize; 3], columns: Option<usize>) -> Result<Canvas, TrainingError> {
    let count = bytes.len() / shape.iter().product::<usize>();
    let columns = columns.unwrap_or_else(|| near_square_columns(count));
    Ok(compose_grid(bytes, count, shape, columns)?.upscale(ENLARGEMENT))
}

/// How a conditional generator's images are laid out: a row for each class, as long as all of them fit; where there are more classes than
/// images, none.
pub(crate) fn columns_by_class(count: usize, classes: usize) -> Option<usize> {
    count.checked_div(classes).filter(|&columns| columns > 0)
}

/// Writes a grid of generated images, near a square where the number of columns is not given.
pub(crate) fn write_samples(
    path: &Path,
    images: &[f32],
    shape: [usize; 3],
    columns: Option<usize>,
) -> Result<(), TrainingError> {
    Ok(write_png(&grid(images, shape, columns)?, path)?)
}

/// The real images that are shown beside generated ones. The first images of a set are the same to everyone; those of the first epoch are at
/// least this run's own.
pub(crate) fn compared_images(real: &dyn ImageSource, seed: u64) -> Vec<usize> {
    let order = epoch_order(seed, 0, real.len()).into_iter();
    order.take(COMPARED).map(|index| index as usize).collect()
}

/// Writes real images beside generated ones.
pub(crate) fn write_comparison(
    path: &Path,
    real: &dyn ImageSource,
    seed: u64,
    generated: &[f32],
) -> Result<(), TrainingError> {
    let mut bytes = Vec::new();
    for index in compared_images(real, seed) {
        bytes.extend_from_slice(&real.image(index)?);
    }
    let shape = real.shape();
    let picture = side_by_side(
        ("real", &grid_of_bytes(&bytes, shape, None)?),
        ("generated", &grid(generated, shape, None)?),
    );
    Ok(write_png(&picture, path)?)
}
