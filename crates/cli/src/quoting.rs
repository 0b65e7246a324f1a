//! Paths for whoever reads them: a shell that a command is pasted into, or a person.

use std::path::Path;

use os_display::Quotable;

/// A path as a shell reads it: bare where that is safe, else quoted, with control characters escaped.
pub fn quoted(path: &Path) -> String {
    // A leading dash would be read as a flag.
    match path.to_string_lossy().starts_with('-') {
        true => Path::new(".").join(path).maybe_quote().to_string(),
        false => path.maybe_quote().to_string(),
    }
}

/// A message without what would move a terminal's cursor or change its colours: a path may have any character.
pub fn printable(message: &str) -> String {
    let escape = |letter: char| match letter {
        '\n' | '\t' => letter.to_string(),
        letter if letter.is_control() => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    message.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_every_path() {
        for path in [
            "runs/a",
            "sp ace/r",
            "it's",
            "a\"b$c`d",
            "line\nfeed",
            "tab\t\u{1b}[31m",
            "-rf",
            "ünï",
            "a\\b",
            "*?[x]",
            "~x",
            "#c",
        ] {
            let output = std::process::Command::new("bash")
                .args(["-c", &format!("printf %s {}", quoted(Path::new(path)))])
                .output();
            let Ok(output) = output else { return }; // No bash, nobody to paste into.
            let read = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(
                Path::new(&read).components().collect::<Vec<_>>(),
                Path::new(".")
                    .join(path)
                    .components()
                    .skip(usize::from(!path.starts_with('-')))
                    .collect::<Vec<_>>()
            );
        }
        assert!(!quoted(Path::new("line\nfeed")).contains('\n'));
        assert_eq!(printable("no\u{1b}[31m file\r\n"), "no\\u{1b}[31m file\\r\n");
    }
}
