//! Whether words are coloured: `--color`, then `NO_COLOR` and `CLICOLOR_FORCE`, then the terminal.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{IsTerminal, stderr, stdout},
    sync::OnceLock,
};

use clap::ValueEnum;

/// What `--color` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// As NO_COLOR and CLICOLOR_FORCE say, else on terminals
    #[default]
    Auto,
    /// Everywhere, also in pipes and files
    Always,
    /// Nowhere
    Never,
}

/// Red, for the word `error`.
pub const ERROR: &str = "\u{1b}[1;31m";
/// Back to the terminal's own.
pub const PLAIN: &str = "\u{1b}[0m";

static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

/// Looks for `--color` in what was typed. It comes before the arguments are parsed, because their errors and the help are
/// coloured too.
pub fn choose(arguments: impl Iterator<Item = OsString>) {
    let _ = CHOICE.set(typed(arguments));
    // A console of Windows understands escape sequences where it is asked to.
    anstyle_query::windows::enable_ansi_colors();
}

fn typed(mut arguments: impl Iterator<Item = OsString>) -> ColorChoice {
    let mut choice = ColorChoice::default();
    while let Some(argument) = arguments.next().filter(|argument| argument != "--") {
        let Some(argument) = argument.to_str() else { continue };
        let value = match argument.strip_prefix("--color") {
            Some("") => arguments.next().and_then(|value| value.into_string().ok()),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        // What is wrong is reported when the arguments are parsed.
        let read = value.and_then(|value| ColorChoice::from_str(&value, false).ok());
        choice = read.unwrap_or(choice);
    }
    choice
}

/// Whether standard error is coloured.
pub fn on_stderr() -> bool {
    resolve(stderr().is_terminal())
}

/// Whether standard output is coloured.
pub fn on_stdout() -> bool {
    resolve(stdout().is_terminal())
}

/// Whether standard error is a terminal on which a line can be drawn again.
pub fn stderr_can_draw() -> bool {
    stderr().is_terminal() && understands_escapes(env::var_os("TERM").as_deref())
}

fn resolve(terminal: bool) -> bool {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
    decide(
        CHOICE.get().copied().unwrap_or_default(),
        variable("NO_COLOR").is_some(),
        variable("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
        terminal
            && understands_escapes(env::var_os("TERM").as_deref())
            && variable("CLICOLOR").is_none_or(|value| value != "0"),
    )
}

/// <https://no-color.org>, and <https://bixense.com/clicolors>, where NO_COLOR stands above CLICOLOR_FORCE.
fn decide(choice: ColorChoice, no_color: bool, forced: bool, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => !no_color && (forced || terminal),
    }
}

/// Outside Windows, what has no name of a terminal, or the name `dumb`, understands no escape sequences.
fn understands_escapes(term: Option<&OsStr>) -> bool {
    match term {
        None => cfg!(windows),
        Some(term) => !term.is_empty() && term != "dumb",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stands_above_the_environment_and_that_above_the_terminal() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, no_color, forced, terminal, expected) in [
            (Auto, false, false, true, true),
            (Auto, false, false, false, false),
            (Auto, true, false, true, false),
            (Auto, false, true, false, true),
            (Auto, true, true, true, false),
            (Always, true, false, false, true),
            (Never, false, true, true, false),
        ] {
            let found = decide(choice, no_color, forced, terminal);
            assert_eq!(found, expected, "{choice:?} {no_color} {forced} {terminal}");
        }
    }

    #[test]
    fn the_argument_is_found_wherever_it_stands() {
        let typed = |words: &str| typed(words.split(' ').map(OsString::from));
        assert_eq!(typed("ganvas --color always train x"), ColorChoice::Always);
        assert_eq!(typed("ganvas train --color=never x"), ColorChoice::Never);
        assert_eq!(typed("ganvas train --colors=never x"), ColorChoice::Auto);
        assert_eq!(typed("ganvas train -- --color always"), ColorChoice::Auto);
        assert_eq!(typed("ganvas train --color"), ColorChoice::Auto);
        assert_eq!(typed("ganvas train --color purple"), ColorChoice::Auto);
    }

    #[test]
    fn a_terminal_without_a_name_draws_nothing() {
        for (term, expected) in [(Some("xterm"), true), (Some("dumb"), false), (Some(""), false)] {
            assert_eq!(understands_escapes(term.map(OsStr::new)), expected, "{term:?}");
        }
        assert_eq!(understands_escapes(None), cfg!(windows));
    }
}
