//! Words for the person, past closed pipes: `ganvas config show X | head -1` is no failure.

use std::{
    fmt::Arguments,
    io::{Write, stderr, stdout},
};

/// Writes to standard output, as `println!` does, but silently where nobody reads any more.
pub fn put(text: Arguments<'_>) {
    // The work is done and saved by then; a reader that has left takes nothing away from it.
    let _ = stdout().lock().write_fmt(text);
}

/// A line on standard error, silently where nobody reads any more.
pub fn complain(text: &str) {
    let _ = writeln!(stderr().lock(), "{text}");
}

/// A line on standard output that survives a closed pipe.
macro_rules! print_line {
    ($($argument:tt)*) => {
        $crate::output::put(format_args!("{}\n", format_args!($($argument)*)))
    };
}

pub(crate) use print_line;
