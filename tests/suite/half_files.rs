//! What a signal leaves of files that were being written: nothing.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{desk::Desk, outputs::trained};

/// A process that does not outlive a test that fails.
struct Guarded(Child);

impl Guarded {
    /// Asks again and again, for two minutes at most.
    fn until<T>(&mut self, what: &str, mut ask: impl FnMut(&mut Child) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask(&mut self.0) {
                return answer;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "{what} took two minutes");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a command so many Ctrl-C as soon as so many bytes of a file are there, and sees that it leaves nothing.
fn interrupt(desk: &Desk, arguments: &[&str], (file, bytes): (&str, u64), signals: usize) {
    let command = &mut desk.command(arguments);
    let mut child = Guarded(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let part = format!(".{file}.");
    child.until("the file", |child| {
        assert!(
            child.try_wait().unwrap().is_none(),
            "{arguments:?} ended before it was seen"
        );
        let mut entries = fs::read_dir(desk.folder.path()).unwrap().flatten();
        let is_begun = entries.any(|entry| {
            let is_part = entry.file_name().to_string_lossy().starts_with(&part);
            is_part && entry.metadata().is_ok_and(|file| file.len() >= bytes)
        });
        is_begun.then_some(())
    });
    let kill = format!("kill -INT {0}; ", child.0.id()).repeat(signals);
    Command::new("sh").args(["-c", &kill]).status().unwrap();
    let ended = child.until("the end", |child| child.try_wait().unwrap());
    // What a shell shows as 130.
    assert_eq!(ended.signal(), Some(2), "{ended}");
    let mut names: Vec<_> = fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["run", "tiny.toml"], "{arguments:?} after {signals}");
}

#[test]
fn ctrl_c_leaves_no_half_file() {
    let desk = trained();
    let images = ["generate", "run", "--count", "4000000000", "--out", "big.npy"];
    let images = [&images[..], &["--save-noise", "noise.npy"]].concat();
    // Nothing is drawn here, where standard error is no terminal, and there is nothing to save: only the file makes it listen.
    let picture = ["data", "preview", "synthetic", "--count", "10000", "--out", "big.png"];
    for signals in [1, 2] {
        interrupt(&desk, &images, ("big.npy", 100_000), signals);
        interrupt(&desk, &picture, ("big.png", 0), signals);
    }
}
