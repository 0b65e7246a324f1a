//! Terminals for the command to run in: what is drawn there, frame by frame, and what stands there in the end.

use std::{
    fs::File,
    io::Read,
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// The terminal does not become that of the suite's own process.
const O_NOCTTY: i32 = 0o400;

/// A terminal, from its window's side.
pub struct Terminal {
    near: OwnedFd,
    /// What the command is given.
    far: Option<File>,
    written: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// A terminal of so many columns.
    pub fn new(columns: u16) -> Self {
        let mut terminal = Self::unread(columns);
        let mut source = File::from(terminal.near.try_clone().unwrap());
        let sink = terminal.written.clone();
        terminal.reader = Some(thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The read fails when nobody has the terminal open any more.
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        }));
        terminal
    }

    /// A terminal whose window nobody looks at, and which can be closed by dropping it.
    pub fn unread(columns: u16) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let name = ptsname(&near, Vec::new()).unwrap().into_string().unwrap();
        let far = File::options()
            .read(true)
            .write(true)
            .custom_flags(O_NOCTTY)
            .open(name)
            .unwrap();
        let terminal = Self {
            near,
            far: Some(far),
            written: Arc::default(),
            reader: None,
        };
        terminal.resize(columns);
        terminal
    }

    pub fn resize(&self, columns: u16) {
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.near, size).unwrap();
    }

    /// Starts a command with standard output and error on this terminal.
    pub fn spawn(&self, command: &mut Command) -> Child {
        let far = || self.far.as_ref().unwrap().try_clone().unwrap();
        let known = command.get_envs().any(|(name, _)| name == "TERM");
        if !known {
            command.env("TERM", "xterm-256color");
        }
        let child = command.stdout(far()).stderr(far()).spawn().unwrap();
        // The command would keep the terminal open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        child
    }

    /// Runs a command to its end; gives its exit code and all that was written.
    pub fn run(mut self, command: &mut Command) -> (i32, Shown) {
        let status = self.spawn(command).wait().unwrap();
        (status.code().unwrap_or(-1), self.shown())
    }

    /// What has been written by now.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Waits until something has been written.
    pub fn wait_for(&self, part: &str) {
        let start = Instant::now();
        while !self.text().contains(part) {
            assert!(start.elapsed() < Duration::from_secs(120), "no {part}: {}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that was written, when nothing more comes.
    pub fn shown(&mut self) -> Shown {
        self.far = None;
        self.reader.take().unwrap().join().unwrap();
        Shown(self.text())
    }
}

/// What was written to a terminal.
pub struct Shown(pub String);

impl Shown {
    /// The lines of progress, one after the other: what stands between the ends of automatic wrapping.
    pub fn frames(&self) -> Vec<&str> {
        let frames = self.0.split("\u{1b}[?7l").skip(1);
        frames.map(|rest| rest.split("\u{1b}[?7h").next().unwrap()).collect()
    }

    /// What stands on the screen in the end, without colours.
    pub fn screen(&self) -> Vec<String> {
        let (mut rows, mut row, mut column) = (vec![Vec::new()], 0, 0);
        let mut rest = self.0.chars();
        while let Some(letter) = rest.next() {
            match letter {
                '\r' => column = 0,
                '\n' => {
                    row += 1;
                    if row == rows.len() {
                        rows.push(Vec::new());
                    }
                }
                '\u{1b}' => {
                    assert_eq!(rest.next(), Some('['));
                    match sequence(&mut rest).as_str() {
                        "J" => {
                            rows.truncate(row + 1);
                            rows[row].truncate(column);
                        }
                        "K" => rows[row].truncate(column),
                        "C" => column += 1,
                        colour if colour.ends_with('m') => {}
                        "?7l" | "?7h" => {}
                        other => panic!("an escape sequence that no test knows: {other}"),
                    }
                }
                letter => {
                    let length = rows[row].len().max(column + 1);
                    rows[row].resize(length, ' ');
                    rows[row][column] = letter;
                    column += 1;
                }
            }
        }
        rows.into_iter().map(|row| row.into_iter().collect()).collect()
    }
}

/// An escape sequence, up to its letter.
fn sequence(rest: &mut impl Iterator<Item = char>) -> String {
    let mut sequence = String::new();
    for letter in rest {
        sequence.push(letter);
        if letter.is_ascii_alphabetic() {
            break;
        }
    }
    sequence
}

/// The columns of a frame, without colours.
pub fn columns(frame: &str) -> usize {
    let row = Shown(frame.to_owned()).screen();
    row[0].chars().count()
}
