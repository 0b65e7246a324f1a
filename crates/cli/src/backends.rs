//! `ganvas backends`

use ganvas_backend::{BackendError, BackendReport, Selected};
use ganvas_training::BackendSection;
use serde::Serialize;

use crate::{args::BackendsArguments, ended::Ended, output::print_line};

/// The backend and the device that a configuration names.
pub fn select(section: &BackendSection) -> Result<Selected, BackendError> {
    ganvas_backend::select(section.kind.parse()?, &section.device)
}

/// Wide enough for the longest name.
const NAME: usize = 10;

/// What `ganvas backends --json` prints.
#[derive(Serialize)]
struct Document<'a> {
    /// The backend that is taken where an experiment names none.
    default: &'a str,
    backends: Vec<Backend<'a>>,
}

#[derive(Serialize)]
struct Backend<'a> {
    name: &'a str,
    description: &'a str,
    default: bool,
    /// Whether this program was built with it.
    compiled: bool,
    /// Whether this machine has what it needs, too.
    usable: bool,
    /// Why it cannot be used; `null` where it can.
    reason: Option<String>,
    /// Whether this program has fused kernels for it, on processors.
    fused_kernels: bool,
    /// The default one first.
    devices: Vec<Device<'a>>,
}

#[derive(Serialize)]
struct Device<'a> {
    name: &'a str,
    description: &'a str,
    /// Whether it claims to be a GPU and computes on the processor.
    software: bool,
}

pub fn backends(arguments: &BackendsArguments) -> anyhow::Result<Ended> {
    let default = BackendSection::default().kind;
    let reports = ganvas_backend::backends();
    if arguments.json {
        let document = Document {
            default: &default,
            backends: reports.iter().map(|report| backend(report, &default)).collect(),
        };
        print_line!("{}", serde_json::to_string(&document)?);
        return Ok(Ended::Done);
    }
    print_line!(
        "{:<NAME$} {:<8} what it is, and its devices, the default one first",
        "backend",
        "usable"
    );
    for report in &reports {
        let name = report.kind.name();
        let (usable, lines) = match &report.devices {
            Some(Ok(devices)) => ("yes", devices.iter().map(ToString::to_string).collect()),
            _ => ("no", reason(report).into_iter().collect::<Vec<_>>()),
        };
        let star = if name == default { "*" } else { "" };
        let description = report.kind.description();
        print_line!("{:<NAME$} {usable:<8} {description}", format!("{name}{star}"));
        for line in lines {
            print_line!("{:<NAME$} {:<8} · {line}", "", "");
        }
    }
    print_line!("");
    print_line!("* is taken where an experiment names none; --backend FILE or --set backend.kind=NAME takes another.");
    Ok(Ended::Done)
}

fn backend<'a>(report: &'a BackendReport, default: &str) -> Backend<'a> {
    let name = report.kind.name();
    let devices = match &report.devices {
        Some(Ok(devices)) => devices.as_slice(),
        _ => &[],
    };
    Backend {
        name,
        description: report.kind.description(),
        default: name == default,
        compiled: report.devices.is_some(),
        usable: matches!(report.devices, Some(Ok(_))),
        reason: reason(report),
        fused_kernels: report.kind.is_compiled() && report.kind.has_fused_kernels(),
        devices: devices
            .iter()
            .map(|device| Device {
                name: &device.name,
                description: &device.description,
                software: device.software,
            })
            .collect(),
    }
}

/// Why a backend cannot be used.
fn reason(report: &BackendReport) -> Option<String> {
    let name = report.kind.name();
    match &report.devices {
        None => Some(format!("not in this program; build it with --features {name}")),
        Some(Err(reason)) => Some(reason.clone()),
        Some(Ok(_)) => None,
    }
}
