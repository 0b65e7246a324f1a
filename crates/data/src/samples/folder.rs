//! Images from a folder of PNG files.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use png::{ColorType, Decoder, DecodingError, Reader, Transformations};

use super::{Samples, ValueRange, check_promised, file_name, origin};
use crate::{DataError, ImageSet};

/// Reads all PNG files below a folder as images of one size.
pub(super) fn read(folder: &Path) -> Result<Samples, DataError> {
    let files = png_files(folder)?;
    let mut gathered = Gathered::default();
    for path in &files {
        let reader = open(path)?;
        let (width, height) = reader.info().size();
        gathered.admit(path, [height, width], &reader, files.len())?;
        gathered.add(decode(reader, path)?);
    }
    let [height, width] = gathered.size.ok_or_else(|| {
        let found = "none in it and its folders (names that begin with a dot do not count)";
        DataError::format(folder, "a folder of .png files", found)
    })?;
    let remarks = gathered.remarks();
    let channels = if gathered.is_coloured { 3 } else { 1 };
    let shape = [channels, height as usize, width as usize];
    let images = ImageSet::new(file_name(folder), gathered.pixels, None, shape)?;
    Ok(Samples {
        range: ValueRange::Bytes,
        guessed: false,
        origin: origin(&images, folder, Some(&remarks)),
        images,
        array: None,
    })
}

/// The PNG files in a folder and its folders, in the order of their paths. A folder to which several ways lead, over links,
/// counts once, so that links in a circle come to an end.
fn png_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |error: io::Error| DataError::io("read", &folder, error);
        if !seen.insert(folder.canonicalize().map_err(unreadable)?) {
            continue;
        }
        let entries = fs::read_dir(&folder).map_err(unreadable)?;
        let entries = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut entries = entries.collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
        // The last folder is the next one. The order decides which of several ways to a folder is taken.
        entries.sort_unstable();
        for path in entries.into_iter().rev() {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            if name.starts_with(b".") {
                continue;
            }
            let is_png = path
                .extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
            match fs::metadata(&path) {
                Ok(about) if about.is_dir() => folders.push(path),
                Ok(about) if about.is_file() && is_png => found.push(path),
                Err(error) if is_png => return Err(DataError::io("read", &path, error)),
                _ => {}
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// A file whose header was read, and which will be decoded to 8 bits a value, grey or in colours.
fn open(path: &Path) -> Result<Reader<BufReader<File>>, DataError> {
    let file = File::open(path).map_err(|error| DataError::io("open", path, error))?;
    let mut decoder = Decoder::new(BufReader::new(file));
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.read_info().map_err(|error| broken(path, error))
}

/// A decoded file.
struct Picture {
    /// 1 for grey, 3 for red, green and blue.
    channels: usize,
    /// The bytes in H·W·C order.
    pixels: Vec<u8>,
    /// Whether something of it was transparent.
    is_transparent: bool,
}

/// Decodes the picture of a file and reads on to its end.
fn decode(mut reader: Reader<BufReader<File>>, path: &Path) -> Result<Picture, DataError> {
    let length = reader.output_buffer_size();
    let length = length.ok_or_else(|| broken(path, DecodingError::LimitsExceeded))?;
    let mut pixels = vec![0; length];
    let frame = reader.next_frame(&mut pixels).map_err(|error| broken(path, error))?;
    let whole = reader.info().size();
    reader.finish().map_err(|error| broken(path, error))?;
    if (frame.width, frame.height) != whole || frame.buffer_size() != length {
        let found = format!("one whose first picture has {} × {}", frame.width, frame.height);
        return Err(DataError::format(
            path,
            format!("a PNG file of {} × {}", whole.0, whole.1),
            found,
        ));
    }
    let (channels, has_alpha) = match frame.color_type {
        ColorType::Grayscale => (1, false),
        ColorType::GrayscaleAlpha => (1, true),
        ColorType::Rgb => (3, false),
        ColorType::Rgba => (3, true),
        ColorType::Indexed => {
            let found = "a palette that was not resolved";
            return Err(DataError::format(path, "a PNG file", found));
        }
    };
    if !has_alpha {
        return Ok(Picture {
            channels,
            pixels,
            is_transparent: false,
        });
    }
    let (pixels, is_transparent) = over_black(&pixels, channels);
    Ok(Picture {
        channels,
        pixels,
        is_transparent,
    })
}

/// Lays pixels, each with an opacity behind its `channels` values, over black; says as well whether any let it shine through.
fn over_black(pixels: &[u8], channels: usize) -> (Vec<u8>, bool) {
    let mut is_transparent = false;
    let mut flat = Vec::with_capacity(pixels.len() / (channels + 1) * channels);
    for pixel in pixels.chunks_exact(channels + 1) {
        let Some((&opacity, values)) = pixel.split_last() else {
            continue;
        };
        is_transparent |= opacity < u8::MAX;
        // Rounded; at most 255 · 255 + 127, which 16 bits hold.
        let weighted = |&value: &u8| ((u16::from(value) * u16::from(opacity) + 127) / 255) as u8;
        flat.extend(values.iter().map(weighted));
    }
    (flat, is_transparent)
}

/// What a file that cannot be decoded means.
fn broken(path: &Path, error: DecodingError) -> DataError {
    match error {
        DecodingError::IoError(error) if error.raw_os_error().is_some() => DataError::io("read", path, error),
        error => {
            let found = format!("a damaged, incomplete or foreign one ({error}); make it again or take it away");
            DataError::format(path, "a PNG file", found)
        }
    }
}

/// The pictures so far, in N·C·H·W order: grey as long as all are.
#[derive(Default)]
struct Gathered {
    /// Height and width of each.
    size: Option<[u32; 2]>,
    pixels: Vec<u8>,
    /// Whether a pixel of any has a colour, so that there are three channels.
    is_coloured: bool,
    /// Whether any file has three channels.
    has_rgb: bool,
    /// Whether anything of any was transparent.
    is_transparent: bool,
}

impl Gathered {
    /// Refuses a picture of another size than those before it, and one of which `count` are too many, before it is decoded.
    fn admit(
        &mut self,
        path: &Path,
        size: [u32; 2],
        reader: &Reader<BufReader<File>>,
        count: usize,
    ) -> Result<(), DataError> {
        let [height, width] = size;
        let [first_height, first_width] = *self.size.get_or_insert(size);
        if size != [first_height, first_width] {
            let expected = format!("a picture of {first_height}×{first_width} pixels, as those before it");
            let found = format!("one of {height}×{width}; all must have one size");
            return Err(DataError::format(path, expected, found));
        }
        let (color_type, _) = reader.output_color_type();
        let promised = [width as usize, height as usize, color_type.samples(), count];
        check_promised(path, promised.into_iter().map(|side| side as u64))
    }

    fn add(&mut self, picture: Picture) {
        let Picture {
            channels,
            pixels,
            is_transparent,
        } = picture;
        self.is_transparent |= is_transparent;
        self.has_rgb |= channels == 3;
        let has_colour = |pixel: &[u8]| pixel.windows(2).any(|pair| pair[0] != pair[1]);
        if !self.is_coloured && channels == 3 && pixels.chunks_exact(3).any(has_colour) {
            self.is_coloured = true;
            let area = (pixels.len() / 3).max(1);
            let grey = std::mem::take(&mut self.pixels);
            self.pixels = grey.chunks_exact(area).flat_map(|image| image.repeat(3)).collect();
        }
        let planes = if self.is_coloured { 3 } else { 1 };
        for plane in 0..planes {
            // A grey picture gives its one value to all the channels.
            let values = pixels.iter().skip(plane.min(channels - 1)).step_by(channels);
            self.pixels.extend(values);
        }
    }

    /// What of the files was changed, for people.
    fn remarks(&self) -> String {
        let mut remarks = "PNG".to_owned();
        if self.has_rgb && !self.is_coloured {
            remarks.push_str(", colours that are all grey taken as one channel");
        }
        if self.is_transparent {
            remarks.push_str(", transparent pixels laid over black");
        }
        remarks
    }
}

#[cfg(test)]
mod tests;
