//! A picture in memory and as a PNG file.

use std::io;
use std::path::Path;

use crate::DataError;
use crate::files::write_atomically;

/// A grey or coloured picture in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    channels: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A picture of `pixels` in H·W·C order (a pixel's channels side by side), with one channel for
    /// grey or three for red, green and blue.
    ///
    /// # Errors
    ///
    /// [`DataError::Canvas`] if a side is zero, if there are neither one nor three channels, or if
    /// `pixels` has another length than those say.
    pub fn new(width: usize, height: usize, channels: usize, pixels: Vec<u8>) -> Result<Self, DataError> {
        let expected = width.checked_mul(height).and_then(|area| area.checked_mul(channels));
        let sound = expected == Some(pixels.len()) && !pixels.is_empty() && matches!(channels, 1 | 3);
        if sound {
            return Ok(Self {
                width,
                height,
                channels,
                pixels,
            });
        }
        Err(DataError::Canvas {
            what: "a picture",
            expected: "width × height × channels bytes with 1 or 3 channels".to_owned(),
            found: format!("{} bytes for {width} × {height} × {channels}", pixels.len()),
        })
    }

    /// The width in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The height in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// 1 for grey, 3 for red, green and blue.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The bytes in H·W·C order.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// A part of it, so many pixels wide and high from a corner on; what lies outside is left out.
    #[must_use]
    pub(crate) fn part(&self, [left, top]: [usize; 2], [width, height]: [usize; 2]) -> Self {
        let (left, top) = (left.min(self.width), top.min(self.height));
        let (width, height) = (width.min(self.width - left), height.min(self.height - top));
        let rows = self
            .pixels
            .chunks_exact(self.width * self.channels)
            .skip(top)
            .take(height);
        Self {
            width,
            height,
            channels: self.channels,
            pixels: rows
                .flat_map(|row| &row[left * self.channels..(left + width) * self.channels])
                .copied()
                .collect(),
        }
    }

    /// The same picture with each pixel turned into a square of `factor` × `factor`; a factor of 0
    /// counts as 1.
    #[must_use]
    pub fn upscale(&self, factor: usize) -> Self {
        let factor = factor.max(1);
        let mut pixels = Vec::with_capacity(self.pixels.len() * factor * factor);
        for row in self.pixels.chunks_exact(self.width * self.channels) {
            let start = pixels.len();
            for pixel in row.chunks_exact(self.channels) {
                for _ in 0..factor {
                    pixels.extend_from_slice(pixel);
                }
            }
            let end = pixels.len();
            for _ in 1..factor {
                pixels.extend_from_within(start..end);
            }
        }
        Self {
            width: self.width * factor,
            height: self.height * factor,
            channels: self.channels,
            pixels,
        }
    }

    /// A picture of one shade.
    pub(crate) fn plain(width: usize, height: usize, channels: usize, shade: u8) -> Self {
        Self {
            width,
            height,
            channels,
            pixels: vec![shade; width * height * channels],
        }
    }

    /// Sets one pixel; outside the picture nothing happens.
    pub(crate) fn set(&mut self, x: usize, y: usize, pixel: &[u8]) {
        if x >= self.width || y >= self.height {
            return;
        }
        let start = (y * self.width + x) * self.channels;
        let target = self.pixels.iter_mut().skip(start).take(self.channels);
        // A grey pixel gives its one value to all the channels of a coloured picture.
        for (target, source) in target.zip(pixel.iter().cycle()) {
            *target = *source;
        }
    }

    /// Copies `other` here with its upper left corner at (`left`, `top`); what reaches over the
    /// edge is cut.
    pub(crate) fn paste(&mut self, other: &Self, left: usize, top: usize) {
        let rows = other.pixels.chunks_exact(other.width * other.channels);
        for (y, row) in rows.enumerate() {
            for (x, pixel) in row.chunks_exact(other.channels).enumerate() {
                self.set(left + x, top + y, pixel);
            }
        }
    }
}

/// Writes a picture as PNG, grey or in colours, [atomically](write_atomically).
///
/// # Errors
///
/// [`DataError::Canvas`] if a side is longer than PNG allows, and [`DataError::Io`] if the file
/// cannot be written.
pub fn write_png(canvas: &Canvas, path: &Path) -> Result<(), DataError> {
    canvas.png_size()?;
    write_atomically(path, |out| canvas.encode_png(out))
}

impl Canvas {
    /// The sides as PNG counts them.
    fn png_size(&self) -> Result<(u32, u32), DataError> {
        let sides = (u32::try_from(self.width), u32::try_from(self.height));
        let (Ok(width), Ok(height)) = sides else {
            return Err(DataError::Canvas {
                what: "a PNG file",
                expected: "sides of at most 4294967295 pixels".to_owned(),
                found: format!("{} × {}", self.width, self.height),
            });
        };
        Ok((width, height))
    }

    /// Writes the picture as PNG, grey or in colours.
    ///
    /// # Errors
    ///
    /// The writer's, and one of kind `Other` if a side is longer than PNG allows.
    pub fn encode_png(&self, out: &mut impl io::Write) -> io::Result<()> {
        let (width, height) = self.png_size().map_err(io::Error::other)?;
        let mut encoder = png::Encoder::new(out, width, height);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_color(if self.channels == 3 {
            png::ColorType::Rgb
        } else {
            png::ColorType::Grayscale
        });
        let mut writer = encoder.write_header().map_err(io::Error::from)?;
        writer.write_image_data(&self.pixels).map_err(io::Error::from)?;
        writer.finish().map_err(io::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_must_make_a_picture() {
        assert!(Canvas::new(2, 2, 1, vec![0; 3]).is_err());
        assert!(Canvas::new(0, 2, 1, vec![]).is_err());
        assert!(Canvas::new(2, 2, 2, vec![0; 8]).is_err());
    }

    #[test]
    fn enlarging_repeats_pixels() {
        let canvas = Canvas::new(2, 1, 1, vec![1, 2]).unwrap().upscale(2);
        assert_eq!(canvas, Canvas::new(4, 2, 1, vec![1, 1, 2, 2, 1, 1, 2, 2]).unwrap());
        assert_eq!(canvas.upscale(0), canvas);
    }

    #[test]
    fn a_png_holds_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        for channels in [1, 3] {
            let path = folder.path().join(format!("{channels}.png"));
            let canvas = Canvas::new(3, 2, channels, (0..6 * channels as u8).collect()).unwrap();
            write_png(&canvas, &path).unwrap();
            let file = io::BufReader::new(std::fs::File::open(&path).unwrap());
            let mut reader = png::Decoder::new(file).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((info.width, info.height, &pixels[..]), (3, 2, canvas.pixels()));
        }
    }
}
