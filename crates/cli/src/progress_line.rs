//! A line of progress as text: what is done, how far it is, and numbers that give way where the terminal is narrow.

use std::time::{Duration, Instant};

use crate::words::{bytes, duration};

/// The bar is drawn where at least so many columns are left for it.
const NARROWEST_BAR: usize = 8;

/// Below this rank, texts are shortened before anything is left out.
const SHORTEN_BELOW: u8 = 3;

/// The ranks of the parts that every line has; notes bring their own.
const COUNT: u8 = 2;
const BAR: u8 = 3;
const WHAT: u8 = 5;

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const CYAN: &str = "\u{1b}[36m";
const DIM: &str = "\u{1b}[2m";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things, such as steps.
    Things,
    /// Bytes, shown with their rate.
    Bytes,
}

/// Something beside the bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What stands there.
    pub text: String,
    /// What stands there on a narrow terminal, where that is something else.
    pub short: Option<String>,
    /// The notes of the highest rank give way first; those of rank 0 stay.
    pub rank: u8,
}

impl Note {
    pub fn new(rank: u8, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            short: None,
            rank,
        }
    }

    /// Time that is left, or gone, in words; without its smaller unit on a narrow terminal.
    pub fn time(rank: u8, seconds: u64, word: &str) -> Self {
        let rounded = match seconds {
            60..3600 => duration(seconds).split_inclusive("min").next().map(str::to_owned),
            3600.. => duration(seconds).split_inclusive('h').next().map(str::to_owned),
            _ => None,
        };
        Self {
            text: format!("{}{word}", duration(seconds)),
            short: rounded.map(|rounded| format!("{rounded}{word}")),
            rank,
        }
    }
}

/// The state of a line of progress.
#[derive(Debug, Clone)]
pub struct ProgressLine {
    /// What is done, such as `reading mnist`.
    pub what: String,
    /// How much of it.
    pub position: u64,
    /// How much there is; `None` where nobody knows, which shows a spinner.
    pub total: Option<u64>,
    unit: Unit,
    /// Numbers beside the bar; `None` for the time, and the rate of bytes.
    pub notes: Option<Vec<Note>>,
    started: (Instant, u64),
}

impl ProgressLine {
    /// A line that begins now, after `position` of `total`.
    pub fn new(what: impl Into<String>, position: u64, total: Option<u64>, unit: Unit) -> Self {
        Self {
            what: what.into(),
            position,
            total,
            unit,
            notes: None,
            started: (Instant::now(), position),
        }
    }

    /// The line in fewer than `width` columns, so that no terminal wraps it.
    pub fn render(&self, width: usize, color: bool) -> String {
        let elapsed = self.started.0.elapsed();
        let room = width.saturating_sub(1);
        let mut notes = self.notes.clone().unwrap_or_else(|| self.usual_notes(elapsed));
        let count = self.total.map(|total| match self.unit {
            Unit::Things => format!("{}/{total}", self.position),
            Unit::Bytes => format!("{}/{}", bytes(self.position), bytes(total)),
        });
        let received = matches!((self.total, self.unit), (None, Unit::Bytes)).then(|| bytes(self.position));
        notes.splice(0..0, count.or(received).map(|text| Note::new(COUNT, text)));
        // Where nothing else says what the time passes with, the name stays to the end.
        let rank = if self.total.is_some() { WHAT } else { 0 };
        notes.insert(0, Note::new(rank, self.what.clone()));

        // What stands before or between the notes: the bar, or the spinner.
        let before = |bar: bool| match (bar, self.total) {
            (true, _) => NARROWEST_BAR + 2,
            (false, Some(_)) => 0,
            (false, None) => 2,
        };

        // What gives way, in turn: notes by their rank, and the bar among them.
        let mut bar = self.total.is_some();
        for rank in (1..=notes.iter().map(|note| note.rank).fold(BAR, u8::max)).rev() {
            if columns(&notes) + before(bar) <= room {
                break;
            }
            if rank < SHORTEN_BELOW {
                for note in &mut notes {
                    note.text = note.short.take().unwrap_or_else(|| note.text.clone());
                }
                if columns(&notes) + before(bar) <= room {
                    break;
                }
            }
            bar &= rank != BAR;
            notes.retain(|note| note.rank != rank);
        }

        let mut parts: Vec<String> = notes.iter().map(|note| note.text.clone()).collect();
        match self.total {
            Some(total) if bar => {
                let columns = room.saturating_sub(columns(&notes) + 2);
                let after_name = usize::from(notes.first().is_some_and(|note| note.rank == WHAT));
                parts.insert(after_name, bar_of(self.position, total, columns, color));
                parts.join("  ")
            }
            Some(_) => cut(&parts.join("  "), room),
            None => {
                let frame = (elapsed.as_millis() / 100) as usize % SPINNER.len();
                cut(&format!("{} {}", SPINNER[frame], parts.join("  ")), room)
            }
        }
    }

    /// The time that is left, or has passed, and the rate of bytes.
    fn usual_notes(&self, elapsed: Duration) -> Vec<Note> {
        let mut notes = Vec::new();
        let seconds = elapsed.as_secs_f64();
        let done = self.position.saturating_sub(self.started.1) as f64;
        if self.unit == Unit::Bytes && seconds > 0.5 {
            notes.push(Note::new(4, format!("{}/s", bytes((done / seconds) as u64))));
        }
        match self.total {
            Some(total) if done > 0.0 && seconds > 0.5 => {
                let left = seconds / done * total.saturating_sub(self.position) as f64;
                notes.push(Note::time(1, left.round() as u64, " left"));
            }
            None if seconds >= 2.0 => notes.push(Note::time(1, elapsed.as_secs(), "")),
            _ => {}
        }
        notes
    }
}

/// The columns that notes need beside each other.
fn columns(notes: &[Note]) -> usize {
    let texts: usize = notes.iter().map(|note| note.text.chars().count() + 2).sum();
    texts.saturating_sub(2)
}

fn bar_of(position: u64, total: u64, columns: usize, color: bool) -> String {
    let done = position as f64 / total.max(1) as f64;
    let halves = (done.clamp(0.0, 1.0) * 2.0 * columns as f64) as usize;
    let mut full = "━".repeat(halves / 2);
    if halves % 2 == 1 {
        full.push('╸');
    }
    let rest = "─".repeat(columns - halves.div_ceil(2));
    match color {
        true => format!("{CYAN}{full}{plain}{DIM}{rest}{plain}", plain = crate::color::PLAIN),
        false => full + &rest,
    }
}

fn cut(text: &str, columns: usize) -> String {
    text.chars().take(columns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training() -> ProgressLine {
        let mut line = ProgressLine::new("epoch 1/5", 123, Some(4690), Unit::Things);
        line.notes = Some(vec![
            Note::new(0, "D 0.693  G 0.710"),
            Note::new(6, "2345 images/s"),
            Note::time(1, 185, " left"),
        ]);
        line
    }

    #[test]
    fn no_line_is_as_wide_as_the_terminal() {
        let mut bytes = ProgressLine::new("train-images-idx3-ubyte.gz", 3_400_000, Some(9_912_422), Unit::Bytes);
        bytes.started.0 -= Duration::from_secs(70);
        let mut spinner = ProgressLine::new("reading mnist", 0, None, Unit::Things);
        spinner.started.0 -= Duration::from_secs(70);
        for line in [training(), bytes, spinner] {
            for width in 0..200 {
                let text = line.render(width, false);
                let columns = text.chars().count();
                assert!(columns < width.max(1), "{width}: {text}");
                // Whatever is left over goes to the bar.
                assert!(
                    line.total.is_none() || width < 110 || columns == width - 1,
                    "{width}: {text}"
                );
            }
        }
    }

    #[test]
    fn the_least_important_gives_way_first() {
        let at = |width| training().render(width, false);
        let wide = at(120);
        for part in [
            "epoch 1/5  ━",
            "123/4690",
            "D 0.693  G 0.710",
            "2345 images/s",
            "3 min 05 s left",
        ] {
            assert!(wide.contains(part), "{wide}");
        }
        assert!(
            at(80).contains("━  123/4690") || at(80).contains("─  123/4690"),
            "{}",
            at(80)
        );
        let medium = at(79);
        assert!(!medium.contains("images/s"), "{medium}");
        assert!(
            medium.starts_with("epoch 1/5  ") && medium.ends_with("3 min 05 s left"),
            "{medium}"
        );
        assert_eq!(at(40), "123/4690  D 0.693  G 0.710  3 min left");
        assert_eq!(at(20), "D 0.693  G 0.710");
        assert_eq!(at(10), "D 0.693  ");
    }

    #[test]
    fn the_bar_is_as_full_as_the_work_is_done() {
        let full = |position, color| bar_of(position, 4, 8, color);
        assert_eq!(full(0, false), "────────");
        assert_eq!(full(2, false), "━━━━────");
        assert_eq!(full(4, false), "━━━━━━━━");
        assert_eq!(bar_of(1, 16, 8, false), "╸───────");
        // More than there was to do, and nothing to do.
        assert_eq!(full(9, false), "━━━━━━━━");
        assert_eq!(bar_of(0, 0, 8, false), "────────");
        assert_eq!(full(2, true), "\u{1b}[36m━━━━\u{1b}[0m\u{1b}[2m────\u{1b}[0m");
    }
}
