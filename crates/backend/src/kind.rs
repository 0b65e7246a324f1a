//! The backends by name.

use std::str::FromStr;

use crate::BackendError;

/// A backend that ganvas knows, compiled in or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BackendKind {
    /// burn-ndarray: pure Rust, compiles fast.
    Ndarray,
    /// burn-flex: pure Rust, the successor of burn-ndarray.
    Flex,
}

impl BackendKind {
    /// Every backend.
    pub const ALL: [Self; 2] = [Self::Ndarray, Self::Flex];

    /// The name in TOML files, which is also the cargo feature's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndarray => "ndarray",
            Self::Flex => "flex",
        }
    }

    /// True where this program was built with it.
    pub const fn is_compiled(self) -> bool {
        match self {
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Flex => cfg!(feature = "flex"),
        }
    }

    /// What it is, in one line.
    const fn description(self) -> &'static str {
        match self {
            Self::Ndarray => "pure Rust on the processor (burn-ndarray), compiles soonest",
            Self::Flex => "pure Rust on the processor (burn-flex), trains fastest; the default",
        }
    }
}

impl FromStr for BackendKind {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| BackendError::UnknownKind {
                found: name.to_owned(),
                expected: names(Self::ALL),
                nearest: Self::ALL
                    .into_iter()
                    .map(|kind| (strsim::damerau_levenshtein(name, kind.name()), kind.name()))
                    .min()
                    .filter(|&(distance, _)| distance <= 2)
                    .map(|(_, nearest)| nearest.to_owned()),
            })
    }
}

/// A backend as `ganvas backends` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendInfo {
    /// Which.
    pub kind: BackendKind,
    /// Whether this program was built with it.
    pub compiled: bool,
    /// What it is, in one line.
    pub description: &'static str,
    /// The devices it offers.
    pub devices: Vec<String>,
}

/// Every backend that ganvas knows.
pub fn backends() -> Vec<BackendInfo> {
    BackendKind::ALL
        .into_iter()
        .map(|kind| BackendInfo {
            kind,
            compiled: kind.is_compiled(),
            description: kind.description(),
            devices: vec!["cpu".to_owned()],
        })
        .collect()
}

/// Names for a message: `a`, `b`.
pub(crate) fn names(kinds: impl IntoIterator<Item = BackendKind>) -> String {
    let quoted: Vec<String> = kinds.into_iter().map(|kind| format!("`{}`", kind.name())).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_their_kinds() {
        for kind in BackendKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }

    #[test]
    fn a_slip_in_the_name_is_answered_with_the_right_one() {
        let error = "ndaray".parse::<BackendKind>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown backend `ndaray`, expected one of `ndarray`, `flex`; did you mean `ndarray`?"
        );
    }
}
