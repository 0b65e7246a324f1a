//! Ctrl-C, SIGTERM and SIGHUP: the first asks, the second insists.

use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::anyhow;

static ASKED: AtomicBool = AtomicBool::new(false);

/// What to do before a signal ends the process.
static TIDY: OnceLock<&[fn()]> = OnceLock::new();

/// How to say that the first signal was heard, once there is something to save. Without that, it ends the process.
static SAY: OnceLock<fn(&str)> = OnceLock::new();

/// What is done, in this order, before a signal ends the process, once something [`watch`]es for signals.
pub fn tidy_up_by(actions: &'static [fn()]) {
    let _ = TIDY.set(actions);
}

/// From now on the first signal asks to save; `say` tells the person so.
///
/// What the parent process set to be ignored stays ignored: `nohup` does it with SIGHUP, and a shell without job control with
/// SIGINT for what it starts in the background.
pub fn listen(say: fn(&str)) -> anyhow::Result<()> {
    let _ = SAY.set(say);
    watch()
}

/// True once somebody asked.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// From now on, a signal that ends the process finds everything tidied up first ([`tidy_up_by`]).
pub fn watch() -> anyhow::Result<()> {
    static WATCHED: OnceLock<Result<(), io::Error>> = OnceLock::new();
    match WATCHED.get_or_init(signals::watch) {
        Ok(()) => Ok(()),
        Err(error) => Err(anyhow!("cannot listen for Ctrl-C: {error}")),
    }
}

/// The first time.
fn ask(say: fn(&str)) {
    ASKED.store(true, Ordering::SeqCst);
    // Beside this thread, which must hear the second signal also where the terminal is held up and the words have to wait.
    let say = move || say("stopping after this step and saving; once more to stop at once");
    let _ = thread::Builder::new().spawn(say);
}

fn tidy_up() {
    TIDY.get().copied().unwrap_or_default().iter().for_each(|act| act());
}

/// The second time.
fn insist() -> ! {
    tidy_up();
    // Files only ever get their final names when they are whole, so nothing is torn by leaving here. At once, without
    // what the libraries do at a process's end: libtorch takes apart what the training's thread still computes with.
    signal_hook::low_level::exit(130)
}

#[cfg(unix)]
mod signals {
    use std::{
        ffi::c_int,
        io, ptr, thread,
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
                let Some(&say) = super::SAY.get() else {
                    super::tidy_up();
                    // Whoever started the process sees that a signal ended it.
                    let _ = emulate_default_handler(signal);
                    continue;
                };
                match first {
                    None => {
                        first = Some((signal, Instant::now()));
                        super::ask(say);
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
    use std::io;

    pub fn watch() -> io::Result<()> {
        ctrlc::set_handler(|| match super::SAY.get() {
            Some(&say) if !super::asked() => super::ask(say),
            _ => super::insist(),
        })
        .map_err(io::Error::other)
    }
}
