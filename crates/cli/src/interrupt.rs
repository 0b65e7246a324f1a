//! Ctrl-C, SIGTERM and SIGHUP: the first asks, the second insists.

use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context, anyhow};

/// Whether there is something to save. Without that, the first signal ends the process.
static SAVES: AtomicBool = AtomicBool::new(false);

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on the first signal asks to save.
///
/// What the parent process set to be ignored stays ignored: `nohup` does it with SIGHUP, and a shell without job control with
/// SIGINT for what it starts in the background.
pub fn listen() -> anyhow::Result<()> {
    SAVES.store(true, Ordering::SeqCst);
    watch().context("cannot listen for Ctrl-C")
}

/// True once somebody asked.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// From now on, what is drawn on the terminal is erased when a signal ends the process.
pub fn watch() -> anyhow::Result<()> {
    static WATCHED: OnceLock<Result<(), io::Error>> = OnceLock::new();
    match WATCHED.get_or_init(signals::watch) {
        Ok(()) => Ok(()),
        Err(error) => Err(anyhow!("{error}")),
    }
}

/// The first time.
fn ask() {
    ASKED.store(true, Ordering::SeqCst);
    // Beside this thread, which must hear the second signal also where the terminal is held up and the words have to wait.
    let say = || crate::output::complain("stopping after this step and saving; once more to stop at once");
    let _ = thread::Builder::new().spawn(say);
}

/// The second time.
fn insist() -> ! {
    crate::screen::leave();
    crate::outputs::remove_pending();
    // Files only ever get their final names when they are whole, so nothing is torn by leaving here. At once, without
    // what the libraries do at a process's end: libtorch takes apart what the training's thread still computes with.
    signal_hook::low_level::exit(130)
}

#[cfg(unix)]
mod signals {
    use std::{
        ffi::c_int,
        io, ptr,
        sync::atomic::Ordering,
        thread,
        time::{Duration, Instant},
    };

    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };

    /// The same signal so soon again is the same wish: `timeout` sends its own to the process and then to the group that it is in.
    const SAME: Duration = Duration::from_millis(50);

    pub fn watch() -> io::Result<()> {
        let heard = [SIGINT, SIGTERM, SIGHUP]
            .into_iter()
            .filter(|&signal| !is_ignored(signal));
        let mut signals = Signals::new(heard)?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let mut first: Option<(c_int, Instant)> = None;
            for signal in signals.forever() {
                if !super::SAVES.load(Ordering::SeqCst) {
                    crate::screen::leave();
                    crate::outputs::remove_pending();
                    // Whoever started the process sees that a signal ended it.
                    let _ = emulate_default_handler(signal);
                }
                match first {
                    None => {
                        first = Some((signal, Instant::now()));
                        super::ask();
                    }
                    // A terminal that is closed says so twice, by its shell and by the system. Nobody insists there.
                    Some(_) if signal == SIGHUP => {}
                    Some((same, at)) if signal == same && at.elapsed() < SAME => {}
                    Some(_) => super::insist(),
                }
            }
        })?;
        Ok(())
    }

    /// Whether the process was started with a signal ignored.
    fn is_ignored(signal: c_int) -> bool {
        // SAFETY: a struct of integers and pointers, for which zeros are a value; the call only writes the present action there.
        #[allow(unsafe_code)] // The standard library has no way to ask.
        unsafe {
            let mut present: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, ptr::null(), &raw mut present) == 0 && present.sa_sigaction == libc::SIG_IGN
        }
    }
}

#[cfg(not(unix))]
mod signals {
    use std::{io, sync::atomic::Ordering};

    pub fn watch() -> io::Result<()> {
        ctrlc::set_handler(|| match super::SAVES.load(Ordering::SeqCst) && !super::asked() {
            true => super::ask(),
            false => super::insist(),
        })
        .map_err(io::Error::other)
    }
}
