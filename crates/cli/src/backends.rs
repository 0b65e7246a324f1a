//! `ganvas backends`

use crate::{exit::Ended, output::tell};

pub fn backends() -> anyhow::Result<Ended> {
    tell!("{:<10} {:<9} {:<9} what it is", "backend", "usable", "devices");
    for info in ganvas_backend::backends() {
        let usable = if info.compiled { "yes" } else { "no" };
        tell!(
            "{:<10} {usable:<9} {:<9} {}",
            info.kind.name(),
            info.devices.join(", "),
            info.description
        );
        if !info.compiled {
            tell!(
                "{:<30} not in this program; build with --features {}",
                "",
                info.kind.name()
            );
        }
    }
    Ok(Ended::Done)
}
