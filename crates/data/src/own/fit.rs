//! From a picture of any size to the bytes of an image.

use image::imageops::{self, FilterType};
use image::{DynamicImage, GenericImageView, Rgb, RgbImage};

use super::options::{Background, Fit};

/// What a picture is brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// Channels, height and width.
    pub shape: [usize; 3],
    pub fit: Fit,
    pub background: Background,
}

impl Target {
    fn size(self) -> (u32, u32) {
        let [_, height, width] = self.shape;
        // `survey` has kept both below 2¹⁶.
        (width as u32, height as u32)
    }

    /// Writes a picture as C·H·W. Made smaller or larger it is by Lanczos' filter with three lobes over all pixels that a new one
    /// covers, so that nothing aliases.
    pub fn write(self, picture: DynamicImage, out: &mut [u8]) {
        let picture = self.resized(picture);
        match self.shape[0] {
            1 => out.copy_from_slice(&picture.into_luma8()),
            _ => {
                let picture = picture.into_rgb8();
                let plane = out.len() / 3;
                for (index, pixel) in picture.pixels().enumerate() {
                    for (channel, value) in pixel.0.into_iter().enumerate() {
                        out[channel * plane + index] = value;
                    }
                }
            }
        }
    }

    fn resized(self, picture: DynamicImage) -> DynamicImage {
        let (width, height) = self.size();
        let (from_width, from_height) = picture.dimensions();
        if (from_width, from_height) == (width, height) {
            return picture;
        }
        let (aspect_width, aspect_height) = (u64::from(width), u64::from(height));
        let (wide, high) = (u64::from(from_width), u64::from(from_height));
        match self.fit {
            Fit::Stretch => picture.resize_exact(width, height, FilterType::Lanczos3),
            Fit::Crop => {
                // The largest piece of the aspect ratio asked for.
                let cut_width = (high * aspect_width / aspect_height).clamp(1, wide) as u32;
                let cut_height = (wide * aspect_height / aspect_width).clamp(1, high) as u32;
                let (x, y) = ((from_width - cut_width) / 2, (from_height - cut_height) / 2);
                picture
                    .crop_imm(x, y, cut_width, cut_height)
                    .resize_exact(width, height, FilterType::Lanczos3)
            }
            Fit::Pad => {
                let scale = (f64::from(width) / f64::from(from_width)).min(f64::from(height) / f64::from(from_height));
                let scaled = |side: u32, most: u32| ((f64::from(side) * scale).round() as u32).clamp(1, most);
                let (new_width, new_height) = (scaled(from_width, width), scaled(from_height, height));
                let inside = picture.resize_exact(new_width, new_height, FilterType::Lanczos3);
                let (x, y) = ((width - new_width) / 2, (height - new_height) / 2);
                let mut canvas = RgbImage::from_pixel(width, height, Rgb(self.background.0));
                imageops::replace(&mut canvas, &inside.into_rgb8(), x.into(), y.into());
                DynamicImage::ImageRgb8(canvas)
            }
        }
    }
}

/// Rows as columns.
pub(super) fn transposed(picture: &DynamicImage) -> DynamicImage {
    picture.rotate90().fliph()
}
