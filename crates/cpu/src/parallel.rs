//! Loops over rows on all threads, with the widest vectors that the processor has.

use rayon::prelude::*;

/// Values below which a second thread costs more than it brings.
const WORTH_SHARING: usize = 1 << 15;

/// Calls `function` with each row of `values` and its number, on all threads.
pub(crate) fn for_rows<T: Send>(values: &mut [T], row: usize, function: impl Fn(usize, &mut [T]) + Sync) {
    if row == 0 {
        return;
    }
    if values.len() < WORTH_SHARING || values.len() <= row {
        values
            .chunks_mut(row)
            .enumerate()
            .for_each(|(number, row)| vectorized(|| function(number, row)));
    } else {
        values
            .par_chunks_mut(row)
            .enumerate()
            .with_min_len((WORTH_SHARING / 2).div_ceil(row))
            .for_each(|(number, row)| vectorized(|| function(number, row)));
    }
}

/// Calls `function` with each row of `values`, its number and its entry of `sums`, on all threads.
pub(crate) fn for_rows_with<T: Send, S: Send>(
    values: &mut [T],
    row: usize,
    sums: &mut [S],
    function: impl Fn(usize, &mut [T], &mut S) + Sync,
) {
    if row == 0 {
        return;
    }
    if values.len() < WORTH_SHARING || values.len() <= row {
        values
            .chunks_mut(row)
            .zip(sums)
            .enumerate()
            .for_each(|(number, (row, sum))| vectorized(|| function(number, row, sum)));
    } else {
        values
            .par_chunks_mut(row)
            .zip(sums)
            .enumerate()
            .with_min_len((WORTH_SHARING / 2).div_ceil(row))
            .for_each(|(number, (row, sum))| vectorized(|| function(number, row, sum)));
    }
}

/// Runs a loop compiled for the vectors that this processor has.
#[inline(always)]
pub(crate) fn vectorized<R>(function: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(function)
}

/// Lanes of a sum: as many additions can be under way at once.
const LANES: usize = 32;
/// Values that are added up in 32 bits before the sum goes on in 64.
const BLOCK: usize = 4096;

/// The sum of what `term` gives for each index below `count`; the order of the additions depends on `count` alone.
#[inline(always)]
pub(crate) fn sum(count: usize, term: impl Fn(usize) -> f32) -> f64 {
    let mut total = 0.0;
    let mut start = 0;
    while start < count {
        let end = (start + BLOCK).min(count);
        let mut lanes = [0.0_f32; LANES];
        let whole = start + (end - start) / LANES * LANES;
        for index in (start..whole).step_by(LANES) {
            for (lane, sum) in lanes.iter_mut().enumerate() {
                *sum += term(index + lane);
            }
        }
        for index in whole..end {
            lanes[index - whole] += term(index);
        }
        total += f64::from(lanes.iter().sum::<f32>());
        start = end;
    }
    total
}
