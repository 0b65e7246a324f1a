//! Moving pictures, made of images as they come.

use std::{
    cell::RefCell,
    io::{self, Write},
    path::Path,
    rc::Rc,
};

use anyhow::Context;
use ganvas_data::{Animation, AnimationFormat, Canvas, compose_grid, denormalize};
use ganvas_model::ImageShape;

use crate::{image_files::ENLARGEMENT, outputs::Destination, quoting::quoted};

/// What a file's name says of it: `.gif` and `.apng` move.
pub fn animation_format(out: &Path) -> Option<AnimationFormat> {
    let ending = out.extension()?.to_string_lossy().to_ascii_lowercase();
    match &*ending {
        "gif" => Some(AnimationFormat::Gif),
        "apng" => Some(AnimationFormat::Apng),
        _ => None,
    }
}

/// A moving picture that is being written.
pub struct AnimationWriter {
    animation: Option<Animation<Shared>>,
    destination: Shared,
    out: String,
    shape: [usize; 3],
    count: usize,
    milliseconds: u16,
    format: AnimationFormat,
}

impl AnimationWriter {
    /// Of so many images, each shown for so long.
    pub fn open(
        out: &Path,
        (format, milliseconds): (AnimationFormat, u16),
        count: u64,
        image: ImageShape,
        force: bool,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            animation: None,
            destination: Shared::new(Destination::open(out, force)?),
            out: quoted(out),
            shape: image.dims(),
            count: usize::try_from(count).unwrap_or(usize::MAX),
            milliseconds,
            format,
        })
    }

    /// Takes the next images, values in -1..1.
    pub fn write(&mut self, images: &[f32]) -> anyhow::Result<()> {
        for image in images.chunks_exact(self.shape.iter().product()) {
            let bytes: Vec<u8> = image.iter().map(|&value| denormalize(value)).collect();
            self.write_frame(&compose_grid(&bytes, 1, self.shape, 1)?.upscale(ENLARGEMENT))?;
        }
        Ok(())
    }

    /// Takes the next frame.
    pub fn write_frame(&mut self, frame: &Canvas) -> anyhow::Result<()> {
        let animation = match &mut self.animation {
            Some(animation) => animation,
            none => {
                let out = self.destination.clone();
                none.insert(Animation::begin(
                    out,
                    frame,
                    self.count,
                    self.milliseconds,
                    self.format,
                )?)
            }
        };
        animation
            .write(frame)
            .with_context(|| format!("cannot write {}", self.out))
    }

    /// Brings it to its place.
    pub fn finish(self) -> anyhow::Result<()> {
        if let Some(animation) = self.animation {
            animation
                .finish()
                .with_context(|| format!("cannot write {}", self.out))?;
        }
        self.destination.into_inner()?.finish()
    }
}

/// The destination, which an encoder of PNG does not give back.
#[derive(Clone)]
struct Shared(Rc<RefCell<Destination>>);

impl Shared {
    fn new(destination: Destination) -> Self {
        Self(Rc::new(RefCell::new(destination)))
    }

    fn into_inner(self) -> io::Result<Destination> {
        let inner = Rc::try_unwrap(self.0).map(RefCell::into_inner);
        inner.map_err(|_| io::Error::other("the picture is still being written"))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}
