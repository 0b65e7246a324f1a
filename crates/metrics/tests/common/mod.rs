//! Features that the reference script computes too.

use ganvas_metrics::Features;

/// Numbers in 0..1: splitmix64 of salt + index.
pub fn uniform(salt: u64, count: u64) -> impl Iterator<Item = f64> {
    (salt..salt + count).map(|index| {
        let mut z = index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// A hill in each feature, wider and further from zero from feature to feature.
pub fn values(salt: u64, count: usize, width: usize) -> Vec<f64> {
    let uniform: Vec<f64> = uniform(salt, (3 * count * width) as u64).collect();
    let hills = uniform.chunks_exact(3).map(|three| three.iter().sum::<f64>() - 1.5);
    let scales = (0..width).map(|feature| 1.0 + feature as f64 / width as f64).cycle();
    hills.zip(scales).map(|(hill, scale)| hill * scale + scale).collect()
}

/// As features.
pub fn features(salt: u64, count: usize, width: usize) -> Features {
    mapped(salt, count, width, |value| value)
}

/// As features, each changed.
pub fn mapped(salt: u64, count: usize, width: usize, change: impl Fn(f64) -> f64) -> Features {
    let values = values(salt, count, width).into_iter().map(change).collect();
    Features::new(values, width).unwrap()
}

/// Holds a number to another within a share of it.
#[track_caller]
pub fn near(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs(),
        "expected {expected}, found {found}"
    );
}
