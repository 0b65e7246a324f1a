//! Why a number cannot be computed.

/// What is wrong with the features or classes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// A feature is NaN or infinite.
    #[error("feature {column} of sample {row} is not finite")]
    NotFinite {
        /// The sample, from 0.
        row: usize,
        /// The feature, from 0.
        column: usize,
    },
    /// The values do not make a matrix.
    #[error("{values} values are no samples of {width} features each")]
    NotAMatrix {
        /// How many values there are.
        values: usize,
        /// How many features a sample should have.
        width: usize,
    },
    /// The two sets have different features.
    #[error("expected samples of {expected} features, found {found}")]
    OtherWidth {
        /// Features of the real samples.
        expected: usize,
        /// Features of the others.
        found: usize,
    },
    /// A set is too small for the number.
    #[error("{what} needs at least {least} samples, found {found}")]
    TooFew {
        /// The number.
        what: &'static str,
        /// The least samples.
        least: usize,
        /// The samples that there are.
        found: usize,
    },
}

/// Refuses a set that is too small.
pub(crate) fn at_least(what: &'static str, least: usize, found: usize) -> Result<(), MetricsError> {
    match found >= least {
        true => Ok(()),
        false => Err(MetricsError::TooFew { what, least, found }),
    }
}
