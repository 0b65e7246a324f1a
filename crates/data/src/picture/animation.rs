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

/// Writes frames of one size, each shown for so many milliseconds (GIF counts in tens of them), over and over.
///
/// # Errors
///
/// The writer's; one of kind `Other` where there are no frames, where they differ in size or channels, or where a side is longer than the format
/// allows.
pub fn write_animation(
    out: &mut impl Write,
    frames: &[Canvas],
    milliseconds: u16,
    format: AnimationFormat,
) -> io::Result<()> {
    let Some(first) = frames.first() else {
        return Err(io::Error::other("an animation needs a frame"));
    };
    let outside = |frame: &Canvas| (frame.width(), frame.height(), frame.channels());
    if frames.iter().any(|frame| outside(frame) != outside(first)) {
        return Err(io::Error::other("the frames of an animation have one size"));
    }
    match format {
        AnimationFormat::Gif => write_gif(out, first, frames, milliseconds),
        AnimationFormat::Apng => write_apng(out, first, frames, milliseconds),
    }
}

fn write_gif(out: &mut impl Write, first: &Canvas, frames: &[Canvas], milliseconds: u16) -> io::Result<()> {
    let side =
        |side: usize| u16::try_from(side).map_err(|_| io::Error::other("a GIF has sides of at most 65535 pixels"));
    let (width, height) = (side(first.width())?, side(first.height())?);
    let is_grey = first.channels() == 1;
    // Every shade of grey has a place of its own.
    let palette: Vec<u8> = match is_grey {
        true => (0..=255).flat_map(|shade| [shade; 3]).collect(),
        false => Vec::new(),
    };
    let mut encoder = gif::Encoder::new(out, width, height, &palette).map_err(io::Error::other)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(io::Error::other)?;
    for canvas in frames {
        let mut frame = match is_grey {
            true => gif::Frame {
                width,
                height,
                buffer: canvas.pixels().into(),
                ..gif::Frame::default()
            },
            false => gif::Frame::from_rgb_speed(width, height, canvas.pixels(), 10),
        };
        frame.delay = (milliseconds / 10).max(2);
        encoder.write_frame(&frame).map_err(io::Error::other)?;
    }
    Ok(())
}

fn write_apng(out: &mut impl Write, first: &Canvas, frames: &[Canvas], milliseconds: u16) -> io::Result<()> {
    let number = |number: usize| u32::try_from(number).map_err(|_| io::Error::other("too large for PNG"));
    let mut encoder = png::Encoder::new(out, number(first.width())?, number(first.height())?);
    encoder.set_color(match first.channels() {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    encoder.set_animated(number(frames.len())?, 0)?;
    encoder.set_frame_delay(milliseconds, 1000)?;
    let mut writer = encoder.write_header()?;
    for frame in frames {
        writer.write_image_data(frame.pixels())?;
    }
    writer.finish()?;
    Ok(())
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
            write_animation(&mut bytes, &written, 80, format).unwrap();
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
    fn frames_of_several_sizes_and_none_are_refused() {
        let mut mixed = frames(1);
        mixed.push(Canvas::new(3, 5, 1, vec![0; 15]).unwrap());
        for frames in [&mixed[..], &[]] {
            for format in [AnimationFormat::Gif, AnimationFormat::Apng] {
                assert!(write_animation(&mut Vec::new(), frames, 80, format).is_err());
            }
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
