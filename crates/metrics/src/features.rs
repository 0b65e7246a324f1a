//! A matrix of features.

use nalgebra::DMatrixView;

use crate::MetricsError;

/// Samples by features, `[N, D]`: all finite, at least one sample, at least one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// One sample after the other.
    values: Vec<f64>,
    width: usize,
}

impl Features {
    /// Takes the values of samples, one after the other, `width` features each.
    ///
    /// # Errors
    /// [`MetricsError::NotAMatrix`], [`MetricsError::NotFinite`].
    pub fn new(values: Vec<f64>, width: usize) -> Result<Self, MetricsError> {
        if values.is_empty() || width == 0 || !values.len().is_multiple_of(width) {
            let values = values.len();
            return Err(MetricsError::NotAMatrix { values, width });
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(MetricsError::NotFinite {
                row: index / width,
                column: index % width,
            });
        }
        Ok(Self { values, width })
    }

    /// As [`new`](Self::new), from the 32-bit floats that networks compute in.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_f32(values: &[f32], width: usize) -> Result<Self, MetricsError> {
        Self::new(values.iter().copied().map(f64::from).collect(), width)
    }

    /// How many samples there are.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// How many features each has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The features of a sample.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn sample(&self, index: usize) -> &[f64] {
        &self.values[index * self.width..][..self.width]
    }

    /// The samples, one after the other.
    pub fn samples(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }

    /// Some of the samples, in this order; the same may be taken again.
    ///
    /// # Panics
    /// If there is no such sample, or none is asked for.
    pub fn select(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let values: Vec<f64> = indices
            .into_iter()
            .flat_map(|index| self.sample(index))
            .copied()
            .collect();
        assert!(!values.is_empty(), "no samples are selected");
        Self {
            values,
            width: self.width,
        }
    }

    /// `count` samples from `first` on as the columns of a matrix, `[D, count]`.
    pub(crate) fn columns(&self, first: usize, count: usize) -> DMatrixView<'_, f64> {
        let values = &self.values[first * self.width..][..count * self.width];
        DMatrixView::from_slice(values, self.width, count)
    }

    /// Refuses others that have more or fewer features.
    pub(crate) fn check_width(&self, others: &Self) -> Result<(), MetricsError> {
        match others.width == self.width {
            true => Ok(()),
            false => Err(MetricsError::OtherWidth {
                expected: self.width,
                found: others.width,
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_matrix_of_finite_numbers_is_refused() {
        let wrong = |values: &[f64], width| Features::new(values.to_vec(), width).unwrap_err();
        assert_eq!(wrong(&[], 3), MetricsError::NotAMatrix { values: 0, width: 3 });
        assert_eq!(wrong(&[1.0; 4], 3), MetricsError::NotAMatrix { values: 4, width: 3 });
        assert_eq!(wrong(&[1.0; 4], 0), MetricsError::NotAMatrix { values: 4, width: 0 });
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let found = wrong(&[1.0, 2.0, 3.0, value], 2);
            assert_eq!(found, MetricsError::NotFinite { row: 1, column: 1 });
        }
    }
}
