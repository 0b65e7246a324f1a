//! Moving images by whole pixels, so that a classifier learns not to mind where they stand.

use rand::Rng;

/// Moves each image by up to `most` pixels along each axis; what comes in from outside is black.
///
/// # Shapes
/// - images: `[batch, channels, height, width]` one after the other, from −1 (black) to 1
pub(crate) fn shift_randomly(images: &mut [f32], shape: [usize; 3], most: usize, rng: &mut impl Rng) {
    let [channels, height, width] = shape;
    let most = most as i32;
    let mut moved = vec![0.0; height * width];
    for image in images.chunks_exact_mut(channels * height * width) {
        let offsets = [rng.random_range(-most..=most), rng.random_range(-most..=most)];
        for plane in image.chunks_exact_mut(height * width) {
            shift(plane, &mut moved, [height, width], offsets);
            plane.copy_from_slice(&moved);
        }
    }
}

/// Moves one plane by `[down, right]` into `moved`.
fn shift(plane: &[f32], moved: &mut [f32], [height, width]: [usize; 2], [down, right]: [i32; 2]) {
    let from = |to: usize, offset: i32, side: usize| {
        let from = to as i64 - i64::from(offset);
        usize::try_from(from).ok().filter(|&from| from < side)
    };
    for (row, target) in moved.chunks_exact_mut(width).enumerate() {
        let Some(source) = from(row, down, height) else {
            target.fill(-1.0);
            continue;
        };
        for (column, value) in target.iter_mut().enumerate() {
            *value = from(column, right, width).map_or(-1.0, |column| plane[source * width + column]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_move_down_and_right_and_black_comes_in() {
        let plane = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut moved = [0.0; 6];
        shift(&plane, &mut moved, [2, 3], [1, 1]);
        assert_eq!(moved, [-1.0, -1.0, -1.0, -1.0, 1.0, 2.0]);
        shift(&plane, &mut moved, [2, 3], [-1, -2]);
        assert_eq!(moved, [6.0, -1.0, -1.0, -1.0, -1.0, -1.0]);
        shift(&plane, &mut moved, [2, 3], [0, 0]);
        assert_eq!(moved, plane);
    }

    #[test]
    fn the_channels_of_an_image_move_together() {
        let mut rng = ganvas_data::keyed_rng(1, ganvas_data::Purpose::Augmentation, 0);
        let plane: Vec<f32> = (0..25).map(|value| value as f32 / 25.0).collect();
        let mut images = [plane.clone(), plane.clone(), plane.clone(), plane].concat();
        shift_randomly(&mut images, [2, 5, 5], 2, &mut rng);
        assert_eq!(images[..25], images[25..50]);
        assert_eq!(images[50..75], images[75..]);
        assert_ne!(images[..25], images[50..75]);
    }
}
