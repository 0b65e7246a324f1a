//! Colours and the log's level: what is typed stands above the environment.

use crate::{
    desk::{Desk, without_adapter},
    pty::Terminal,
    terminal::long,
};

/// The escape sequences of colours that come out, in a pipe or on a terminal.
fn is_coloured(desk: &Desk, arguments: &[&str], environment: &[(&str, &str)], terminal: bool) -> bool {
    let mut command = desk.command(arguments);
    command.envs(environment.iter().copied());
    let text = match terminal {
        true => Terminal::new(80).run(&mut command).1.0,
        false => {
            let output = command.output().unwrap();
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        }
    };
    assert!(!text.is_empty(), "{arguments:?}");
    // Of all escape sequences that are written, only colours begin with a digit.
    let mut sequences = text.split("\u{1b}[").skip(1);
    sequences.any(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
}

#[test]
fn colours_are_ruled_by_what_is_typed_then_the_environment_then_the_terminal() {
    let desk = Desk::new();
    let no = ("NO_COLOR", "1");
    let force = ("CLICOLOR_FORCE", "1");
    let help: &[&str] = &["--help"];
    let mistake: &[&str] = &["frobnicate"];
    let error: &[&str] = &["train", "nowhere.toml"];
    // A warning, and lines of information.
    let log: &[&str] = &["train", "tiny.toml", "--dry-run"];
    for verb in [help, mistake, error, log] {
        for (typed, environment, terminal, expected) in [
            (None, &[][..], true, true),
            (None, &[], false, false),
            (None, &[no], true, false),
            (None, &[force], false, true),
            (None, &[no, force], true, false),
            (None, &[("NO_COLOR", "")], true, true),
            (None, &[("CLICOLOR_FORCE", "")], false, false),
            (None, &[("CLICOLOR_FORCE", "0")], false, false),
            (None, &[("TERM", "dumb")], true, false),
            (Some("always"), &[no], false, true),
            (Some("never"), &[force], true, false),
            (Some("auto"), &[no], true, false),
        ] {
            let typed = typed.map(|when| ["--color", when]);
            let arguments = [verb, typed.as_ref().map_or(&[][..], |typed| typed)].concat();
            let found = is_coloured(&desk, &arguments, environment, terminal);
            assert_eq!(found, expected, "{arguments:?} {environment:?}, terminal: {terminal}");
        }
    }
}

#[test]
fn a_bar_without_colours_is_still_a_bar() {
    let desk = Desk::new();
    let (_, plain) = Terminal::new(80).run(long(&desk, "plain", &[]).env("NO_COLOR", "1"));
    assert!(plain.frames().iter().any(|frame| frame.contains('─')), "{}", plain.0);
    assert!(!plain.0.contains("\u{1b}[3"), "{}", plain.0);
    let (_, coloured) = Terminal::new(80).run(&mut long(&desk, "coloured", &[]));
    assert!(
        coloured.frames().iter().any(|frame| frame.contains("\u{1b}[36m")),
        "{}",
        coloured.0
    );
}

#[test]
fn what_is_logged_is_ruled_by_what_is_typed_then_by_the_variable() {
    let desk = Desk::new();
    let said = |variable: &str, typed: &[&str]| {
        let arguments = [&["train", "tiny.toml", "--dry-run"][..], typed].concat();
        let output = desk.command(&arguments).env("RUST_LOG", variable).output().unwrap();
        assert!(output.status.success());
        without_adapter(&String::from_utf8(output.stderr).unwrap())
    };
    let has = |text: &str, level: &str| text.lines().any(|line| line.contains(level));
    assert!(has(&said("", &[]), "INFO"));
    assert!(!has(&said("error", &[]), "INFO"));
    assert!(has(&said("debug", &[]), "DEBUG"));
    assert_eq!(said("debug", &["-q"]), "");
    let verbose = said("error", &["-v"]);
    assert!(has(&verbose, "INFO") && has(&verbose, "DEBUG"), "{verbose}");
    for (wrong, part) in [
        ("inof", "did you mean `info`?"),
        ("ganvas=loud", "`ganvas=loud`"),
        ("noise,info", "`noise`"),
    ] {
        let text = said(wrong, &[]);
        assert!(has(&text, "INFO") && has(&text, "WARN"), "{text}");
        assert!(text.contains("RUST_LOG: ") && text.contains(part), "{text}");
        // What is typed makes it beside the point.
        assert_eq!(said(wrong, &["-q"]), "");
    }
}
