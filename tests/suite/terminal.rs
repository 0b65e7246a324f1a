//! What is on a terminal, and what is in a pipe instead.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    thread,
    time::Duration,
};

use crate::{
    ON_CUBECL,
    desk::{Desk, wait_for_steps},
    pty::{Terminal, columns},
};

/// A training that takes a second or so.
pub fn long(desk: &Desk, out: &str, set: &[&str]) -> Command {
    let epochs = if ON_CUBECL {
        "training.epochs=3"
    } else {
        "training.epochs=400"
    };
    let mut arguments = vec!["train", "tiny.toml", "--out", out];
    let usual = [epochs, "samples.every=0", "checkpoint.every=0"];
    for set in usual.iter().chain(set) {
        arguments.extend(["--set", set]);
    }
    desk.command(&arguments)
}

#[test]
fn a_bar_fits_every_terminal_and_leaves_the_last_numbers() {
    let desk = Desk::new();
    for wide in [40, 80, 120] {
        let (code, shown) = Terminal::new(wide).run(&mut long(&desk, &format!("run-{wide}"), &[]));
        assert_eq!(code, 0, "{}", shown.0);
        let frames = shown.frames();
        let of_training: Vec<_> = frames.iter().filter(|frame| frame.contains("D ")).collect();
        assert!(!of_training.is_empty(), "{wide}: {frames:?}");
        for frame in &frames {
            assert!(columns(frame) < wide.into(), "{wide}: {frame}");
        }
        for frame in &of_training {
            assert!(frame.contains("G ") && frame.contains(" left"), "{wide}: {frame}");
        }
        let with_speed = of_training.iter().filter(|frame| frame.contains("images/s")).count();
        // Between the two it depends on how many digits the numbers have.
        assert!(wide == 80 || (with_speed > 0) == (wide == 120), "{wide}: {frames:?}");

        let screen = shown.screen();
        assert!(!screen.iter().any(|row| row.contains(['━', '─', '⠋'])), "{screen:?}");
        let last = screen.iter().find(|row| row.contains("  step ")).unwrap();
        for part in ["  D ", "  G ", " images/s  in "] {
            assert!(last.contains(part), "{last}");
        }
    }
}

#[test]
fn a_bar_follows_the_size_of_its_terminal() {
    let desk = Desk::new();
    let mut terminal = Terminal::new(120);
    let mut child = terminal.spawn(&mut long(&desk, "run", &["training.epochs=1000000"]));
    terminal.wait_for(" left");
    terminal.resize(40);
    let before = terminal.text().len();
    thread::sleep(Duration::from_millis(600));
    let interrupt = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let shown = terminal.shown();
    let frames = shown.frames();
    // The first ones may be the spinner's.
    assert!(frames.iter().any(|frame| columns(frame) > 100), "{frames:?}");
    // A frame may have been on its way.
    let later = shown.0.get(before..).unwrap().split("\u{1b}[?7l").skip(2);
    let later: Vec<_> = later.map(|rest| rest.split("\u{1b}[?7h").next().unwrap()).collect();
    assert!(later.len() > 2, "{later:?}");
    assert!(later.iter().all(|frame| columns(frame) < 40), "{later:?}");
    let screen = shown.screen();
    assert!(!screen.iter().any(|row| row.contains(['━', '─', '⠋'])), "{screen:?}");
    assert!(screen.iter().any(|row| row.contains(" images/s  in ")), "{screen:?}");
}

#[test]
fn losses_and_the_time_left_are_there_from_the_first_step_on_and_the_log_stays_as_it_was() {
    let desk = Desk::new();
    let rarely = "logging.every=1000000";
    let (code, shown) = Terminal::new(100).run(&mut long(&desk, "seen", &[rarely]));
    assert_eq!(code, 0, "{}", shown.0);
    let frames = shown.frames();
    assert!(
        frames
            .iter()
            .any(|frame| frame.contains("D ") && frame.contains(" left")),
        "{frames:?}"
    );
    let piped = long(&desk, "piped", &[rarely]).output().unwrap();
    let stderr = String::from_utf8(piped.stderr).unwrap();
    let first = stderr.lines().find(|line| line.contains("  step 1/")).unwrap();
    for part in ["  D ", " images/s", " left"] {
        assert!(first.contains(part), "{first}");
    }
    for out in ["seen", "piped"] {
        let log = fs::read_to_string(desk.path(out).join("metrics.jsonl")).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
    }
}

#[test]
fn the_last_numbers_stay_where_it_is_piped_or_stopped() {
    let desk = Desk::new();
    let output = long(&desk, "whole", &[]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let steps = if ON_CUBECL { 9 } else { 1200 };
    let last = format!("  step {steps}/{steps}  D ");
    let found: Vec<_> = stderr.lines().filter(|line| line.contains(&last)).collect();
    assert_eq!(found.len(), 1, "{stderr}");
    assert!(found[0].contains(" images/s  in "), "{stderr}");

    // Stopped at a step that is not logged: the numbers are those of that step.
    let set = ["training.epochs=1000000", "logging.every=7"];
    let child = long(&desk, "stopped", &set)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_steps(&desk.path("stopped/metrics.jsonl"), 2);
    let interrupt = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let step = stdout
        .split("saved after step ")
        .nth(1)
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    let last = stderr.lines().find(|line| line.contains(" images/s  in ")).unwrap();
    assert!(last.contains(&format!("  step {step}/3000000  D ")), "{stderr}");
}

#[test]
fn a_terminal_without_escape_sequences_gets_the_lines_of_a_pipe() {
    let desk = Desk::new();
    for (number, term) in ["dumb", ""].into_iter().enumerate() {
        let mut command = long(&desk, &format!("run-{number}"), &[]);
        let (code, shown) = Terminal::new(80).run(command.env("TERM", term));
        assert_eq!(code, 0, "{}", shown.0);
        assert!(
            shown.0.contains("  step 1/") && shown.0.contains(" left"),
            "{}",
            shown.0
        );
        assert!(shown.0.contains(" images/s  in "), "{}", shown.0);
        assert!(!shown.0.contains('\u{1b}'), "{}", shown.0);
    }
}

#[test]
fn quiet_is_quiet_on_a_terminal_too() {
    let desk = Desk::new();
    let (code, shown) = Terminal::new(80).run(long(&desk, "run", &[]).arg("-q"));
    assert_eq!(code, 0);
    assert!(
        !shown.0.contains('\u{1b}') && shown.0.starts_with("trained "),
        "{}",
        shown.0
    );
}

#[test]
fn what_takes_a_while_says_so() {
    let desk = Desk::new();
    // Without a network: drawing digits, and evaluating.
    let slow = [
        "data.count=60000",
        "training.max_steps=2",
        "evaluation.every=1",
        "evaluation.count=20000",
    ];
    let few = [
        "data.count=20000",
        "training.max_steps=1",
        "evaluation.every=1",
        "evaluation.count=64",
    ];
    let set = if ON_CUBECL { &few } else { &slow };
    let (code, shown) = Terminal::new(80).run(&mut long(&desk, "run", set));
    assert_eq!(code, 0, "{}", shown.0);
    let frames = shown.frames();
    let mut expected = vec!["drawing digits"];
    if !ON_CUBECL {
        expected.push("evaluating");
    }
    for part in expected {
        assert!(frames.iter().any(|frame| frame.contains(part)), "{part}: {frames:?}");
    }

    // Fetching, from a server that gives the wrong bytes, slowly.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", server.local_addr().unwrap());
    thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 2048]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n");
            for _ in 0..10 {
                let _ = stream.write_all(&[7; 100_000]);
                thread::sleep(Duration::from_millis(60));
            }
        }
    });
    let fetch = ["data", "fetch", "mnist", "--data-dir", "got", "--mirror", &address];
    let (code, shown) = Terminal::new(80).run(&mut desk.command(&fetch));
    assert_eq!(code, 1, "{}", shown.0);
    let frames = shown.frames();
    assert!(frames.iter().any(|frame| frame.contains(" kB/1.0 MB")), "{frames:?}");
    assert!(frames.iter().all(|frame| columns(frame) < 80), "{frames:?}");
    let screen = shown.screen();
    assert!(!screen.iter().any(|row| row.contains(['━', '─'])), "{screen:?}");

    // In a pipe nothing is drawn.
    let piped = desk.run(&fetch);
    assert!(!piped.stderr.contains(['\r', '━', '⠋']), "{}", piped.stderr);
}
