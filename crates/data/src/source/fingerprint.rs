//! What distinguishes one collection of images from another.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// SHA-256 over shape, count and pixels of a collection of images, in hexadecimal.
///
/// Channels, height, width and count go in as 64-bit little-endian numbers, then the pixels of all
/// images in N·C·H·W order, one byte a value. Names and labels do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Sums up images of one shape.
    ///
    /// # Errors
    ///
    /// The first image's that cannot be had.
    pub fn of<E>(
        shape: [usize; 3],
        count: usize,
        images: impl Iterator<Item = Result<impl AsRef<[u8]>, E>>,
    ) -> Result<Self, E> {
        let mut sum = Sha256::new();
        for number in shape.into_iter().chain([count]) {
            sum.update((number as u64).to_le_bytes());
        }
        for image in images {
            sum.update(image?.as_ref());
        }
        Ok(Self::finished(sum))
    }

    /// Sums up bytes.
    pub(crate) fn of_bytes(bytes: impl Iterator<Item = u8>) -> Self {
        let mut sum = Sha256::new();
        sum.update(bytes.collect::<Vec<u8>>());
        Self::finished(sum)
    }

    fn finished(sum: Sha256) -> Self {
        Self(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The first eight digits, enough for a person to tell two apart.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_of_shape_count_and_pixels() {
        // printf '\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\5\6' | sha256sum
        let of = |shape, images: &[&[u8]]| {
            let Ok(found) = Fingerprint::of::<std::convert::Infallible>(shape, images.len(), images.iter().map(Ok));
            found
        };
        let found = of([1, 1, 2], &[&[5, 6]]);
        assert_eq!(
            found.to_string(),
            "69030c4a006f2defc8a697ab555c40f8d2acdf7fac07e74d02b5f6edb512e408"
        );
        assert_ne!(found, of([1, 2, 1], &[&[5, 6]]));
        assert_ne!(found, of([1, 1, 1], &[&[5], &[6]]));
        assert_ne!(found, of([1, 1, 2], &[&[6, 5]]));
    }
}
