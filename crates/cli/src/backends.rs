//! `ganvas backends`

use ganvas_training::BackendSection;

use crate::{exit::Ended, output::print_line};

/// Wide enough for the longest name.
const NAME: usize = 10;

pub fn backends() -> anyhow::Result<Ended> {
    let default = BackendSection::default().kind;
    print_line!(
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
        print_line!("{:<NAME$} {usable:<8} {description}", format!("{name}{star}"));
        for line in lines {
            print_line!("{:<NAME$} {:<8} · {line}", "", "");
        }
    }
    print_line!("");
    print_line!("* is taken where an experiment names none; --backend FILE or --set backend.kind=NAME takes another.");
    Ok(Ended::Done)
}
