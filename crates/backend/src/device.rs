//! The devices of a backend by name.

use std::fmt::{Display, Formatter};

use crate::{BackendError, BackendKind};

/// The name that takes whatever the backend thinks best.
pub const DEFAULT_DEVICE: &str = "default";

/// A device as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What a TOML file says, such as `cpu`, `cuda:0` or `discrete:0`.
    pub name: String,
    /// What it is, such as the adapter's name.
    pub description: String,
    /// True for an adapter that claims to be a GPU and computes on the processor.
    pub software: bool,
}

impl DeviceInfo {
    /// A device whose name says it all.
    #[allow(dead_code)] // Not called where no backend, or only graphics, is compiled in.
    pub(crate) fn plain(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            software: false,
        }
    }
}

impl Display for DeviceInfo {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self.description.as_str() {
            "" => formatter.write_str(&self.name),
            description => write!(formatter, "{} ({description})", self.name),
        }
    }
}

/// The devices that a backend has now, the default one first; or why it cannot be used.
pub(crate) type Devices<D> = Result<Vec<(D, DeviceInfo)>, String>;

/// What a backend has that computes on the processor and nowhere else.
#[allow(dead_code, clippy::unnecessary_wraps)] // Not called in every build; as the other backends have it.
pub(crate) fn only_cpu<D>(device: D) -> Devices<D> {
    Ok(vec![(device, DeviceInfo::plain("cpu"))])
}

/// Finds a device by its name, or the first for [`DEFAULT_DEVICE`]; `cuda` stands for `cuda:0`.
pub(crate) fn pick<D>(kind: BackendKind, name: &str, devices: Devices<D>) -> Result<(D, DeviceInfo), BackendError> {
    let devices = devices.map_err(|reason| BackendError::Unusable {
        kind: kind.name(),
        reason,
    })?;
    let known: Vec<String> = devices.iter().map(|(_, info)| info.name.clone()).collect();
    devices
        .into_iter()
        .find(|(_, info)| name == DEFAULT_DEVICE || info.name == name || info.name == format!("{name}:0"))
        .ok_or_else(|| BackendError::UnknownDevice {
            kind: kind.name(),
            found: name.to_owned(),
            expected: [DEFAULT_DEVICE]
                .into_iter()
                .chain(known.iter().map(String::as_str))
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick_of(name: &str, devices: &[&str]) -> Result<usize, BackendError> {
        let named = |(at, name): (usize, &&str)| (at, DeviceInfo::plain(*name));
        pick(
            BackendKind::Libtorch,
            name,
            Ok(devices.iter().enumerate().map(named).collect()),
        )
        .map(|(at, _)| at)
    }

    #[test]
    fn devices_are_found_by_name() {
        let devices = ["cpu", "cuda:0", "cuda:1"];
        assert_eq!(pick_of("default", &devices), Ok(0));
        assert_eq!(pick_of("cuda:1", &devices), Ok(2));
        assert_eq!(pick_of("cuda", &devices), Ok(1));
    }

    #[test]
    fn an_unknown_device_is_answered_with_those_that_are_there() {
        let error = pick_of("mps", &["cpu", "cuda:0"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "backend `libtorch` has no device `mps` here, expected one of `default`, `cpu`, `cuda:0`"
        );
    }

    #[test]
    fn a_backend_that_cannot_be_used_says_why() {
        let error = pick::<()>(BackendKind::Wgpu, "default", Err("no adapter".into())).unwrap_err();
        assert_eq!(error.to_string(), "backend `wgpu` cannot be used: no adapter");
    }
}
