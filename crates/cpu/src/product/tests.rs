//! Products against their definition, and how they are cut.

use proptest::prelude::*;

use super::*;

fn numbers(count: usize, seed: u32) -> Vec<f32> {
    (0..count as u32)
        .map(|index| ((index.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) % 2001) as f32 / 1000.0 - 1.0)
        .collect()
}

#[test]
#[cfg_attr(miri, ignore = "too long for Miri")]
fn long_sums_in_parts_are_those_of_the_definition() {
    let (rows, inner, columns) = (5, 3 * INNER_PART + 17, 7);
    let (a, b) = (numbers(rows * inner, 1), numbers(inner * columns, 2));
    let (left, right) = (Matrix::new(&a, rows, inner), Matrix::new(&b, columns, inner));
    let out = vector(rows * columns, |out| multiply(left, right.transposed(), out));
    for (index, found) in out.iter().enumerate() {
        let (left, right) = (
            &a[index / columns * inner..][..inner],
            &b[index % columns * inner..][..inner],
        );
        let exact: f64 = left.iter().zip(right).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        assert!((f64::from(*found) - exact).abs() < 1e-3, "{found} {exact}");
    }
}

#[test]
fn pieces_are_a_power_of_two_and_make_up_the_side() {
    // Miri is a thousand times slower.
    let step = if cfg!(miri) { 97 } else { 1 };
    for side in (0..600).step_by(step).chain([784, 1568, 3136, 4608, 50_176]) {
        for most in (0..20).step_by(step.min(7)) {
            let unit = if most % 2 == 0 { COLUMN_UNIT } else { ROW_UNIT };
            let cuts = cuts(side, unit, most);
            assert!(cuts.len().is_power_of_two() && cuts.len() <= most.max(1));
            assert_eq!((cuts[0].start, cuts[cuts.len() - 1].end), (0, side));
            assert!(cuts.windows(2).all(|pair| pair[0].end == pair[1].start));
            let lengths = || cuts.iter().map(Range::len);
            assert!(lengths().max() <= lengths().min().map(|least| least + 2 * unit));
            assert!(side == 0 || lengths().all(|length| length > 0));
        }
    }
}

#[test]
fn products_of_nothing() {
    let nothing = |rows, columns| Matrix::new(&[], rows, columns);
    for rows in 0..3 {
        assert_eq!(
            vector(rows * 5, |out| multiply(nothing(rows, 0), nothing(0, 5), out)),
            vec![0.0; rows * 5]
        );
    }
    assert!(vector(0, |out| multiply(nothing(0, 4), Matrix::new(&[1.0; 8], 4, 2), out)).is_empty());
    assert!(vector(0, |out| multiply(Matrix::new(&[1.0; 8], 2, 4), nothing(4, 0), out)).is_empty());
}

#[test]
#[should_panic = "matrix"]
fn a_size_beyond_numbers_is_no_small_one() {
    Matrix::new(&[], 1 << 40, 1 << 24);
}

#[test]
#[should_panic = "the values of a product"]
fn an_output_of_another_size_is_refused() {
    let values = [1.0; 12];
    vector(17, |out| {
        multiply(Matrix::new(&values, 4, 3), Matrix::new(&values, 3, 4), out)
    });
}

/// All cuts, small enough for Miri, which looks at the pointers.
#[test]
fn each_way_of_cutting_writes_everything_once() {
    let values = vec![1.0; 64];
    for (rows, columns) in [(1, 1), (3, 50), (50, 3), (40, 40)] {
        for pieces in [1, 2, 4] {
            for (by_columns, side) in [(true, columns), (false, rows)] {
                let cuts = cuts(side, ROW_UNIT, pieces);
                let out = vector(rows * columns, |out| {
                    let at = if by_columns {
                        Block::split_columns
                    } else {
                        Block::split_rows
                    };
                    let blocks = split(Block::new(out, rows, columns), &cuts, at);
                    blocks.into_par_iter().zip(&cuts).for_each(|(block, cut)| {
                        let (left, right) = (
                            Matrix::new(&values[..rows], rows, 1),
                            Matrix::new(&values[..columns], 1, columns),
                        );
                        if by_columns {
                            product(left, right.columns_from(cut.start, cut.len()), block);
                        } else {
                            product(left.rows_from(cut.start, cut.len()), right, block);
                        }
                    });
                    // SAFETY: the blocks are all of it.
                    #[allow(unsafe_code)]
                    unsafe {
                        assume_written(out)
                    }
                });
                assert!(out.iter().all(|&value| value == 1.0));
            }
        }
    }
}

#[test]
fn parts_of_a_sum_are_added_up() {
    let (rows, inner, columns) = (2, 50, 3);
    let (a, b) = (numbers(rows * inner, 5), numbers(inner * columns, 6));
    let (left, right) = (Matrix::new(&a, rows, inner), Matrix::new(&b, inner, columns));
    let parts = vector(rows * columns, |out| by_inner_parts(left, right, 3, out));
    let whole = vector(rows * columns, |out| multiply(left, right, out));
    for (found, expected) in parts.iter().zip(&whole) {
        assert!((found - expected).abs() < 1e-5);
    }
}

/// Sides of the random products at most.
const MOST: [usize; 3] = if cfg!(miri) { [9, 5, 40] } else { [200, 40, 3000] };

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 10 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn products_are_those_of_the_definition(
        rows in 1..MOST[0], inner in 1..MOST[1], columns in 1..MOST[2],
        transposes in any::<[bool; 2]>(), seed in any::<u32>(),
    ) {
        let (a, b) = (numbers(rows * inner, seed), numbers(inner * columns, seed ^ 77));
        let matrix = |values, rows, columns, transposed| if transposed {
            Matrix::new(values, columns, rows).transposed()
        } else {
            Matrix::new(values, rows, columns)
        };
        let (left, right) = (matrix(&a, rows, inner, transposes[0]), matrix(&b, inner, columns, transposes[1]));
        let out = vector(rows * columns, |out| multiply(left, right, out));
        for row in (0..rows).step_by(13).chain([rows - 1]) {
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
