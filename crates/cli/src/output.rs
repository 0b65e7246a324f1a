//! Words for the person, past closed pipes and full disks: nobody has to read them.

use std::{
    fmt::Arguments,
    io::{ErrorKind, Write, stderr, stdout},
    sync::Mutex,
    sync::PoisonError,
};

use anyhow::anyhow;

use crate::screen::aside;

/// Why something of standard output did not arrive, where somebody still waits for it.
static LOST: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// Writes to standard output, as `print!` does, but silently where that fails; [`delivered`] reports it.
pub fn put(text: Arguments<'_>) {
    let written = aside(|| {
        let mut stdout = stdout().lock();
        stdout.write_fmt(text).and_then(|()| stdout.flush())
    });
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            *LOST.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        // A reader that has left takes nothing away from what was done: `ganvas config show X | head -1` is no failure.
        _ => {}
    }
}

/// Whether all that was put on standard output is there, as far as somebody reads it.
///
/// # Errors
/// What kept it from there, such as a full disk.
pub fn delivered() -> anyhow::Result<()> {
    match LOST.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(anyhow!("cannot write to standard output: {error}")),
        None => Ok(()),
    }
}

/// A line on standard error, silently where nobody reads any more.
pub fn complain(text: &str) {
    // In one write, so that lines of several threads do not mix.
    let line = format!("{text}\n");
    let _ = aside(|| stderr().lock().write_all(line.as_bytes()));
}

/// A line on standard output that survives a closed pipe.
macro_rules! print_line {
    ($($argument:tt)*) => {
        $crate::output::put(format_args!("{}\n", format_args!($($argument)*)))
    };
}

pub(crate) use print_line;
