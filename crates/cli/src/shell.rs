//! What a system keeps beside a command: completions for shells, and manual pages.

use std::{io::Write, path::Path};

use clap::Command;
use clap_complete::Shell;
use ganvas_data::write_atomically;
use ganvas_training::counted;

use crate::{
    ended::Ended,
    output::{print_line, put},
};

/// `ganvas completions SHELL`
pub fn completions(mut command: Command, shell: Shell) -> anyhow::Result<Ended> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    put(format_args!("{}", String::from_utf8(script)?));
    Ok(Ended::Done)
}

/// `ganvas man DIR`
pub fn manual(command: Command, folder: &Path) -> anyhow::Result<Ended> {
    // `help` has nothing to say that the other pages do not, and what a program was built with is not a manual's matter.
    let mut command = command.disable_help_subcommand(true).long_version(None::<&str>);
    command.build();
    let pages = write_pages(&command, folder)?;
    print_line!(
        "{}: {}; read one with: man {}",
        counted(pages, "manual page"),
        folder.display(),
        folder.join("ganvas.1").display()
    );
    Ok(Ended::Done)
}

/// Writes the page of a command and of those below it; gives their number.
fn write_pages(command: &Command, folder: &Path) -> anyhow::Result<usize> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .source(concat!("ganvas ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    // clap_mangen's name for what stands after the options; ours are examples.
    let page = String::from_utf8(page)?.replace("\n.SH EXTRA\n", "\n.SH EXAMPLES\n");
    write_atomically(&folder.join(format!("{name}.1")), |file| {
        file.write_all(page.as_bytes())
    })?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages += write_pages(below, folder)?;
    }
    Ok(pages)
}
