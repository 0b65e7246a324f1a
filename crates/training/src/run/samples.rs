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
fn grid(images: &[f32], shape: [usize; 3]) -> Result<Canvas, TrainingError> {
    let bytes: Vec<u8> = images.iter().map(|&value| denormalize(value)).collect();
    grid_of_bytes(&bytes, shape)
}

fn grid_of_bytes(bytes: &[u8], shape: [usize; 3]) -> Result<Canvas, TrainingError> {
    let count = bytes.len() / shape.iter().product::<usize>();
    let canvas = compose_grid(bytes, count, shape, near_square_columns(count))?;
    Ok(canvas.upscale(ENLARGEMENT))
}

/// Writes a grid of generated images.
pub(crate) fn write_samples(path: &Path, images: &[f32], shape: [usize; 3]) -> Result<(), TrainingError> {
    Ok(write_png(&grid(images, shape)?, path)?)
}

/// Writes real images beside generated ones.
pub(crate) fn write_comparison(
    path: &Path,
    real: &dyn ImageSource,
    seed: u64,
    generated: &[f32],
) -> Result<(), TrainingError> {
    // The first images of a set are the same to everyone; those of the first epoch are at least this run's own.
    let mut bytes = Vec::new();
    for index in epoch_order(seed, 0, real.len()).into_iter().take(COMPARED) {
        bytes.extend_from_slice(&real.image(index as usize)?);
    }
    let shape = real.shape();
    let picture = side_by_side(
        ("real", &grid_of_bytes(&bytes, shape)?),
        ("generated", &grid(generated, shape)?),
    );
    Ok(write_png(&picture, path)?)
}
