//! From a file's bytes to a picture of eight bits, grey or in colours.

use std::io::Cursor;

use image::{
    ColorType, DynamicImage, GrayImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage, error::LimitErrorKind,
};

use super::options::Background;

/// The most pixels of a picture; cameras make 100 million at most.
const MOST_PIXELS: u64 = 1 << 27;

/// The most bytes that a decoder may take besides.
const MOST_BYTES: u64 = 1 << 30;

/// The formats that are read, for messages.
pub(super) const FORMATS: &str = "PNG, JPEG, WebP, BMP, GIF or TIFF";

/// A picture's outside, known without its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside {
    pub width: u32,
    pub height: u32,
    pub is_grey: bool,
}

/// Width, height and colours of a picture, upright.
pub(super) fn outside(bytes: &[u8]) -> Result<Outside, String> {
    let mut decoder = decoder(bytes)?;
    let (mut width, mut height) = decoder.dimensions();
    let is_grey = is_grey(decoder.color_type());
    let orientation = decoder.orientation().map_err(reason)?;
    use image::metadata::Orientation;
    if matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    ) {
        std::mem::swap(&mut width, &mut height);
    }
    Ok(Outside { width, height, is_grey })
}

/// A picture, upright, with nothing transparent: [`DynamicImage::ImageLuma8`] or [`DynamicImage::ImageRgb8`].
pub(crate) fn decode(bytes: &[u8], background: Background) -> Result<DynamicImage, String> {
    let mut decoder = decoder(bytes)?;
    let orientation = decoder.orientation().map_err(reason)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(reason)?;
    picture.apply_orientation(orientation);
    Ok(opaque(picture, background))
}

fn decoder(bytes: &[u8]) -> Result<impl ImageDecoder + '_, String> {
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    if reader.format().is_none() {
        return Err(format!("is no {FORMATS}, whatever its name says"));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(reason)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS {
        return Err(format!(
            "has {width}×{height} pixels; more than {MOST_PIXELS} are not read"
        ));
    }
    if pixels == 0 {
        return Err("has no pixels".to_owned());
    }
    Ok(decoder)
}

fn is_grey(color: ColorType) -> bool {
    matches!(color, ColorType::L8 | ColorType::La8 | ColorType::L16 | ColorType::La16)
}

/// Eight bits a value, over the background where it shows through.
fn opaque(picture: DynamicImage, Background(background): Background) -> DynamicImage {
    let color = picture.color();
    let over = |value: u8, behind: u8, alpha: u8| {
        let (value, behind, alpha) = (u32::from(value), u32::from(behind), u32::from(alpha));
        // At most 255.
        ((value * alpha + behind * (255 - alpha) + 127) / 255) as u8
    };
    match (is_grey(color), color.has_alpha()) {
        (true, false) => DynamicImage::ImageLuma8(picture.into_luma8()),
        (false, false) => DynamicImage::ImageRgb8(picture.into_rgb8()),
        // A grey picture over a colour is no grey picture.
        (true, true) if background.iter().all(|value| *value == background[0]) => {
            let source = picture.into_luma_alpha8();
            let pixels = source.pixels().map(|pixel| over(pixel[0], background[0], pixel[1]));
            let pixels = pixels.collect();
            let (width, height) = source.dimensions();
            DynamicImage::ImageLuma8(GrayImage::from_raw(width, height, pixels).unwrap_or_default())
        }
        (_, true) => {
            let source = picture.into_rgba8();
            let pixels = source
                .pixels()
                .flat_map(|pixel| [0, 1, 2].map(|channel| over(pixel[channel], background[channel], pixel[3])));
            let pixels = pixels.collect();
            let (width, height) = source.dimensions();
            DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, pixels).unwrap_or_default())
        }
    }
}

/// What is wrong with a file, in a few words.
fn reason(error: ImageError) -> String {
    match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::DimensionError => "is larger than its format's decoder takes".to_owned(),
            _ => "takes more memory than a picture should".to_owned(),
        },
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => "ends too early".to_owned(),
        ImageError::Unsupported(error) => format!("is of a kind that is not read: {error}"),
        error => format!("is damaged: {error}"),
    }
}
