//! Programs that xtask starts, and that end when it is asked to end.

use std::{
    process::{Child, Command},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;

/// The programs that run now, by process number.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// From now on Ctrl-C, SIGTERM and SIGHUP end what runs, and then xtask.
pub fn end_with_us() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        for &number in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            end(number);
        }
        eprintln!("\nstopped");
        std::process::exit(INTERRUPTED);
    })
    .context("cannot listen for Ctrl-C")
}

/// A program that ends when xtask is asked to.
pub struct Running {
    /// The program.
    pub child: Child,
}

impl Running {
    /// Starts a program.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        // A group of its own, so that what it starts (compilers, tests, the runs that tests make) can be ended with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        // Held over the start, so that a signal in between finds the number.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        running.push(child.id());
        Ok(Self { child })
    }

    /// Asks it to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        interrupt(self.child.id());
    }

    /// Waits for its end; true where it was a success.
    pub fn wait(mut self) -> anyhow::Result<bool> {
        Ok(self.child.wait().context("cannot wait for a program")?.success())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let number = self.child.id();
        RUNNING
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|&other| other != number);
    }
}

/// Ends a program and all that it has started.
#[cfg(unix)]
fn end(number: u32) {
    send(number, rustix::process::Signal::TERM);
}

#[cfg(unix)]
fn interrupt(number: u32) {
    send(number, rustix::process::Signal::INT);
}

#[cfg(unix)]
fn send(number: u32, signal: rustix::process::Signal) {
    let group = i32::try_from(number).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // One that has ended already cannot be ended, which is well.
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// Windows has no such signal for one program; it goes on to its end.
#[cfg(not(unix))]
fn interrupt(_number: u32) {}

/// Windows sends Ctrl-C to everything in the console by itself.
#[cfg(not(unix))]
fn end(_number: u32) {}
