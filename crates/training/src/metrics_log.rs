//! `metrics.jsonl`: one JSON object a logged step.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use ganvas_data::{disk::Output, write_atomically};
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
    /// Variance of a generated pixel from image to image, the mean over all pixels; near 0 where all images are alike.
    pub fake_pixel_variance: f32,
    /// Real images a second since the last line, pictures and checkpoints included.
    pub images_per_second: f64,
}

impl MetricsLine {
    /// Names of the numbers that `[checkpoint.best]` can choose from.
    pub const METRICS: [&str; 7] = [
        "discriminator_loss",
        "generator_loss",
        "real_logit",
        "fake_logit",
        "discriminator_gradient_norm",
        "generator_gradient_norm",
        "fake_pixel_variance",
    ];
}

/// The open log.
#[derive(Debug)]
pub struct MetricsLog {
    file: Output,
    path: PathBuf,
    newest: Option<MetricsLine>,
}

impl MetricsLog {
    /// Opens the log for a run that continues after `step`: lines of later steps, and a torn last line, are dropped, so
    /// that each step is told once however often the run was stopped.
    ///
    /// # Errors
    /// [`TrainingError::Io`] or [`TrainingError::Data`] where the file cannot be read or written.
    pub fn open(path: &Path, step: u64) -> Result<Self, TrainingError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(TrainingError::io("read", path)(error)),
        };
        let (mut kept, mut newest) = (Vec::new(), None);
        for text in bytes
            .split_inclusive(|&byte| byte == b'\n')
            .filter(|text| text.ends_with(b"\n"))
        {
            if let Ok(line) = serde_json::from_slice::<MetricsLine>(text)
                && line.step <= step
            {
                kept.extend_from_slice(text);
                newest = Some(line);
            }
        }
        write_atomically(path, |file| file.write_all(&kept))?;
        Ok(Self {
            file: Output::append(path).map_err(TrainingError::io("open", path))?,
            path: path.to_owned(),
            newest,
        })
    }

    /// The newest line.
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
        self.newest = Some(line.clone());
        Ok(())
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
            fake_pixel_variance: 0.5,
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
