//! Pictures that move: GIF and animated PNG.

use std::io::{self, Write};

use super::Canvas;
use crate::DataError;

/// The formats of moving pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnimationFormat {
    /// 256 colours, shown by everything. Grey pictures lose nothing.
    Gif,
    /// All colours, shown by browsers.
    Apng,
}

/// Writes a moving picture frame by frame, shown over and over.
pub struct Animation<W: Write> {
    encoder: Encoder<W>,
    /// Width, height and channels of every frame.
    outside: [usize; 3],
    /// Frames that are still to come.
    left: usize,
    milliseconds: u16,
}

enum Encoder<W: Write> {
    Gif(gif::Encoder<W>),
    Apng(png::Writer<W>),
}

impl<W: Write> Animation<W> {
    /// Begins one of so many frames like `first`, each shown for so many milliseconds; GIF counts in tens of them, and no browser shows less than 20.
    ///
    /// # Errors
    ///
    /// The writer's; one of kind `Other` where there are no frames, or where a side is longer than the format allows.
    pub fn begin(out: W, first: &Canvas, count: usize, milliseconds: u16, format: AnimationFormat) -> io::Result<Self> {
        let number = |number: usize| u32::try_from(number).map_err(|_| io::Error::other("too large for PNG"));
        let side =
            |side: usize| u16::try_from(side).map_err(|_| io::Error::other("a GIF has sides of at most 65535 pixels"));
        if count == 0 {
            return Err(io::Error::other("a moving picture needs a frame"));
        }
        let is_grey = first.channels() == 1;
        let encoder = match format {
            AnimationFormat::Gif => {
                // Every shade of grey has a place of its own.
                let palette: Vec<u8> = match is_grey {
                    true => (0..=255).flat_map(|shade| [shade; 3]).collect(),
                    false => Vec::new(),
                };
                let (width, height) = (side(first.width())?, side(first.height())?);
                let mut encoder = gif::Encoder::new(out, width, height, &palette).map_err(io::Error::other)?;
                encoder.set_repeat(gif::Repeat::Infinite).map_err(io::Error::other)?;
                Encoder::Gif(encoder)
            }
            AnimationFormat::Apng => {
                let mut encoder = png::Encoder::new(out, number(first.width())?, number(first.height())?);
                encoder.set_color(if is_grey {
                    png::ColorType::Grayscale
                } else {
                    png::ColorType::Rgb
                });
                encoder.set_animated(number(count)?, 0)?;
                encoder.set_frame_delay(milliseconds, 1000)?;
                Encoder::Apng(encoder.write_header()?)
            }
        };
        Ok(Self {
            encoder,
            outside: outside(first),
            left: count,
            milliseconds,
        })
    }

    /// Writes the next frame.
    ///
    /// # Errors
    ///
    /// The writer's; one of kind `Other` where the frame is unlike the first, or one too many.
    pub fn write(&mut self, frame: &Canvas) -> io::Result<()> {
        if outside(frame) != self.outside {
            let [[width, height, _], [other_width, other_height, _]] = [self.outside, outside(frame)];
            let message = format!(
                "expected a frame of {width}×{height} pixels as the first, found {other_width}×{other_height}, or of other channels"
            );
            return Err(io::Error::other(message));
        }
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("there are more frames than were announced"))?;
        match &mut self.encoder {
            Encoder::Gif(encoder) => {
                // Both sides fit: the encoder was made for them.
                let (width, height) = (frame.width() as u16, frame.height() as u16);
                let mut indexed = match frame.channels() {
                    1 => gif::Frame {
                        width,
                        height,
                        buffer: frame.pixels().into(),
                        ..gif::Frame::default()
                    },
                    _ => gif::Frame::from_rgb_speed(width, height, frame.pixels(), 10),
                };
                indexed.delay = (self.milliseconds / 10).max(2);
                encoder.write_frame(&indexed).map_err(io::Error::other)
            }
            Encoder::Apng(writer) => Ok(writer.write_image_data(frame.pixels())?),
        }
    }

    /// Writes what stands behind the frames.
    ///
    /// # Errors
    ///
    /// The writer's; one of kind `Other` where frames are missing.
    pub fn finish(self) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::Error::other(format!(
                "{} of the announced frames are missing",
                self.left
            )));
        }
        match self.encoder {
            Encoder::Gif(encoder) => encoder.into_inner().map(drop).map_err(io::Error::other),
            Encoder::Apng(writer) => Ok(writer.finish()?),
        }
    }
}

fn outside(frame: &Canvas) -> [usize; 3] {
    [frame.width(), frame.height(), frame.channels()]
}

impl Canvas {
    /// Reads a picture that any tool made, PNG or another format, as grey or as colours.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] if it cannot be read, [`DataError::Format`] if it is no picture.
    pub fn read(path: &std::path::Path) -> Result<Self, DataError> {
        let bytes = std::fs::read(path).map_err(|error| DataError::io("read", path, error))?;
        let picture = crate::own::decode(&bytes, crate::Background::default())
            .map_err(|reason| DataError::format(path, "a picture", format!("a file that {reason}")))?;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let channels = usize::from(picture.color().channel_count());
        Self::new(width, height, channels, picture.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use image::AnimationDecoder;
    use image::codecs::{gif::GifDecoder, png::PngDecoder};

    use super::*;

    fn frames(channels: usize) -> Vec<Canvas> {
        let pixels = |number: usize| {
            (0..5 * 3 * channels)
                .map(move |place| (place * 17 + number * 40) as u8)
                .collect()
        };
        (0..4)
            .map(|number| Canvas::new(5, 3, channels, pixels(number)).unwrap())
            .collect()
    }

    /// The frames as the image crate reads them, and the milliseconds of the first.
    fn read(bytes: &[u8], format: AnimationFormat) -> (Vec<Vec<u8>>, u32) {
        let read = io::Cursor::new(bytes);
        let frames = match format {
            AnimationFormat::Gif => GifDecoder::new(read).unwrap().into_frames(),
            AnimationFormat::Apng => PngDecoder::new(read).unwrap().apng().unwrap().into_frames(),
        };
        let frames = frames.collect_frames().unwrap();
        let milliseconds = frames[0].delay().numer_denom_ms();
        let rgb = |frame: image::Frame| {
            frame
                .buffer()
                .pixels()
                .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
                .collect()
        };
        (frames.into_iter().map(rgb).collect(), milliseconds.0 / milliseconds.1)
    }

    #[test]
    fn frames_come_back() {
        for (format, channels, tolerance) in [
            (AnimationFormat::Gif, 1, 0),
            (AnimationFormat::Gif, 3, 12),
            (AnimationFormat::Apng, 1, 0),
            (AnimationFormat::Apng, 3, 0),
        ] {
            let written = frames(channels);
            let mut bytes = Vec::new();
            let mut animation = Animation::begin(&mut bytes, &written[0], written.len(), 80, format).unwrap();
            written.iter().for_each(|frame| animation.write(frame).unwrap());
            assert!(animation.write(&written[0]).is_err(), "one too many");
            animation.finish().unwrap();
            let (found, milliseconds) = read(&bytes, format);
            assert_eq!((found.len(), milliseconds), (4, 80));
            for (found, written) in found.iter().zip(&written) {
                let wanted: Vec<u8> = match channels {
                    1 => written.pixels().iter().flat_map(|shade| [*shade; 3]).collect(),
                    _ => written.pixels().to_vec(),
                };
                let near = |(left, right): (&u8, &u8)| left.abs_diff(*right) <= tolerance;
                assert!(
                    found.len() == wanted.len() && found.iter().zip(&wanted).all(near),
                    "{format:?}, {channels}"
                );
            }
        }
    }

    #[test]
    fn frames_of_several_sizes_none_and_too_few_are_refused() {
        let frames = frames(1);
        let other = Canvas::new(3, 5, 1, vec![0; 15]).unwrap();
        for format in [AnimationFormat::Gif, AnimationFormat::Apng] {
            assert!(Animation::begin(Vec::new(), &frames[0], 0, 80, format).is_err());
            let mut animation = Animation::begin(Vec::new(), &frames[0], 2, 80, format).unwrap();
            let error = animation.write(&other).unwrap_err().to_string();
            assert!(error.contains("5×3") && error.contains("3×5"), "{error}");
            animation.write(&frames[0]).unwrap();
            assert!(
                animation
                    .finish()
                    .unwrap_err()
                    .to_string()
                    .contains("1 of the announced")
            );
        }
    }

    #[test]
    fn a_picture_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        for channels in [1, 3] {
            let canvas = frames(channels).remove(1);
            crate::write_png(&canvas, &path).unwrap();
            assert_eq!(Canvas::read(&path).unwrap(), canvas);
        }
        std::fs::write(&path, "no").unwrap();
        assert!(
            Canvas::read(&path)
                .unwrap_err()
                .to_string()
                .contains("a picture, found a file that")
        );
    }
}
