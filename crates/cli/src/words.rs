//! Times, sizes and numbers as a person says them.

/// Seconds as a person says them: `42 s`, `3 min 05 s`, `2 h 10 min`.
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Bytes as a person says them: `512 B`, `29 kB`, `9.9 MB`.
pub fn bytes(count: u64) -> String {
    match count {
        0..1000 => format!("{count} B"),
        1000..1_000_000 => format!("{} kB", count / 1000),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

/// A measured number in four significant digits: `0.6931`, `12.35`, `2601`, `3.100e-9`.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    match value.abs().log10().floor() as i32 {
        magnitude @ -5..12 => format!("{value:.*}", usize::try_from(3 - magnitude).unwrap_or(0)),
        _ => format!("{value:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_two_units_or_two_digits() {
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(185), "3 min 05 s");
        assert_eq!(duration(7_800), "2 h 10 min");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(28_881), "28 kB");
        assert_eq!(bytes(9_912_422), "9.9 MB");
        assert_eq!(bytes(2_500_000_000), "2.5 GB");
    }

    #[test]
    fn numbers_have_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (0.512_345, "0.5123"),
            (-12.345_6, "-12.35"),
            (2601.123, "2601"),
            (48_000.0, "48000"),
            (0.000_123_456, "0.0001235"),
            (3.1e-9, "3.100e-9"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
