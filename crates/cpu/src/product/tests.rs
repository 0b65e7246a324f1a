//! Products against their definition.

use proptest::prelude::*;

use super::*;
use crate::memory::fresh;

fn numbers(count: usize, seed: u32) -> Vec<f32> {
    (0..count as u32)
        .map(|index| ((index.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) % 2001) as f32 / 1000.0 - 1.0)
        .collect()
}

#[test]
fn long_sums_in_parts_are_those_of_the_definition() {
    let (rows, inner, columns) = (5, 3 * INNER_PART + 17, 7);
    let (a, b) = (numbers(rows * inner, 1), numbers(inner * columns, 2));
    let mut out = vec![f32::NAN; rows * columns];
    multiply(
        Matrix::new(&a, rows, inner),
        Matrix::new(&b, columns, inner).transposed(),
        fresh(&mut out),
    );
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
fn products_do_not_depend_on_the_number_of_threads() {
    // Cut by columns, by rows, and along the sum.
    for (rows, inner, columns) in [(70, 90, 2100), (2100, 90, 70), (40, 5 * INNER_PART + 33, 50)] {
        let (a, b) = (numbers(rows * inner, 3), numbers(inner * columns, 4));
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut out = vec![f32::NAN; rows * columns];
            let (left, right) = (Matrix::new(&a, rows, inner), Matrix::new(&b, inner, columns));
            pool.install(|| multiply(left, right, fresh(&mut out)));
            out
        };
        let expected = on(1);
        for threads in [2, 3, 7] {
            assert!(on(threads) == expected, "{rows}×{inner}×{columns} on {threads} threads");
        }
    }
}

proptest! {
    #[test]
    fn products_are_those_of_the_definition(
        rows in 1_usize..200, inner in 1_usize..40, columns in 1_usize..3000,
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
