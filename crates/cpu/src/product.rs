//! Products of matrices, on all threads.

use std::mem::MaybeUninit;

use crate::{
    memory::Fresh,
    parallel::{for_rows, sum},
};

/// A matrix in row-major memory, or its transpose.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major values.
    ///
    /// # Panics
    /// If there are not `rows · columns` values.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "the values of a {rows}×{columns} matrix");
        Self {
            values,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The transpose, without moving anything.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn is_transposed(self) -> bool {
        self.column_stride != 1
    }
}

/// Products this small are faster on one thread.
const WORTH_SHARING: usize = 1 << 18;

/// `out = left · right`, row-major.
///
/// # Panics
/// If the shapes do not fit.
pub fn multiply(left: Matrix<'_>, right: Matrix<'_>, out: Fresh<'_>) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert_eq!(inner, right.rows, "the inner sides of a product");
    assert_eq!(out.len(), rows * columns, "the values of a product");
    // The general kernel packs both matrices into blocks first; these three would only be packed.
    if rows == 1 && !right.is_transposed() {
        row_by_matrix(left, right, out);
    } else if rows == 1 {
        row_by_transpose(left, right, out);
    } else if inner == 1 {
        column_by_row(left, right, out);
    } else {
        general(left, right, out);
    }
}

#[allow(unsafe_code)] // The gemm crate takes pointers.
fn general(left: Matrix<'_>, right: Matrix<'_>, out: Fresh<'_>) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    let parallelism = if rows * inner * columns < WORTH_SHARING {
        gemm::Parallelism::None
    } else {
        gemm::Parallelism::Rayon(0)
    };
    // SAFETY: sizes and strides are those of the slices (checked in `new` and `multiply`); `out` is only written.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr().cast::<f32>(),
            1,
            columns as isize,
            false,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Columns that stay in the nearest cache while all rows are added up.
const COLUMNS: usize = 2048;

fn row_by_matrix(left: Matrix<'_>, right: Matrix<'_>, out: Fresh<'_>) {
    let columns = right.columns;
    for_rows(out, COLUMNS, |number, out| {
        let start = number * COLUMNS;
        let width = out.len();
        let mut sums = [0.0_f32; COLUMNS];
        let sums = &mut sums[..width];
        for inner in 0..right.rows {
            let factor = left.values[inner];
            let row = &right.values[inner * columns + start..][..width];
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += factor * value;
            }
        }
        write(out, sums);
    });
}

fn row_by_transpose(left: Matrix<'_>, right: Matrix<'_>, out: Fresh<'_>) {
    let inner = right.rows;
    let left = &left.values[..inner];
    // One row a value: few values, each of a long sum.
    use rayon::prelude::*;
    out.par_iter_mut().enumerate().for_each(|(column, out)| {
        let row = &right.values[column * inner..][..inner];
        out.write(crate::parallel::vectorized(|| sum(inner, |index| left[index] * row[index])) as f32);
    });
}

fn column_by_row(left: Matrix<'_>, right: Matrix<'_>, out: Fresh<'_>) {
    let row = &right.values[..right.columns];
    for_rows(out, right.columns, |number, out| {
        let factor = left.values[number];
        for (out, value) in out.iter_mut().zip(row) {
            out.write(factor * value);
        }
    });
}

#[inline(always)]
pub(crate) fn write(out: Fresh<'_>, values: &[f32]) {
    for (out, &value) in out.iter_mut().zip(values) {
        *out = MaybeUninit::new(value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::memory::fresh;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        (0..count as u32)
            .map(|index| ((index.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) % 2001) as f32 / 1000.0 - 1.0)
            .collect()
    }

    proptest! {
        #[test]
        fn products_are_those_of_the_definition(
            rows in 1_usize..20, inner in 1_usize..40, columns in 1_usize..5000,
            transposes in any::<[bool; 2]>(), seed in any::<u32>(),
        ) {
            let (a, b) = (numbers(rows * inner, seed), numbers(inner * columns, seed ^ 77));
            let matrix = |values, rows, columns, transposed| if transposed {
                Matrix::new(values, columns, rows).transposed()
            } else {
                Matrix::new(values, rows, columns)
            };
            let (left, right) = (matrix(&a, rows, inner, transposes[0]), matrix(&b, inner, columns, transposes[1]));
            let mut out = vec![f32::NAN; rows * columns];
            multiply(left, right, fresh(&mut out));
            for row in 0..rows {
                for column in (0..columns).step_by(97).chain([columns - 1]) {
                    let exact: f64 = (0..inner).map(|k| {
                        f64::from(left.values[row * left.row_stride + k * left.column_stride])
                            * f64::from(right.values[k * right.row_stride + column * right.column_stride])
                    }).sum();
                    prop_assert!((f64::from(out[row * columns + column]) - exact).abs() < 1e-4);
                }
            }
            prop_assert!(out.iter().all(|value| value.is_finite()));
        }
    }
}
