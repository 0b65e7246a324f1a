//! Readers that leave, and disks that are full: nobody has to read what is said.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::{
    desk::{Desk, wait_for_steps},
    pty::Terminal,
};

const WHOLE: &str = "checkpoints/step-000006/generator.safetensors";

#[test]
fn a_training_goes_on_when_nobody_reads_its_log() {
    let desk = Desk::new();
    // The last reports much more than one line after the reader has left.
    for (number, typed) in [&[][..], &["-q"], &["-vv"], &["--color", "always"]]
        .into_iter()
        .enumerate()
    {
        let out = format!("run-{number}");
        let arguments = [&["train", "tiny.toml", "--out", &out][..], typed].concat();
        let mut child = desk
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        if typed != ["-q"] {
            stderr.read_line(&mut String::new()).unwrap();
        }
        drop(stderr);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("trained 6 steps"));
        assert!(desk.path(&out).join(WHOLE).is_file());
    }
}

#[test]
fn exit_codes_are_true_when_nobody_reads_anything() {
    let desk = Desk::new();
    let forged = "optimizer.generator.learning_rate=1e38";
    let set = ["--set", forged];
    for (arguments, expected) in [
        (&["train", "tiny.toml", "--out", "run"][..], 0),
        (&["train", "tiny.toml", "--out", "run"], 2),
        (&["train", "tiny.toml", "--out", "wild", set[0], set[1]], 1),
        (&["generate", "run", "--out", "few.png"], 0),
        (&["bench", "tiny.toml", "--seconds", "0", "--steps", "1"], 0),
        (&["config", "show", "tiny.toml"], 0),
        (&["config", "show", "nowhere.toml"], 2),
        (&["backends"], 0),
        (&["completions", "zsh"], 0),
        (&["frobnicate"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["data", "list"], 0),
        (&["data", "verify", "kmnist", "--data-dir", "."], 1),
    ] {
        let mut child = desk
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(expected), "{arguments:?}");
    }
    assert!(desk.path("run").join(WHOLE).is_file());
}

#[test]
fn ctrl_c_saves_when_nobody_reads() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["train", "tiny.toml", "--out", "run", "--set", "training.epochs=1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    wait_for_steps(&desk.path("run/metrics.jsonl"), 3);
    let interrupt = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    desk.ok(&["generate", "run", "--count", "1", "--out", "one.png"]);
}

#[test]
fn a_full_disk_under_the_words_stops_no_training_and_is_reported_where_the_words_are_the_work() {
    let desk = Desk::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for (arguments, expected) in [
        (&["train", "tiny.toml", "--out", "run"][..], 0),
        (&["generate", "run", "--out", "few.png"], 0),
        (&["config", "show", "tiny.toml"], 1),
        (&["backends", "--json"], 1),
        (&["completions", "bash"], 1),
        (&["bench", "tiny.toml", "--seconds", "0", "--steps", "1", "--json"], 1),
        (&["data", "list"], 1),
        (&["--help"], 1),
    ] {
        let output = desk.command(arguments).stdout(full()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {stderr}");
        assert_eq!(
            stderr.contains("cannot write to standard output"),
            expected == 1,
            "{arguments:?}: {stderr}"
        );
        // Where the log goes does not change the end.
        if expected == 1 {
            let status = desk.command(arguments).stdout(Stdio::null()).stderr(full()).status();
            assert_eq!(status.unwrap().code(), Some(0), "{arguments:?}");
        }
    }
    let both = desk
        .command(&["train", "tiny.toml", "--out", "both", "-vv"])
        .stdout(full())
        .stderr(full())
        .status();
    assert_eq!(both.unwrap().code(), Some(0));
    assert!(desk.path("run").join(WHOLE).is_file() && desk.path("both").join(WHOLE).is_file());
}

#[test]
fn a_terminal_that_is_gone_stops_no_training() {
    let desk = Desk::new();
    let terminal = Terminal::unread(80);
    // As `nohup` starts it, but with its words still on the terminal.
    let mut command = desk.command(&["train", "tiny.toml", "--out", "run", "--set", "training.epochs=60"]);
    let mut child = terminal.spawn(command.env("TERM", "xterm").stdin(Stdio::null()));
    wait_for_steps(&desk.path("run/metrics.jsonl"), 1);
    drop(terminal);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(desk.path("run/checkpoints/step-000180/generator.safetensors").is_file());
}
