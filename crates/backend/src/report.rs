//! What can be used here.

use crate::{BackendKind, DeviceInfo, run::devices};

/// A backend as `ganvas backends` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendReport {
    /// Which.
    pub kind: BackendKind,
    /// Its devices, the default one first; `None` where this program was built without it, an error where this machine
    /// lacks what it needs.
    pub devices: Option<Result<Vec<DeviceInfo>, String>>,
}

/// Every backend that ganvas knows. Asks drivers, which may take a moment.
pub fn backends() -> Vec<BackendReport> {
    BackendKind::ALL
        .into_iter()
        .map(|kind| BackendReport {
            kind,
            devices: devices(kind),
        })
        .collect()
}
