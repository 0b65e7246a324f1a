//! `metrics.jsonl`: one JSON object a logged step, numbers by name.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
};

use ganvas_data::{disk::Output, write_atomically};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::Value;

use super::{directory::RunDirectory, sessions::Session};
use crate::TrainingError;

/// One line of `metrics.jsonl`: `step`, `epoch`, and numbers by whatever names they were reported under.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsLine {
    /// Generator updates done.
    pub step: u64,
    /// Epoch of the step's images, from 1.
    pub epoch: u64,
    /// In the order in which they were reported. What is not finite is left out: JSON has no such numbers.
    pub numbers: Vec<(String, f64)>,
}

impl MetricsLine {
    /// The number of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        let found = self.numbers.iter().find(|(known, _)| known == name);
        found.map(|&(_, value)| value)
    }

    /// The newest line of a run's log, and of names that are not in it the newest value; none of an evaluator that the run does not have
    /// any more.
    ///
    /// # Errors
    /// [`TrainingError::Io`] where the log is there and cannot be read.
    pub fn newest_of(run: &RunDirectory) -> Result<Option<Self>, TrainingError> {
        let bytes = read_log(&run.metrics_path())?;
        let since = Session::all_comparable_since(&Session::all_of(run)?);
        let mut newest: Option<Self> = None;
        for mut line in whole_lines(&bytes).filter_map(|text| serde_json::from_slice::<Self>(text).ok()) {
            line.keep_comparable(&since);
            newest.get_or_insert_with(Self::default).update(&line);
        }
        Ok(newest)
    }

    /// Takes out the numbers of evaluators that the run does not have any more: those up to the steps of
    /// [`Session::all_comparable_since`].
    pub(crate) fn keep_comparable(&mut self, since: &BTreeMap<String, u64>) {
        let step = self.step;
        self.numbers
            .retain(|(name, _)| since.get(name).is_none_or(|&since| step > since));
    }

    /// Sets the number of this name.
    pub fn set(&mut self, name: &str, value: f64) {
        match self.numbers.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => *slot = value,
            None => self.numbers.push((name.to_owned(), value)),
        }
    }

    /// Takes over the numbers of a later line.
    fn update(&mut self, later: &Self) {
        (self.step, self.epoch) = (later.step, later.epoch);
        for (name, value) in &later.numbers {
            self.set(name, *value);
        }
    }
}

impl Serialize for MetricsLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("step", &self.step)?;
        map.serialize_entry("epoch", &self.epoch)?;
        for (name, value) in self.numbers.iter().filter(|(_, value)| value.is_finite()) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for MetricsLine {
    /// What is no number, of a program that logs more than this one, is passed over.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineVisitor)
    }
}

/// Reads a line in the order of its names.
struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = MetricsLine;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `step`, `epoch` and numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MetricsLine, A::Error> {
        let (mut step, mut epoch, mut line) = (None, None, MetricsLine::default());
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            match name.as_str() {
                "step" => step = value.as_u64(),
                "epoch" => epoch = value.as_u64(),
                name => {
                    if let Some(value) = value.as_f64() {
                        line.set(name, value);
                    }
                }
            }
        }
        let missing = |name| A::Error::missing_field(name);
        line.step = step.ok_or_else(|| missing("step"))?;
        line.epoch = epoch.ok_or_else(|| missing("epoch"))?;
        Ok(line)
    }
}

/// The open log.
#[derive(Debug)]
pub struct MetricsLog {
    file: Output,
    path: PathBuf,
    newest: Option<MetricsLine>,
}

impl MetricsLog {
    /// Opens the log for a run that continues after `step`: lines of later steps are dropped, because those steps are done
    /// again, and so is a torn last line. Everything else is kept as it stands, whatever names it has. Each line that is kept is
    /// shown to `each`, which may take numbers out of what counts from here on; the file keeps them.
    ///
    /// # Errors
    /// [`TrainingError::Io`] or [`TrainingError::Data`] where the file cannot be read or written.
    pub fn open(path: &Path, step: u64, mut each: impl FnMut(&mut MetricsLine)) -> Result<Self, TrainingError> {
        let bytes = read_log(path)?;
        let (mut kept, mut newest) = (Vec::new(), None);
        for text in whole_lines(&bytes) {
            let line = serde_json::from_slice::<MetricsLine>(text).ok();
            if line.as_ref().is_some_and(|line| line.step > step) {
                continue;
            }
            kept.extend_from_slice(text);
            if let Some(mut line) = line {
                each(&mut line);
                newest.get_or_insert_with(MetricsLine::default).update(&line);
            }
        }
        write_atomically(path, |file| file.write_all(&kept))?;
        Ok(Self {
            file: Output::append(path).map_err(TrainingError::io("open", path))?,
            path: path.to_owned(),
            newest,
        })
    }

    /// The lines of a log that come after a step.
    ///
    /// # Errors
    /// [`TrainingError::Io`] where the file is there and cannot be read.
    pub(crate) fn lines_after(path: &Path, step: u64) -> Result<Vec<u8>, TrainingError> {
        let bytes = read_log(path)?;
        let is_later = |text: &&[u8]| serde_json::from_slice::<MetricsLine>(text).is_ok_and(|line| line.step > step);
        Ok(whole_lines(&bytes).filter(is_later).flatten().copied().collect())
    }

    /// The newest line, and of the names that are not in it the newest value.
    pub fn newest(&self) -> Option<&MetricsLine> {
        self.newest.as_ref()
    }

    /// The open file, to be brought to the disk by somebody else.
    pub(crate) fn output(&self) -> Result<Output, TrainingError> {
        self.file.try_clone().map_err(TrainingError::io("open", &self.path))
    }

    /// Appends one line, in a single write.
    ///
    /// # Errors
    /// [`TrainingError::Io`] where the file cannot be written.
    pub fn append(&mut self, line: &MetricsLine) -> Result<(), TrainingError> {
        let write = |file: &mut Output| {
            let mut text = serde_json::to_string(line)?;
            text.push('\n');
            file.write_all(text.as_bytes())
        };
        write(&mut self.file).map_err(TrainingError::io("write", &self.path))?;
        self.newest.get_or_insert_with(MetricsLine::default).update(line);
        Ok(())
    }
}

/// The bytes of a log; none where there is no file.
fn read_log(path: &Path) -> Result<Vec<u8>, TrainingError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(TrainingError::io("read", path)),
    }
}

/// The lines that end in a line feed: a killed process may leave one that does not.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    lines.filter(|text| text.ends_with(b"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64) -> MetricsLine {
        MetricsLine {
            step,
            epoch: 1,
            numbers: vec![("loss/discriminator".into(), 0.1 * step as f64), ("mine".into(), -2.5)],
        }
    }

    fn steps(text: &str) -> Vec<u64> {
        let lines = text
            .lines()
            .filter_map(|text| serde_json::from_str::<MetricsLine>(text).ok());
        lines.map(|line| line.step).collect()
    }

    #[test]
    fn a_line_is_one_flat_object_and_reads_back_as_itself() {
        let mut line = line(10);
        line.set("mine", 3.0);
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(text, r#"{"step":10,"epoch":1,"loss/discriminator":1.0,"mine":3.0}"#);
        assert_eq!(serde_json::from_str::<MetricsLine>(&text).unwrap(), line);
        line.set("mine", f64::NAN);
        assert!(!serde_json::to_string(&line).unwrap().contains("mine"));
    }

    #[test]
    fn a_reopened_log_has_each_step_once_and_drops_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::open(&path, 0, |_| ()).unwrap();
        for step in [10, 20, 30] {
            log.append(&line(step)).unwrap();
        }
        drop(log);
        let mut torn = fs::read_to_string(&path).unwrap();
        torn.push_str("{\"step\":20,\"epo");
        fs::write(&path, torn).unwrap();

        let mut shown = Vec::new();
        let mut log = MetricsLog::open(&path, 20, |line| {
            shown.push(line.step);
            line.numbers.retain(|(name, _)| name != "mine");
        })
        .unwrap();
        assert_eq!((shown, log.newest().unwrap().get("mine")), (vec![10, 20], None));
        log.append(&line(30)).unwrap();
        assert_eq!(steps(&fs::read_to_string(&path).unwrap()), [10, 20, 30]);
    }

    #[test]
    fn lines_and_names_that_nobody_knows_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let old = concat!(
            "{\"step\":10,\"epoch\":1,\"fid\":7.5,\"note\":\"by hand\",\"list\":[1]}\n",
            "not JSON at all\n",
            "{\"epoch\":3}\n",
            "{\"step\":20,\"epoch\":1,\"discriminator_loss\":0.5}\n",
        );
        fs::write(&path, format!("{old}{{\"step\":30,\"epoch\":2}}\n")).unwrap();
        let log = MetricsLog::open(&path, 25, |_| ()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), old);
        let newest = log.newest().unwrap();
        assert_eq!((newest.step, newest.get("fid")), (20, Some(7.5)));
        assert_eq!(newest.get("discriminator_loss"), Some(0.5));
        assert_eq!(newest.get("note"), None);
    }
}
