//! What is on the terminal: at most one progress bar, which steps aside for whatever else is written.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

/// The bar that is on the screen now.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Does something while the bar is off the screen.
pub fn aside<T>(action: impl FnOnce() -> T) -> T {
    // Cloned out of the lock: the action may log, and logging comes back here.
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(action),
        None => action(),
    }
}

/// Says something on standard error, whatever the log level.
pub fn say(text: &str) {
    aside(|| crate::output::complain(text));
}

/// Puts a bar on the screen.
pub fn show(bar: &ProgressBar) {
    *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
}

/// Takes the bar off the screen.
pub fn hide() {
    if let Some(bar) = BAR.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

/// A style from a template, or indicatif's own where the template is wrong.
pub fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
