//! Loops over rows on all threads, with the widest vectors that the processor has.
//!
//! What a row becomes depends on that row alone, so the number of threads and who does which row change nothing in the result.

use rayon::prelude::*;

use crate::{
    memory::written_by,
    uninit::{Uninit, assume_written},
};

/// Values below which a second thread costs more than it brings.
const WORTH_SHARING: usize = 1 << 15;

/// Calls `function` with each row of `values` and its number, on all threads.
///
/// # Panics
/// If there are values, but none in a row.
pub(crate) fn for_rows<T: Send>(values: &mut [T], row: usize, function: impl Fn(usize, &mut [T]) + Sync) {
    // One entry a row, of a type that takes no memory.
    let mut none = vec![(); row_count(values.len(), row)];
    for_rows_with(values, row, &mut none, |number, row, ()| function(number, row));
}

/// Calls `function` with each row of `values`, its number and its entry of `sums`, on all threads.
///
/// # Panics
/// If there are values, but none in a row, or not as many entries as rows.
pub(crate) fn for_rows_with<T: Send, S: Send>(
    values: &mut [T],
    row: usize,
    sums: &mut [S],
    function: impl Fn(usize, &mut [T], &mut S) + Sync,
) {
    if values.is_empty() {
        return;
    }
    // Otherwise the rows without an entry would be left out.
    assert_eq!(sums.len(), row_count(values.len(), row), "one entry for each row");
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

/// Rows in so many values, the last of which may be shorter.
fn row_count(values: usize, row: usize) -> usize {
    assert!(values == 0 || row > 0, "rows without values");
    if values == 0 { 0 } else { values.div_ceil(row) }
}

/// Has `function` write each row, on all threads.
///
/// # Panics
/// If there are values, but none in a row, or if `function` hands back anything but the row.
pub(crate) fn write_rows(
    out: Uninit<'_>,
    row: usize,
    function: impl Fn(usize, Uninit<'_>) -> &mut [f32] + Sync,
) -> &mut [f32] {
    for_rows(out, row, |number, row| {
        written_by(row, |row| function(number, row));
    });
    // SAFETY: `for_rows` goes over all rows, and each was handed back as written.
    #[allow(unsafe_code)]
    unsafe {
        assume_written(out)
    }
}

/// Has `function` write each row, on all threads, with the row's entry of `sums`.
///
/// # Panics
/// As [`write_rows`], and if there are not as many entries as rows.
pub(crate) fn write_rows_with<'a, S: Send>(
    out: Uninit<'a>,
    row: usize,
    sums: &mut [S],
    function: impl for<'b> Fn(usize, Uninit<'b>, &mut S) -> &'b mut [f32] + Sync,
) -> &'a mut [f32] {
    for_rows_with(out, row, sums, |number, row, sum| {
        written_by(row, |row| function(number, row, sum));
    });
    // SAFETY: `for_rows_with` goes over all rows, and each was handed back as written.
    #[allow(unsafe_code)]
    unsafe {
        assume_written(out)
    }
}

/// Has `function` write each row, on all threads, however short the rows are: each is a lot of work.
///
/// # Panics
/// As [`write_rows`].
pub(crate) fn write_rows_of_much_work(
    out: Uninit<'_>,
    row: usize,
    function: impl Fn(usize, Uninit<'_>) -> &mut [f32] + Sync,
) -> &mut [f32] {
    assert!(out.is_empty() || row > 0, "rows without values");
    out.par_chunks_mut(row.max(1)).enumerate().for_each(|(number, row)| {
        written_by(row, |row| function(number, row));
    });
    // SAFETY: the chunks are all of it, and each was handed back as written.
    #[allow(unsafe_code)]
    unsafe {
        assume_written(out)
    }
}

/// Has `function` write each row, one after the other: the runs within a row.
///
/// # Panics
/// As [`write_rows`].
#[inline(always)]
pub(crate) fn write_runs<'a>(
    out: Uninit<'a>,
    run: usize,
    function: impl for<'b> Fn(usize, Uninit<'b>) -> &'b mut [f32],
) -> &'a mut [f32] {
    assert!(out.is_empty() || run > 0, "runs without values");
    for (number, run) in out.chunks_mut(run.max(1)).enumerate() {
        written_by(run, |run| function(number, run));
    }
    // SAFETY: the chunks are all of it, and each was handed back as written.
    #[allow(unsafe_code)]
    unsafe {
        assume_written(out)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{memory::vector, uninit::fill};

    #[test]
    fn every_row_is_written_on_one_thread_and_on_many() {
        for (values, row) in [(0, 0), (0, 7), (7, 7), (20, 7), (WORTH_SHARING + 5, 1 << 13)] {
            let whole = vector(values, |out| {
                write_rows(out, row, |number, out| fill(out, number as f32))
            });
            let expected: Vec<f32> = (0..values).map(|index| (index / row) as f32).collect();
            assert!(whole == expected);
            let numbered = |number: usize| number as f32;
            let heavy = vector(values, |out| {
                write_rows_of_much_work(out, row, |number, out| fill(out, numbered(number)))
            });
            assert!(heavy == expected);
            let runs = vector(values, |out| {
                write_runs(out, row, |number, out| fill(out, numbered(number)))
            });
            assert!(runs == expected);
        }
    }

    #[test]
    #[should_panic = "all of the memory"]
    fn a_row_in_part_is_not_enough() {
        vector(20, |out| write_rows(out, 7, |_, out| fill(&mut out[..6], 1.0)));
    }

    #[test]
    #[should_panic = "one entry for each row"]
    fn rows_without_an_entry_are_refused() {
        vector(20, |out| {
            write_rows_with(out, 7, &mut [(); 2], |_, out, ()| fill(out, 1.0))
        });
    }

    #[test]
    #[should_panic = "rows without values"]
    fn rows_of_nothing_are_refused() {
        vector(20, |out| write_rows(out, 0, |_, out| fill(out, 1.0)));
    }
}
