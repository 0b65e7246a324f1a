//! Ctrl-C and SIGTERM: the first asks, the second insists.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Listens from now on.
pub fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            // Files only ever get their final names when they are whole, so nothing is torn by leaving here. At once, without
            // what the libraries do at a process's end: libtorch takes apart what the training's thread still computes with.
            crate::outputs::remove_pending();
            signal_hook::low_level::exit(130);
        }
        crate::screen::say("stopping after this step and saving; once more to stop at once");
    })
    .context("cannot listen for Ctrl-C")
}

/// True once somebody asked.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
