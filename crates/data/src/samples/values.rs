//! What the numbers of a file stand for: which of them is black, and which is white.

use std::fmt;
use std::str::FromStr;

use crate::denormalize;

/// How numbers of a file stand for brightness, from black to white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueRange {
    /// 0 to 255, as bytes have it.
    Bytes,
    /// 0 to 1, the range of a sigmoid.
    Unit,
    /// −1 to 1, the range of a tanh.
    Symmetric,
}

/// A word that names no [`ValueRange`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown range `{0}`; expected 0..255, 0..1 or -1..1")]
pub struct UnknownRange(pub String);

impl ValueRange {
    /// All ranges.
    pub const ALL: [Self; 3] = [Self::Bytes, Self::Unit, Self::Symmetric];

    /// As people write it: `0..255`, `0..1`, `-1..1`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "0..255",
            Self::Unit => "0..1",
            Self::Symmetric => "-1..1",
        }
    }

    /// The byte from 0 (black) to 255 (white) that comes nearest to a number of this range; what lies outside is cut off.
    #[must_use]
    pub fn to_byte(self, value: f64) -> u8 {
        match self {
            // Rust's conversion saturates.
            Self::Bytes => value.round() as u8,
            Self::Unit => (value * 255.0).round() as u8,
            // In 32 bits, because real images and those of our generators become bytes this way.
            Self::Symmetric => denormalize(value as f32),
        }
    }
}

impl fmt::Display for ValueRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ValueRange {
    type Err = UnknownRange;

    /// Reads a range as [`ValueRange::as_str`] writes it.
    fn from_str(text: &str) -> Result<Self, UnknownRange> {
        let known = Self::ALL.into_iter().find(|range| range.as_str() == text.trim());
        known.ok_or_else(|| UnknownRange(text.to_owned()))
    }
}

/// How far a number may lie beyond 0..1: what is left of rounding when images were scaled or averaged.
const UNIT_SLACK: f64 = 1e-3;

/// How far a number may lie beyond −1..1. Wider, because images that were enlarged or turned overshoot a little.
const SYMMETRIC_SLACK: f64 = 1e-2;

/// Floats that reach beyond this, and never below 0, can only be bytes.
const SURELY_BYTES: f64 = 1.5;

/// The least and the largest of many numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extremes {
    least: f64,
    largest: f64,
}

impl Extremes {
    /// Those of no numbers at all.
    pub(super) const NONE: Self = Self {
        least: f64::INFINITY,
        largest: f64::NEG_INFINITY,
    };

    /// Takes a number in.
    pub(super) fn include(&mut self, value: f64) {
        self.least = self.least.min(value);
        self.largest = self.largest.max(value);
    }

    /// What whole numbers between these extremes stand for; `None` if they do not fit bytes.
    pub(super) fn range_of_integers(self) -> Option<ValueRange> {
        self.are_within(0.0, 255.0).then_some(ValueRange::Bytes)
    }

    /// What floats between these extremes stand for; `None` if they fit no range, as those of images that were standardized
    /// to a mean of 0 and a variance of 1.
    pub(super) fn range_of_floats(self) -> Option<ValueRange> {
        if self.are_within(-UNIT_SLACK, 1.0 + UNIT_SLACK) {
            Some(ValueRange::Unit)
        } else if self.least < -UNIT_SLACK && self.are_within(-1.0 - SYMMETRIC_SLACK, 1.0 + SYMMETRIC_SLACK) {
            Some(ValueRange::Symmetric)
        } else if self.largest > SURELY_BYTES && self.are_within(0.0, 255.0) {
            Some(ValueRange::Bytes)
        } else {
            None
        }
    }

    fn are_within(self, low: f64, high: f64) -> bool {
        low <= self.least && self.largest <= high
    }
}

impl fmt::Display for Extremes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", short(self.least), short(self.largest))
    }
}

/// A number with about four digits.
fn short(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize;

    fn extremes(least: f64, largest: f64) -> Extremes {
        let mut extremes = Extremes::NONE;
        for value in [0.5, largest, least] {
            extremes.include(value);
        }
        extremes
    }

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for range in ValueRange::ALL {
            assert_eq!(range.to_string().parse::<ValueRange>(), Ok(range));
        }
        assert_eq!(" 0..1 ".parse::<ValueRange>(), Ok(ValueRange::Unit));
        let error = "0..2".parse::<ValueRange>().unwrap_err().to_string();
        assert!(
            error.contains("`0..2`") && error.contains("0..255, 0..1 or -1..1"),
            "{error}"
        );
    }

    #[test]
    fn every_byte_comes_back_from_every_range() {
        for byte in 0..=u8::MAX {
            assert_eq!(ValueRange::Bytes.to_byte(f64::from(byte)), byte);
            assert_eq!(ValueRange::Unit.to_byte(f64::from(byte) / 255.0), byte);
            assert_eq!(ValueRange::Unit.to_byte(f64::from(f32::from(byte) / 255.0)), byte);
            assert_eq!(ValueRange::Symmetric.to_byte(f64::from(normalize(byte))), byte);
        }
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        for (range, low, high) in [
            (ValueRange::Bytes, -1.0, 256.0),
            (ValueRange::Unit, -0.1, 1.1),
            (ValueRange::Symmetric, -1.1, 1.1),
        ] {
            assert_eq!((range.to_byte(low), range.to_byte(high)), (0, 255));
            assert_eq!((range.to_byte(-1e300), range.to_byte(1e300)), (0, 255));
        }
    }

    #[test]
    fn symmetric_numbers_become_bytes_as_those_of_generators_do() {
        for step in -1000..=1000 {
            let value = step as f32 / 1000.0;
            assert_eq!(ValueRange::Symmetric.to_byte(f64::from(value)), denormalize(value));
        }
    }

    #[test]
    fn floats_show_their_range() {
        for (least, largest, range) in [
            (0.0, 1.0, Some(ValueRange::Unit)),
            (0.5, 0.5, Some(ValueRange::Unit)),
            (-0.0009, 1.0009, Some(ValueRange::Unit)),
            (-1.0, 1.0, Some(ValueRange::Symmetric)),
            (-0.0011, 0.8, Some(ValueRange::Symmetric)),
            (-1.009, 1.009, Some(ValueRange::Symmetric)),
            (0.0, 255.0, Some(ValueRange::Bytes)),
            (0.0, 1.6, Some(ValueRange::Bytes)),
            (0.0, 1.4, None),
            (0.0, 256.0, None),
            (-0.5, 255.0, None),
            (-1.02, 1.0, None),
            (-3.0, 3.0, None),
            (-0.4242, 2.8215, None),
        ] {
            assert_eq!(
                extremes(least, largest).range_of_floats(),
                range,
                "{least} to {largest}"
            );
        }
        assert_eq!(Extremes::NONE.range_of_floats(), Some(ValueRange::Unit));
    }

    #[test]
    fn integers_are_bytes_or_nothing() {
        assert_eq!(extremes(0.0, 1.0).range_of_integers(), Some(ValueRange::Bytes));
        assert_eq!(extremes(0.0, 255.0).range_of_integers(), Some(ValueRange::Bytes));
        assert_eq!(extremes(-1.0, 1.0).range_of_integers(), None);
        assert_eq!(extremes(0.0, 256.0).range_of_integers(), None);
    }

    #[test]
    fn extremes_are_written_in_short() {
        assert_eq!(extremes(-3.0, 2.821_489).to_string(), "-3 to 2.8215");
        assert_eq!(extremes(0.0, 1e20).to_string(), "0 to 1.000e20");
        assert_eq!(extremes(-1e-7, 255.0).to_string(), "-1.000e-7 to 255");
    }
}
