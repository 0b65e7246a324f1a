//! Which axis of an array is which side of its images.

/// How the values of images lie in an array: counts and steps of images, channels, rows and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    axes: [Axis; 4],
}

/// How many steps an axis has, and over how many values each of them goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Axis {
    side: usize,
    stride: usize,
}

/// The axis that an array of grey images does without.
const NO_CHANNELS: Axis = Axis { side: 1, stride: 0 };

impl Layout {
    /// The layout of an array of this shape, if it can hold images: N×H×W, N×H×W×C, N×C×H×W, where C is 1 or 3, or N×(H·W)
    /// with H = W > 1. Channels are looked for on the last axis first. In Fortran order the first axis runs fastest.
    ///
    /// The product of all sides but those that are 0 must fit a `usize`.
    pub(super) fn of(shape: &[u64], is_fortran: bool) -> Option<Self> {
        let sides = shape.iter().map(|&side| usize::try_from(side));
        let sides = sides.collect::<Result<Vec<_>, _>>().ok()?;
        let axis = |index: usize| {
            let faster = if is_fortran {
                &sides[..index]
            } else {
                &sides[index + 1..]
            };
            Axis {
                side: sides[index],
                stride: faster.iter().product(),
            }
        };
        let axes = match sides[..] {
            [_, _, _, 1 | 3] => [axis(0), axis(3), axis(1), axis(2)],
            [_, 1 | 3, _, _] => [axis(0), axis(1), axis(2), axis(3)],
            [_, _, _] => [axis(0), NO_CHANNELS, axis(1), axis(2)],
            [_, area] => {
                // One pixel would be square as well, but is a column of labels.
                let side = Some(area.isqrt()).filter(|&side| side > 1 && side * side == area)?;
                let Axis { stride, .. } = axis(1);
                let rows = Axis {
                    side,
                    stride: stride * side,
                };
                [axis(0), NO_CHANNELS, rows, Axis { side, stride }]
            }
            _ => return None,
        };
        Some(Self { axes })
    }

    /// How many images there are.
    pub(super) fn count(&self) -> usize {
        let [images, ..] = self.axes;
        images.side
    }

    /// Channels, height and width.
    pub(super) fn image_shape(&self) -> [usize; 3] {
        let [_, channels, rows, columns] = self.axes;
        [channels.side, rows.side, columns.side]
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.axes.iter().map(|axis| axis.side).product()
    }

    /// The image to which the value at `index` of the array belongs; both count from 0.
    pub(super) fn image_of(&self, index: usize) -> usize {
        let [Axis { side, stride }, ..] = self.axes;
        (index / stride.max(1)) % side.max(1)
    }

    /// Puts the values of an array, as many as there must be, in N·C·H·W order; where image lies after image, without room for more
    /// than one of them.
    pub(super) fn arrange(&self, mut values: Vec<u8>) -> Vec<u8> {
        let [images, channels, rows, columns] = self.axes;
        let size = channels.side * rows.side * columns.side;
        if self.is_in_order() || size == 0 {
            return values;
        }
        if images.stride == size {
            let mut image = Vec::with_capacity(size);
            for values in values.chunks_exact_mut(size) {
                self.arrange_image(values, &mut image);
                values.copy_from_slice(&image);
                image.clear();
            }
            return values;
        }
        let mut arranged = Vec::with_capacity(values.len());
        for image in (0..images.side).map(|step| step * images.stride) {
            self.arrange_image(&values[image..], &mut arranged);
        }
        arranged
    }

    /// Appends an image, whose first value is the first of `values`.
    fn arrange_image(&self, values: &[u8], arranged: &mut Vec<u8>) {
        let [_, channels, rows, columns] = self.axes;
        for plane in (0..channels.side).map(|step| step * channels.stride) {
            for row in (0..rows.side).map(|step| plane + step * rows.stride) {
                arranged.extend((0..columns.side).map(|step| values[row + step * columns.stride]));
            }
        }
    }

    /// Whether the array has N·C·H·W order by itself.
    fn is_in_order(&self) -> bool {
        let mut step = 1;
        self.axes.iter().rev().all(|axis| {
            let fits = axis.side == 1 || axis.stride == step;
            step *= axis.side;
            fits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shape of the images and their values when an array of this shape counts upwards in memory.
    fn arranged(shape: &[u64], is_fortran: bool) -> Option<(usize, [usize; 3], Vec<u8>)> {
        let layout = Layout::of(shape, is_fortran)?;
        let values = (0..layout.len() as u8).collect();
        Some((layout.count(), layout.image_shape(), layout.arrange(values)))
    }

    #[test]
    fn grey_images_lie_as_they_are() {
        let upwards: Vec<u8> = (0..24).collect();
        for shape in [&[2, 3, 4][..], &[2, 3, 4, 1], &[2, 1, 3, 4]] {
            assert_eq!(arranged(shape, false), Some((2, [1, 3, 4], upwards.clone())));
        }
        assert_eq!(arranged(&[2, 4], false), Some((2, [1, 2, 2], (0..8).collect())));
    }

    #[test]
    fn channels_come_first() {
        let planes = vec![0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11];
        assert_eq!(arranged(&[1, 2, 2, 3], false), Some((1, [3, 2, 2], planes)));
        assert_eq!(arranged(&[1, 3, 2, 2], false), Some((1, [3, 2, 2], (0..12).collect())));
    }

    #[test]
    fn the_last_axis_is_asked_first_for_channels() {
        let shape = |shape: &[u64]| Layout::of(shape, false).map(|layout| layout.image_shape());
        assert_eq!(shape(&[9, 3, 8, 1]), Some([1, 3, 8]));
        assert_eq!(shape(&[9, 1, 8, 3]), Some([3, 1, 8]));
        assert_eq!(shape(&[9, 3, 8, 4]), Some([3, 8, 4]));
    }

    #[test]
    fn in_fortran_order_the_first_axis_runs_fastest() {
        let grey = vec![0, 4, 2, 6, 1, 5, 3, 7];
        assert_eq!(arranged(&[2, 2, 2], true), Some((2, [1, 2, 2], grey)));
        // A square of two rows in one axis: its four columns begin at 0, 2, 4 and 6.
        let flat = vec![0, 2, 4, 6, 1, 3, 5, 7];
        assert_eq!(arranged(&[2, 4], true), Some((2, [1, 2, 2], flat)));
        // A single image with a single row is the same in both orders.
        assert_eq!(arranged(&[1, 1, 5], true), Some((1, [1, 1, 5], (0..5).collect())));
    }

    #[test]
    fn values_know_their_image() {
        let images = |is_fortran: bool| {
            let layout = Layout::of(&[2, 1, 3], is_fortran).unwrap();
            (0..6).map(|index| layout.image_of(index)).collect::<Vec<_>>()
        };
        assert_eq!(images(false), [0, 0, 0, 1, 1, 1]);
        assert_eq!(images(true), [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn other_shapes_hold_no_images() {
        for shape in [
            &[0_u64; 0][..],
            &[4],
            &[9, 1],
            &[9, 10],
            &[9, 0],
            &[9, 4, 4, 4],
            &[1, 1, 1, 1, 1],
        ] {
            assert_eq!(Layout::of(shape, false), None, "{shape:?}");
        }
        // No images are a matter of their own.
        assert_eq!(Layout::of(&[0, 4, 4], false).map(|layout| layout.len()), Some(0));
    }
}
