//! Linear maps of the pixels of an image.

/// What each value of a result is made of: values of the input, with their weights.
pub(super) type Terms = Vec<Vec<(usize, f32)>>;

/// A linear map from the pixels of an image to others, the same for all channels and images, and along rows the same as along columns.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelMap {
    /// Of the rows of pixels, and of the columns.
    sides: [Terms; 2],
    /// Rows and columns of the input.
    size: [usize; 2],
}

impl PixelMap {
    /// Rows and columns of the input.
    pub(super) fn size(&self) -> [usize; 2] {
        self.size
    }

    /// What the rows of the result are made of, and what the columns.
    pub(super) fn sides(&self) -> &[Terms; 2] {
        &self.sides
    }

    /// The pixels that each pixel of the result is made of, with their weights.
    pub fn terms(&self) -> Vec<Vec<(usize, f32)>> {
        let [rows, columns] = &self.sides;
        let width = self.size[1];
        let of_pixel = |row: &[(usize, f32)], column: &[(usize, f32)]| {
            let of_row = |&(y, by_row): &(usize, f32)| column.iter().map(move |&(x, by)| (y * width + x, by_row * by));
            row.iter().flat_map(of_row).collect()
        };
        rows.iter()
            .flat_map(|row| columns.iter().map(move |column| of_pixel(row, column)))
            .collect()
    }

    /// Pixels of the input.
    pub fn inputs(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The map that gradients go back by.
    pub fn transposed(&self) -> Self {
        let transposed = |side: usize| {
            let mut terms = vec![Vec::new(); self.size[side]];
            for (to, from) in self.sides[side].iter().enumerate() {
                for &(place, weight) in from {
                    terms[place].push((to, weight));
                }
            }
            terms
        };
        Self {
            sides: [transposed(0), transposed(1)],
            size: [self.sides[0].len(), self.sides[1].len()],
        }
    }

    /// To images of half the sides: the kernel (1, 3, 3, 1) / 8 along both sides, zeros outside (`upfirdn2d` of StyleGAN2 and R3GAN).
    pub fn halving(size: [usize; 2]) -> Self {
        let taps = |side: usize| {
            let of_one = |to: usize| {
                let all = [1.0, 3.0, 3.0, 1.0].into_iter().enumerate();
                let inside = all.filter_map(|(tap, weight)| {
                    let from = (2 * to + tap).checked_sub(1).filter(|&from| from < side)?;
                    Some((from, weight / 8.0))
                });
                inside.collect()
            };
            (0..side / 2).map(of_one).collect()
        };
        Self {
            sides: size.map(taps),
            size,
        }
    }

    /// From images of half the sides, bilinear, zeros outside: four times the transpose of [`halving`](Self::halving).
    pub fn doubling(size: [usize; 2]) -> Self {
        let mut map = Self::halving(size.map(|side| 2 * side)).transposed();
        for (_, weight) in map.sides.iter_mut().flatten().flatten() {
            *weight *= 2.0;
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_keeps_what_is_even_and_doubling_interpolates() {
        let of = |map: &PixelMap, values: &[f32]| -> Vec<f32> {
            let sum = |terms: &Vec<(usize, f32)>| terms.iter().map(|&(pixel, weight)| values[pixel] * weight).sum();
            map.terms().iter().map(sum).collect()
        };
        // Away from the border, where zeros come in.
        let even = of(&PixelMap::halving([8, 6]), &[2.0; 48]);
        assert_eq!(even.len(), 12);
        assert_eq!(even[4], 2.0);
        assert_eq!(even[0], 2.0 * (7.0 / 8.0_f32).powi(2));
        // A ramp along x stays one, with half the steps.
        let ramp: Vec<f32> = (0..16).map(|index| (index % 4) as f32).collect();
        let doubled = of(&PixelMap::doubling([4, 4]), &ramp);
        assert_eq!(doubled[3 * 8 + 1..3 * 8 + 7], [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]);
    }

    #[test]
    fn the_transpose_is_the_adjoint() {
        for map in [PixelMap::halving([6, 8]), PixelMap::doubling([3, 5])] {
            let back = map.transposed();
            let (terms, of_back) = (map.terms(), back.terms());
            assert_eq!((back.inputs(), of_back.len()), (terms.len(), map.inputs()));
            for (to, terms) in terms.iter().enumerate() {
                for &(from, weight) in terms {
                    assert!(of_back[from].contains(&(to, weight)));
                }
            }
            assert_eq!(back.transposed(), map);
        }
    }
}
