//! Images of nearly the right shape: what other tools and padded experiments make.

use std::borrow::Cow;

use ganvas_data::{DataError, ImageSource};
use ganvas_model::ImageShape;

use crate::EvaluatorError;

/// The most rows or columns that are cut off or added on a side: 28×28 and 32×32 are the same images, 28×28 and 64×64 are not.
const MOST: usize = 4;

/// Images as an evaluator takes them: black borders are added or cut off around the middle, up to 4 pixels a side; colour
/// becomes grey by its brightness (0.299 red, 0.587 green, 0.114 blue, as in ITU-R BT.601), grey is copied into three channels.
#[derive(Debug)]
pub struct Fitted<'a> {
    images: &'a dyn ImageSource,
    shape: [usize; 3],
}

impl<'a> Fitted<'a> {
    /// Each of the images when it is asked for, in the shape (channels, height, width) of an evaluator.
    ///
    /// # Errors
    /// [`EvaluatorError::Shape`] where they differ by more.
    pub fn new(images: &'a dyn ImageSource, shape: [usize; 3]) -> Result<Self, EvaluatorError> {
        match fits(images.shape(), shape) {
            true => Ok(Self { images, shape }),
            false => Err(EvaluatorError::Shape {
                name: images.name().to_owned(),
                expected: shape.into(),
                found: images.shape().into(),
            }),
        }
    }

    /// What is done to the images, where anything is.
    pub fn change(&self) -> Option<String> {
        let found = self.images.shape();
        (found != self.shape).then(|| format!("{} made {}", ImageShape::from(found), ImageShape::from(self.shape)))
    }
}

impl ImageSource for Fitted<'_> {
    fn name(&self) -> &str {
        self.images.name()
    }

    fn len(&self) -> usize {
        self.images.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn image(&self, index: usize) -> Result<Cow<'_, [u8]>, DataError> {
        let image = self.images.image(index)?;
        let found = self.images.shape();
        if found == self.shape {
            return Ok(image);
        }
        let mut pixels = Vec::with_capacity(self.shape.iter().product());
        let planes: Vec<&[u8]> = image.chunks_exact(found[1] * found[2]).collect();
        let recoloured = match (planes.as_slice(), self.shape[0]) {
            (&[red, green, blue], 1) => vec![Cow::Owned(grey(red, green, blue))],
            (&[grey], 3) => vec![Cow::Borrowed(grey); 3],
            (planes, _) => planes.iter().map(|&plane| Cow::Borrowed(plane)).collect(),
        };
        for plane in recoloured {
            centre(
                &plane,
                [found[1], found[2]],
                [self.shape[1], self.shape[2]],
                &mut pixels,
            );
        }
        Ok(Cow::Owned(pixels))
    }

    fn classes(&self) -> usize {
        self.images.classes()
    }

    fn label(&self, index: usize) -> Option<u32> {
        self.images.label(index)
    }
}

/// Whether [`Fitted`] makes images of one shape (channels, height, width) of those of another.
pub fn fits(found: [usize; 3], shape: [usize; 3]) -> bool {
    let is_near = |one: usize, other: usize| one.abs_diff(other) <= 2 * MOST;
    let are_channels = matches!((found[0], shape[0]), (1 | 3, 1 | 3)) || found[0] == shape[0];
    are_channels && is_near(found[1], shape[1]) && is_near(found[2], shape[2])
}

fn grey(red: &[u8], green: &[u8], blue: &[u8]) -> Vec<u8> {
    let of_pixel = |((&red, &green), &blue): ((&u8, &u8), &u8)| {
        let [red, green, blue] = [red, green, blue].map(f32::from);
        (0.299 * red + 0.587 * green + 0.114 * blue).round() as u8
    };
    red.iter().zip(green).zip(blue).map(of_pixel).collect()
}

/// Appends the middle of a plane, or the plane in the middle of black; where the difference is odd, the extra row or column is below
/// or to the right.
fn centre(plane: &[u8], from: [usize; 2], to: [usize; 2], pixels: &mut Vec<u8>) {
    // Where the first row or column lies in the plane; outside of it where there is to be a border.
    let first = |from: usize, to: usize| match from >= to {
        true => ((from - to) / 2) as isize,
        false => -(((to - from) / 2) as isize),
    };
    let [top, left] = [first(from[0], to[0]), first(from[1], to[1])];
    for row in 0..to[0] as isize {
        for column in 0..to[1] as isize {
            let (row, column) = (row + top, column + left);
            let is_inside = (0..from[0] as isize).contains(&row) && (0..from[1] as isize).contains(&column);
            pixels.push(if is_inside {
                plane[row as usize * from[1] + column as usize]
            } else {
                0
            });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ganvas_data::ImageSet;

    use super::*;

    fn set(shape: [usize; 3]) -> ImageSet {
        let size: usize = shape.iter().product();
        ImageSet::new("set", (0..2 * size).map(|at| (at % 251) as u8).collect(), None, shape).unwrap()
    }

    fn pixels(images: &dyn ImageSource) -> Vec<u8> {
        (0..images.len())
            .flat_map(|index| images.image(index).unwrap().into_owned())
            .collect()
    }

    #[test]
    fn what_was_padded_is_cut_back() {
        for (small, size) in [([1, 28, 28], 32), ([3, 27, 28], 31), ([1, 5, 6], 13)] {
            let padded = set(small).padded_to(size).unwrap();
            let back = Fitted::new(&padded, small).unwrap();
            assert_eq!(pixels(&back), set(small).pixels());
            assert!(back.change().unwrap().contains(&size.to_string()));
            assert_eq!(pixels(&Fitted::new(&back, padded.shape()).unwrap()), padded.pixels());
        }
    }

    #[test]
    fn colour_becomes_brightness_and_grey_is_copied() {
        let colours = ImageSet::new("set", vec![255, 0, 100, 0, 255, 100, 0, 0, 100], None, [3, 1, 3]).unwrap();
        let grey = Fitted::new(&colours, [1, 1, 3]).unwrap();
        assert_eq!(pixels(&grey), [76, 150, 100]);
        assert_eq!(
            pixels(&Fitted::new(&grey, [3, 1, 3]).unwrap()),
            [[76, 150, 100]; 3].concat()
        );
    }

    #[test]
    fn other_images_are_refused_and_the_same_are_left_alone() {
        for (found, expected) in [
            ([1, 64, 64], [1, 28, 28]),
            ([2, 28, 28], [1, 28, 28]),
            ([1, 28, 37], [1, 28, 28]),
        ] {
            let error = Fitted::new(&set(found), expected).unwrap_err().to_string();
            assert!(error.contains("28×28"), "{error}");
        }
        let images = set([2, 3, 4]);
        let same = Fitted::new(&images, [2, 3, 4]).unwrap();
        assert!(same.change().is_none());
        assert!(matches!(same.image(1).unwrap(), Cow::Borrowed(image) if image == &images.pixels()[24..]));
    }
}
