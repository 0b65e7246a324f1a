//! Logs to standard error, past the progress bar.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Starts the log: `RUST_LOG` where it is set, else by `-v` and `-q`.
pub fn start(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "warn",
        (false, 0) => "warn,ganvas=info,ganvas_training=info,ganvas_data=info,ganvas_backend=info",
        (false, 1) => "info,ganvas=debug,ganvas_training=debug,ganvas_data=debug,ganvas_backend=debug",
        (false, _) => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let terminal = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(verbose > 0)
        .with_ansi(terminal)
        .with_writer(PastTheBar);
    // Whoever sits before a terminal knows what time it is; whoever reads a file later does not.
    if terminal {
        log.without_time().init();
    } else {
        log.init();
    }
}

/// Writes to standard error while the progress bar steps aside.
struct PastTheBar;

impl Write for PastTheBar {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        crate::screen::aside(|| io::stderr().write_all(buffer))?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for PastTheBar {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}
