//! `ganvas backends`

use ganvas_training::BackendSection;

use crate::{exit::Ended, output::tell};

/// Wide enough for the longest name.
const NAME: usize = 10;

pub fn backends() -> anyhow::Result<Ended> {
    let default = BackendSection::default().kind;
    tell!(
        "{:<NAME$} {:<8} what it is, and its devices, the default one first",
        "backend",
        "usable"
    );
    for report in ganvas_backend::backends() {
        let name = report.kind.name();
        let (usable, lines) = match &report.devices {
            None => (
                "no",
                vec![format!("not in this program; build it with --features {name}")],
            ),
            Some(Err(reason)) => ("no", vec![reason.clone()]),
            Some(Ok(devices)) => ("yes", devices.iter().map(ToString::to_string).collect()),
        };
        let star = if name == default { "*" } else { "" };
        let description = report.kind.description();
        tell!("{:<NAME$} {usable:<8} {description}", format!("{name}{star}"));
        for line in lines {
            tell!("{:<NAME$} {:<8} · {line}", "", "");
        }
    }
    tell!("");
    tell!("* is taken where an experiment names none; --backend FILE or --set backend.kind=NAME takes another.");
    Ok(Ended::Done)
}
