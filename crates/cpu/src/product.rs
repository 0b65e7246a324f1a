//! Products of matrices, on all threads.
//!
//! How a product is cut depends on its shapes alone. The gemm crate chooses its kernel and the length of its sums by the sizes that
//! it is given, so other pieces would be other roundings; with these cuts the result is the same on any number of threads.

mod matrix;

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    memory::vector,
    parallel::{sum, vectorized, write_rows, write_rows_of_much_work},
    uninit::{Uninit, assume_written, map, write, write_each},
};
use matrix::{Block, product};

pub(crate) use matrix::Matrix;

/// `out = left · right`, row-major.
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn multiply<'a>(left: Matrix<'_>, right: Matrix<'_>, out: Uninit<'a>) -> &'a mut [f32] {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    assert_eq!(inner, right.rows, "the inner sides of a product");
    assert_eq!(Some(out.len()), rows.checked_mul(columns), "the values of a product");
    // The general kernel packs both matrices into blocks first; these three would only be packed.
    if rows == 1 && !right.is_transposed() {
        row_by_matrix(left, right, out)
    } else if rows == 1 {
        row_by_transpose(left, right, out)
    } else if inner == 1 {
        column_by_row(left, right, out)
    } else {
        general(left, right, out)
    }
}

/// The general product, cut into pieces that threads take one after the other.
///
/// The gemm crate has threads of its own, but packs one of the matrices on a single one before they start, which is a tenth of
/// the time of `configs/blog.toml`'s products on two cores; and it does not cut the long sums of weight gradients, which
/// are twice as fast in pieces (`[256, 50176] · [50176, 128]`: 66 against 132 to 165 GFLOP/s).
fn general<'a>(left: Matrix<'_>, right: Matrix<'_>, out: Uninit<'a>) -> &'a mut [f32] {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    let work = rows.saturating_mul(inner).saturating_mul(columns);
    let parts = (inner / INNER_PART).min(MOST_INNER_PARTS);
    if parts > 1 && rows * columns < inner.saturating_mul(16) && work >= WORTH_PARTS {
        return by_inner_parts(left, right, parts, out);
    }
    let most = (work / LEAST_WORK).min(MOST_PIECES);
    let whole = Block::new(out, rows, columns);
    if columns >= WIDE {
        // Each piece packs the whole of the left matrix where that lies transposed.
        let least = if left.is_transposed() {
            2 * LEAST_COLUMNS
        } else {
            LEAST_COLUMNS
        };
        let cuts = cuts(columns, COLUMN_UNIT, most.min(columns / least));
        let blocks = split(whole, &cuts, Block::split_columns);
        blocks.into_par_iter().zip(cuts).for_each(|(block, cut)| {
            product(left, right.columns_from(cut.start, cut.len()), block);
        });
    } else {
        let cuts = cuts(rows, ROW_UNIT, most.min(rows.div_ceil(LEAST_ROWS)));
        let blocks = split(whole, &cuts, Block::split_rows);
        blocks.into_par_iter().zip(cuts).for_each(|(block, cut)| {
            product(left.rows_from(cut.start, cut.len()), right, block);
        });
    }
    // SAFETY: the cuts are all of a side, and each piece's product writes its whole block.
    #[allow(unsafe_code)]
    unsafe {
        assume_written(out)
    }
}

/// Products of numbers that a piece has at least, so that it is worth a thread: some 10 µs.
const LEAST_WORK: usize = 1 << 20;
/// Pieces are as many as this at most, for as many threads.
const MOST_PIECES: usize = 16;
/// Products with as many columns are cut between columns, others between rows.
const WIDE: usize = 512;
/// Pieces no narrower than this, so that going over the other matrix for each is worth it.
const LEAST_COLUMNS: usize = 256;
const LEAST_ROWS: usize = 96;
/// The gemm crate's kernels make 64 columns (AVX-512) of 6 or 4 rows at a time, so cuts are between them.
const COLUMN_UNIT: usize = 64;
const ROW_UNIT: usize = 12;

/// Cuts a side into pieces that differ by one unit at most. Their number is a power of two, so that as many threads all have
/// the same to do.
fn cuts(side: usize, unit: usize, most: usize) -> Vec<Range<usize>> {
    let units = side.div_ceil(unit);
    let pieces = 1 << most.clamp(1, units.max(1)).ilog2();
    let boundary = |piece: usize| (units * piece / pieces * unit).min(side);
    (0..pieces).map(|piece| boundary(piece)..boundary(piece + 1)).collect()
}

/// One block for each cut.
fn split<'a>(whole: Block<'a>, cuts: &[Range<usize>], at: fn(Block<'a>, usize) -> [Block<'a>; 2]) -> Vec<Block<'a>> {
    let mut rest = whole;
    cuts.iter()
        .map(|cut| {
            let block;
            // An empty block takes the rest's place for a moment.
            [block, rest] = at(std::mem::replace(&mut rest, Block::new(&mut [], 0, 0)), cut.len());
            block
        })
        .collect()
}

/// Length of the parts of a long sum, and the most of them.
const INNER_PART: usize = 3072;
const MOST_INNER_PARTS: usize = 16;
/// Smaller products are not cut into parts.
const WORTH_PARTS: usize = 1 << 18;

/// Adds up products of parts of the inner side.
fn by_inner_parts<'a>(left: Matrix<'_>, right: Matrix<'_>, parts: usize, out: Uninit<'a>) -> &'a mut [f32] {
    let (rows, inner, columns) = (left.rows, left.columns, right.columns);
    let (length, size) = (inner.div_ceil(parts).next_multiple_of(16), out.len());
    let parts = inner.div_ceil(length);
    let partial = vector(size * parts, |partial| {
        write_rows_of_much_work(partial, size, |number, partial| {
            let start = number * length;
            let length = length.min(inner - start);
            let (left, right) = (left.columns_from(start, length), right.rows_from(start, length));
            product(left, right, Block::new(partial, rows, columns));
            // SAFETY: the product writes its whole block.
            #[allow(unsafe_code)]
            unsafe {
                assume_written(partial)
            }
        })
    });
    write_rows(out, SUMMED, |number, out| {
        let start = number * SUMMED;
        write_each(out, |index| {
            (0..parts).map(|part| partial[part * size + start + index]).sum()
        })
    })
}

/// Values that one thread adds up at a time.
const SUMMED: usize = 4096;

/// Columns that stay in the L1 cache while all rows are added up.
const COLUMNS: usize = 2048;

fn row_by_matrix<'a>(left: Matrix<'_>, right: Matrix<'_>, out: Uninit<'a>) -> &'a mut [f32] {
    let columns = right.columns;
    write_rows(out, COLUMNS, |number, out| {
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
        write(out, sums)
    })
}

fn row_by_transpose<'a>(left: Matrix<'_>, right: Matrix<'_>, out: Uninit<'a>) -> &'a mut [f32] {
    let inner = right.rows;
    let left = &left.values[..inner];
    // One value a row: few values, each of a long sum.
    write_rows_of_much_work(out, 1, |column, out| {
        let row = &right.values[column * inner..][..inner];
        let total = vectorized(|| sum(inner, |index| left[index] * row[index])) as f32;
        write(out, &[total])
    })
}

fn column_by_row<'a>(left: Matrix<'_>, right: Matrix<'_>, out: Uninit<'a>) -> &'a mut [f32] {
    let row = &right.values[..right.columns];
    write_rows(out, right.columns, |number, out| {
        let factor = left.values[number];
        map(out, [row], |[value]| factor * value)
    })
}

#[cfg(test)]
mod tests;
