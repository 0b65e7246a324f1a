//! What is on the terminal: at most one line of progress, which steps aside for whatever else is written.
//!
//! The line is drawn without the terminal's automatic wrapping, and the cursor waits at its beginning. A terminal that becomes
//! narrower breaks what it shows into several rows; from the beginning all of them can be erased, however many they are.

use std::{
    io::{Write, stderr},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use ganvas_data::DatasetName;

use crate::{
    color, interrupt,
    progress_line::{ProgressLine, Unit},
};

/// How often the line is drawn again. The first time is so long after its beginning, so that what takes no time shows nothing.
const INTERVAL: Duration = Duration::from_millis(100);

/// How wide a terminal is taken to be that does not say it.
const USUAL_WIDTH: usize = 80;

const NO_WRAPPING: &str = "\u{1b}[?7l";
const WRAPPING: &str = "\u{1b}[?7h";
/// Erases what is to the right of the cursor and below.
const ERASE_BELOW: &str = "\u{1b}[J";
/// Erases the line from its beginning, and what is below. The rest is erased from its second column on: from the first column of
/// the first row, tmux takes it for a request to keep what stands there in its history.
const ERASE: &str = "\r\u{1b}[K\u{1b}[C\u{1b}[J\r";

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    lines: Vec::new(),
    drawn: None,
    is_ticking: false,
});

/// Wakes the thread that draws when there is nothing left to draw.
static EMPTY: Condvar = Condvar::new();

struct Screen {
    /// The newest is shown.
    lines: Vec<Arc<Mutex<ProgressLine>>>,
    /// What the terminal shows now.
    drawn: Option<String>,
    is_ticking: bool,
}

impl Screen {
    /// Brings the terminal up to date.
    fn draw(&mut self) {
        let Some(line) = self.lines.last() else {
            return self.erase();
        };
        let width = terminal_size::terminal_size_of(stderr()).map_or(USUAL_WIDTH, |(width, _)| width.0.into());
        let text = lock(line).render(width, color::on_stderr());
        // A line that a narrower terminal has broken into rows is another text now, so it is drawn again.
        let text = format!("\r{NO_WRAPPING}{text}{WRAPPING}{ERASE_BELOW}\r");
        if self.drawn.as_ref() != Some(&text) {
            write(&text);
            self.drawn = Some(text);
        }
    }

    fn erase(&mut self) {
        if self.drawn.take().is_some() {
            write(ERASE);
        }
    }
}

/// Nobody may be watching any more; that is no reason to stop.
fn write(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line of progress, on the screen until it is dropped; nothing where the terminal cannot draw one, or with `-q`.
pub struct Progress(Option<Arc<Mutex<ProgressLine>>>);

/// A bar that fills up to `total`.
pub fn progress(total: u64, what: impl Into<String>) -> Progress {
    show(ProgressLine::new(what, 0, Some(total), Unit::Things))
}

/// A sign that something is being done, where nobody knows how much there is of it.
pub fn spinner(what: impl Into<String>) -> Progress {
    show(ProgressLine::new(what, 0, None, Unit::Things))
}

/// The spinner while a data set is read or drawn.
pub fn loading(dataset: DatasetName) -> Progress {
    spinner(match dataset {
        DatasetName::Synthetic => "drawing digits".to_owned(),
        _ => format!("reading {dataset}"),
    })
}

/// A line that is never drawn.
pub fn nothing() -> Progress {
    Progress(None)
}

/// Puts a line on the screen.
pub fn show(line: ProgressLine) -> Progress {
    if !color::stderr_can_draw() || !tracing::enabled!(tracing::Level::INFO) {
        return Progress(None);
    }
    // Where that is not possible, Ctrl-C leaves the line where it is.
    let _ = interrupt::watch();
    let line = Arc::new(Mutex::new(line));
    let mut screen = lock(&SCREEN);
    screen.lines.push(line.clone());
    if !screen.is_ticking {
        screen.is_ticking = thread::Builder::new().spawn(tick).is_ok();
    }
    Progress(Some(line))
}

/// Draws until there is nothing left to draw.
fn tick() {
    let mut screen = lock(&SCREEN);
    loop {
        screen = match EMPTY.wait_timeout(screen, INTERVAL) {
            Ok((screen, _)) => screen,
            Err(poisoned) => poisoned.into_inner().0,
        };
        if screen.lines.is_empty() {
            screen.is_ticking = false;
            return;
        }
        screen.draw();
    }
}

impl Progress {
    /// Whether it is drawn at all.
    pub fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// So much is done by now.
    pub fn reach(&self, done: u64) {
        self.update(|line| line.position = done);
    }

    /// So much of so much is done by now.
    pub fn reach_of(&self, done: u64, total: u64) {
        self.update(|line| (line.position, line.total) = (done, Some(total)));
    }

    /// Changes the line; the screen follows.
    pub fn update(&self, change: impl FnOnce(&mut ProgressLine)) {
        if let Some(line) = &self.0 {
            change(&mut lock(line));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(line) = &self.0 {
            let mut screen = lock(&SCREEN);
            screen.lines.retain(|other| !Arc::ptr_eq(other, line));
            // A line below, if there is one, comes with the next tick.
            screen.erase();
            EMPTY.notify_all();
        }
    }
}

/// Does something while the line is off the screen. It must write only: logging comes back here and would wait for itself.
pub fn aside<T>(action: impl FnOnce() -> T) -> T {
    let mut screen = lock(&SCREEN);
    let was_drawn = screen.drawn.is_some();
    screen.erase();
    let result = action();
    if was_drawn {
        screen.draw();
    }
    result
}

/// Takes everything off the screen because the process ends now, unless that takes time: the terminal may be held up.
pub fn leave() {
    let (sender, receiver) = mpsc::channel();
    let erase = move || {
        let mut screen = lock(&SCREEN);
        screen.lines.clear();
        screen.erase();
        let _ = sender.send(());
    };
    if thread::Builder::new().spawn(erase).is_ok() {
        let _ = receiver.recv_timeout(INTERVAL);
    }
}
