//! Moving pictures, made of images as they come.

use std::path::Path;

use anyhow::{Context, bail};
use ganvas_data::{AnimationFormat, Canvas, compose_grid, denormalize, write_animation};
use ganvas_model::ImageShape;

use crate::{exit::UsageError, image_files::ENLARGEMENT, outputs::Destination, quoting::quoted};

/// The most bytes of the frames in memory.
const MOST_BYTES: usize = 1 << 30;

/// What a file's name says of it: `.gif` and `.apng` move.
pub fn animation_format(out: &Path) -> Option<AnimationFormat> {
    let ending = out.extension()?.to_string_lossy().to_ascii_lowercase();
    match &*ending {
        "gif" => Some(AnimationFormat::Gif),
        "apng" => Some(AnimationFormat::Apng),
        _ => None,
    }
}

/// Holds the frames until all are there.
pub struct AnimationWriter {
    destination: Destination,
    out: String,
    format: AnimationFormat,
    shape: [usize; 3],
    frames: Vec<Canvas>,
    bytes: usize,
}

impl AnimationWriter {
    pub fn open(out: &Path, format: AnimationFormat, image: ImageShape, force: bool) -> anyhow::Result<Self> {
        Ok(Self {
            destination: Destination::open(out, force)?,
            out: quoted(out),
            format,
            shape: image.dims(),
            frames: Vec::new(),
            bytes: 0,
        })
    }

    /// Takes the next images, values in -1..1.
    pub fn write(&mut self, images: &[f32]) -> anyhow::Result<()> {
        for image in images.chunks_exact(self.shape.iter().product()) {
            let bytes: Vec<u8> = image.iter().map(|&value| denormalize(value)).collect();
            let frame = compose_grid(&bytes, 1, self.shape, 1)?.upscale(ENLARGEMENT);
            self.bytes += frame.pixels().len();
            if self.bytes > MOST_BYTES {
                let count = self.frames.len();
                bail!(UsageError(format!(
                    "{}: more than {count} images of this size are too many for one file; take fewer --steps",
                    self.out
                )));
            }
            self.frames.push(frame);
        }
        Ok(())
    }

    /// Writes them, each shown for so long.
    pub fn finish(mut self, milliseconds: u16) -> anyhow::Result<()> {
        write_animation(&mut self.destination, &self.frames, milliseconds, self.format)
            .with_context(|| format!("cannot write {}", self.out))?;
        self.destination.finish()
    }
}
