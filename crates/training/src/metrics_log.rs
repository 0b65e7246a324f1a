//! `metrics.jsonl`: one JSON object a logged step.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use ganvas_data::write_atomically;
use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// One line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricsLine {
    /// Generator updates done.
    pub step: u64,
    /// Epoch of the step's images, from 1.
    pub epoch: u64,
    /// The discriminator's loss, in nats.
    pub discriminator_loss: f32,
    /// The generator's loss, in nats.
    pub generator_loss: f32,
    /// Mean logit of real images.
    pub real_logit: f32,
    /// Mean logit of generated images.
    pub fake_logit: f32,
    /// L2 norm of all gradients of the discriminator.
    pub discriminator_gradient_norm: f32,
    /// L2 norm of all gradients of the generator.
    pub generator_gradient_norm: f32,
    /// Real images a second since the last line, pictures and checkpoints included.
    pub images_per_second: f64,
}

/// The open log.
#[derive(Debug)]
pub struct MetricsLog {
    file: File,
    path: PathBuf,
}

impl MetricsLog {
    /// Opens the log for a run that continues after `step`: lines of later steps, and a torn last line, are dropped, so
    /// that each step is told once however often the run was stopped.
    ///
    /// # Errors
    /// [`TrainingError::Io`] or [`TrainingError::Data`] where the file cannot be read or written.
    pub fn open(path: &Path, step: u64) -> Result<Self, TrainingError> {
        let kept = match fs::read_to_string(path) {
            Ok(text) => Self::lines_until(&text, step),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(TrainingError::io("read", path)(error)),
        };
        write_atomically(path, |file| file.write_all(kept.as_bytes()))?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(TrainingError::io("open", path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    fn lines_until(text: &str, step: u64) -> String {
        text.split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .filter(|line| serde_json::from_str::<MetricsLine>(line).is_ok_and(|line| line.step <= step))
            .collect()
    }

    /// Appends one line, in a single write.
    ///
    /// # Errors
    /// [`TrainingError::Io`] where the file cannot be written.
    pub fn append(&mut self, line: &MetricsLine) -> Result<(), TrainingError> {
        let write = |file: &mut File| {
            let mut text = serde_json::to_string(line)?;
            text.push('\n');
            file.write_all(text.as_bytes())
        };
        write(&mut self.file).map_err(TrainingError::io("write", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64) -> MetricsLine {
        MetricsLine {
            step,
            epoch: 1,
            discriminator_loss: 1.0,
            generator_loss: 0.5,
            real_logit: 0.25,
            fake_logit: -0.25,
            discriminator_gradient_norm: 2.0,
            generator_gradient_norm: 3.0,
            images_per_second: 4.0,
        }
    }

    #[test]
    fn a_reopened_log_tells_each_step_once_and_drops_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::open(&path, 0).unwrap();
        for step in [10, 20, 30] {
            log.append(&line(step)).unwrap();
        }
        drop(log);
        let mut torn = fs::read_to_string(&path).unwrap();
        torn.push_str("{\"step\":20,\"epo");
        fs::write(&path, torn).unwrap();

        let mut log = MetricsLog::open(&path, 20).unwrap();
        log.append(&line(30)).unwrap();
        let steps: Vec<u64> = fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|text| serde_json::from_str::<MetricsLine>(text).unwrap().step)
            .collect();
        assert_eq!(steps, [10, 20, 30]);
    }
}
