//! Products of matrices, on all threads.

use std::mem::MaybeUninit;

use rayon::prelude::*;

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

    /// Some columns beside each other.
    fn columns_from(self, start: usize, count: usize) -> Self {
        assert!(start + count <= self.columns, "columns inside the matrix");
        Self {
            values: &self.values[start * self.column_stride..],
            columns: count,
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

/// The general product, cut into pieces that threads take one after the other.
///
/// The gemm crate has threads of its own, but packs one of the matrices on a single one before they start, which is a tenth of
/// the time of `configs/blog.toml`'s products on two cores; and it does not cut the long sums of weight gradients, which
/// are twice as fast in pieces (`[256, 50176] · [50176, 128]`: 66 against 132 to 165 GFLOP/s).
fn general(left: Matrix<'_>, right: Matrix<'_>, out: Fresh<'_>) {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    let pieces = 2 * rayon::current_num_threads();
    let cut = |side: usize, least: usize| side.div_ceil(pieces).max(least).next_multiple_of(16);
    let parts = (inner / INNER_PART).min(MOST_INNER_PARTS);
    let target = Target {
        values: out.as_mut_ptr(),
        columns,
    };
    if rows * inner * columns < WORTH_SHARING {
        piece(left, right, target);
    } else if parts > 1 && rows * columns < inner * 16 {
        by_inner_parts(left, right, parts, out);
    } else if columns >= 2 * LEAST_COLUMNS {
        let width = cut(columns, LEAST_COLUMNS);
        (0..columns.div_ceil(width)).into_par_iter().for_each(|number| {
            let start = number * width;
            let right = right.columns_from(start, width.min(columns - start));
            piece(left, right, target.from(0, start));
        });
    } else {
        let height = cut(rows, LEAST_ROWS);
        (0..rows.div_ceil(height)).into_par_iter().for_each(|number| {
            let start = number * height;
            let left = left
                .transposed()
                .columns_from(start, height.min(rows - start))
                .transposed();
            piece(left, right, target.from(start, 0));
        });
    }
}

/// Pieces no narrower than this, so that packing the other matrix for each is worth it.
const LEAST_COLUMNS: usize = 256;
const LEAST_ROWS: usize = 64;
/// Length of the parts of a long sum, and the most of them. They depend on the shapes alone, so that the result does not depend
/// on the number of threads.
const INNER_PART: usize = 3072;
const MOST_INNER_PARTS: usize = 16;

/// Adds up products of parts of the inner side.
fn by_inner_parts(left: Matrix<'_>, right: Matrix<'_>, parts: usize, out: Fresh<'_>) {
    let (inner, columns, size) = (left.columns, right.columns, out.len());
    let length = inner.div_ceil(parts).next_multiple_of(16);
    let parts = inner.div_ceil(length);
    let mut partial = Vec::with_capacity(size * parts);
    partial.spare_capacity_mut()[..size * parts]
        .par_chunks_mut(size)
        .enumerate()
        .for_each(|(number, partial)| {
            let start = number * length;
            let length = length.min(inner - start);
            let target = Target {
                values: partial.as_mut_ptr(),
                columns,
            };
            let right = right.transposed().columns_from(start, length).transposed();
            piece(left.columns_from(start, length), right, target);
        });
    // SAFETY: each part was written whole by its product.
    #[allow(unsafe_code)] // Writing zeros first would pass over the memory once more.
    unsafe {
        partial.set_len(size * parts);
    }
    let partial: &[f32] = &partial;
    for_rows(out, SUMMED, |number, out| {
        let start = number * SUMMED;
        for (index, out) in out.iter_mut().enumerate() {
            out.write((0..parts).map(|part| partial[part * size + start + index]).sum());
        }
    });
}

/// Values that one thread adds up at a time.
const SUMMED: usize = 4096;

/// Where a piece of a product goes: its first value, and the length of a whole row.
#[derive(Clone, Copy)]
struct Target {
    values: *mut MaybeUninit<f32>,
    columns: usize,
}

// SAFETY: the pieces of a product do not overlap, and the output outlives the threads that write them.
#[allow(unsafe_code)]
unsafe impl Send for Target {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for Target {}

impl Target {
    /// The piece that begins at this row and column.
    fn from(self, row: usize, column: usize) -> Self {
        Self {
            values: self.values.wrapping_add(row * self.columns + column),
            ..self
        }
    }
}

/// A product on the thread that asks for it.
#[allow(unsafe_code)] // The gemm crate takes pointers.
fn piece(left: Matrix<'_>, right: Matrix<'_>, target: Target) {
    // SAFETY: sizes and strides are those of the slices (checked in `new`, `columns_from` and `multiply`); the target's rows and
    // columns lie inside the output, which is only written.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            target.values.cast::<f32>(),
            1,
            target.columns as isize,
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
            gemm::Parallelism::None,
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
mod tests;
