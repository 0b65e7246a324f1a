//! Matrices in row-major memory, and the product on one thread.

use std::{marker::PhantomData, mem::MaybeUninit};

use crate::uninit::Uninit;

/// A matrix in row-major memory, or its transpose, or some of its rows and columns.
///
/// The value at `(row, column)` is `values[row · row_stride + column · column_stride]`, which is there for every row and column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(super) values: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major values.
    ///
    /// # Panics
    /// If there are not `rows · columns` values.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        // Checked, because a product that is too large for a number must not become the right length.
        assert_eq!(
            Some(values.len()),
            rows.checked_mul(columns),
            "the values of a {rows}×{columns} matrix"
        );
        Self {
            values,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The transpose, without moving anything.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Some columns beside each other.
    pub(super) fn columns_from(self, start: usize, count: usize) -> Self {
        assert!(
            start.checked_add(count).is_some_and(|end| end <= self.columns),
            "columns inside the matrix"
        );
        // Without values there may be columns all the same.
        let first = (start * self.column_stride).min(self.values.len());
        Self {
            values: &self.values[first..],
            columns: count,
            ..self
        }
    }

    /// Some rows below each other.
    pub(super) fn rows_from(self, start: usize, count: usize) -> Self {
        self.transposed().columns_from(start, count).transposed()
    }

    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    pub(super) fn is_transposed(self) -> bool {
        self.column_stride != 1
    }
}

/// Some rows and columns of a row-major matrix that nobody has written yet.
pub(super) struct Block<'a> {
    values: *mut MaybeUninit<f32>,
    rows: usize,
    columns: usize,
    /// Length of a whole row.
    stride: usize,
    memory: PhantomData<Uninit<'a>>,
}

// SAFETY: a block stands for the exclusive borrow of its rows and columns, which may be sent.
#[allow(unsafe_code)]
unsafe impl Send for Block<'_> {}

impl<'a> Block<'a> {
    /// All of it.
    ///
    /// # Panics
    /// If there are not `rows · columns` values.
    pub(super) fn new(out: Uninit<'a>, rows: usize, columns: usize) -> Self {
        assert_eq!(Some(out.len()), rows.checked_mul(columns), "the values of a product");
        Self {
            values: out.as_mut_ptr(),
            rows,
            columns,
            stride: columns,
            memory: PhantomData,
        }
    }

    /// The rows above `row`, and those from it on.
    pub(super) fn split_rows(self, row: usize) -> [Self; 2] {
        assert!(row <= self.rows, "a row of the block");
        // Wrapping, because behind the last row there may be no memory; then the block has no rows, and is not touched.
        let values = self.values.wrapping_add(row * self.stride);
        [
            Self { rows: row, ..self },
            Self {
                values,
                rows: self.rows - row,
                ..self
            },
        ]
    }

    /// The columns left of `column`, and those from it on.
    pub(super) fn split_columns(self, column: usize) -> [Self; 2] {
        assert!(column <= self.columns, "a column of the block");
        let values = self.values.wrapping_add(column);
        [
            Self {
                columns: column,
                ..self
            },
            Self {
                values,
                columns: self.columns - column,
                ..self
            },
        ]
    }
}

/// Writes a whole block with a product, on the thread that asks for it.
///
/// # Panics
/// If the shapes do not fit.
pub(super) fn product(left: Matrix<'_>, right: Matrix<'_>, out: Block<'_>) {
    assert_eq!(left.columns, right.rows, "the inner sides of a product");
    assert_eq!(
        [left.rows, right.columns],
        [out.rows, out.columns],
        "the sides of a product"
    );
    // SAFETY: sizes and strides of both matrices lie inside their values (`Matrix`), and those of the block inside memory that it
    // alone holds (`Block`).
    #[allow(unsafe_code)]
    unsafe {
        gemm_into(left, right, out);
    }
}

/// The product of the gemm crate, which writes `m · n` values and reads none of the output where `read_dst` is false.
///
/// # Safety
/// The shapes must fit.
#[cfg(not(miri))]
#[allow(unsafe_code)] // The gemm crate takes pointers.
unsafe fn gemm_into(left: Matrix<'_>, right: Matrix<'_>, out: Block<'_>) {
    // SAFETY: the caller's promise, and the types' (`product`).
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            out.values.cast::<f32>(),
            1,
            out.stride as isize,
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

/// The definition, through the same pointers: Miri cannot run gemm's kernels, but sees here whether the blocks overlap or leave
/// their memory.
///
/// # Safety
/// The shapes must fit.
#[cfg(miri)]
#[allow(unsafe_code)]
unsafe fn gemm_into(left: Matrix<'_>, right: Matrix<'_>, out: Block<'_>) {
    for row in 0..out.rows {
        for column in 0..out.columns {
            let value = (0..left.columns)
                .map(|inner| {
                    left.values[row * left.row_stride + inner * left.column_stride]
                        * right.values[inner * right.row_stride + column * right.column_stride]
                })
                .sum::<f32>();
            // SAFETY: the caller's promise, and the block's.
            unsafe { out.values.add(row * out.stride + column).write(MaybeUninit::new(value)) };
        }
    }
}
