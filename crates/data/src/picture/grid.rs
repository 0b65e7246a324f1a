//! Pictures for people: many small images on one sheet, and two sheets side by side.

use crate::{Canvas, DataError};

/// The pixels between and around the images of a grid.
const GAP: usize = 2;

/// What lies behind the images: the middle grey, which is neither ink nor paper.
const BACKGROUND: u8 = 128;

/// What captions are written on.
const PAPER: u8 = 255;

/// The colour of captions.
const INK: u8 = 0;

/// The side of a character, in pixels, before it is enlarged.
const GLYPH: usize = 8;

/// Lays `count` images out in rows of `columns`, two pixels apart and two from the edge.
///
/// `images` holds the bytes in N·C·H·W order, with `shape` being `[C, H, W]`. Any count is right:
/// what an incomplete last row leaves free stays grey, and a grid of one row is no wider than its
/// images.
///
/// # Errors
///
/// [`DataError::Canvas`] if there is no image or no column, if there are neither one nor three
/// channels, or if `images` has another length than `count` and `shape` say.
pub fn compose_grid(images: &[u8], count: usize, shape: [usize; 3], columns: usize) -> Result<Canvas, DataError> {
    let [channels, height, width] = shape;
    let size = channels.checked_mul(height).and_then(|area| area.checked_mul(width));
    let expected = size.and_then(|size| size.checked_mul(count));
    if expected != Some(images.len()) || images.is_empty() || columns == 0 || !matches!(channels, 1 | 3) {
        return Err(DataError::Canvas {
            what: "a grid",
            expected: "at least one image in at least one column, with 1 or 3 channels".to_owned(),
            found: format!(
                "{} bytes for {count} images of {channels} × {height} × {width} in {columns} columns",
                images.len()
            ),
        });
    }
    let columns = columns.min(count);
    let rows = count.div_ceil(columns);
    let side = |images: usize, pixels: usize| images * (pixels + GAP) + GAP;
    let mut canvas = Canvas::plain(side(columns, width), side(rows, height), channels, BACKGROUND);
    let area = height * width;
    for (index, image) in images.chunks_exact(channels * area).enumerate() {
        let left = GAP + index % columns * (width + GAP);
        let top = GAP + index / columns * (height + GAP);
        for place in 0..area {
            let mut pixel = [0; 3];
            for (value, plane) in pixel.iter_mut().zip(image.chunks_exact(area)) {
                *value = plane.get(place).copied().unwrap_or_default();
            }
            canvas.set(left + place % width, top + place / width, &pixel);
        }
    }
    Ok(canvas)
}

/// The most characters of a caption: as many as the largest seed has.
const MOST_LETTERS: usize = 20;

/// Lays images out as [`compose_grid`] does, each of their pixels a square of side `factor`, and writes a line under each. Images stand as far apart as the
/// longest line takes; one of more than 20 characters is cut and ends in `~`.
///
/// # Errors
///
/// As [`compose_grid`], and where there are not as many captions as images.
pub fn compose_captioned_grid(
    images: &[u8],
    captions: &[String],
    shape: [usize; 3],
    columns: usize,
    factor: usize,
) -> Result<Canvas, DataError> {
    // Checks everything that could be wrong, too.
    let plain = compose_grid(images, captions.len(), shape, columns)?;
    let [channels, height, width] = shape;
    let lines: Vec<String> = captions.iter().map(|caption| shortened(caption)).collect();
    let longest = lines.iter().map(String::len).max().unwrap_or_default() * GLYPH;
    let (columns, rows) = (columns.min(lines.len()), lines.len().div_ceil(columns));
    let (gap, line) = (GAP * factor, GLYPH + GAP);
    let (cell_width, cell_height) = ((width * factor).max(longest) + gap, height * factor + gap + line);
    let (whole_width, whole_height) = (columns * cell_width + gap, rows * cell_height + gap);
    let mut canvas = Canvas::plain(whole_width, whole_height, channels, BACKGROUND);
    for (index, text) in lines.iter().enumerate() {
        let (column, row) = (index % columns, index / columns);
        let corner = [column * (width + GAP) + GAP, row * (height + GAP) + GAP];
        let image = plain.part(corner, [width, height]).upscale(factor);
        let (left, top) = (gap + column * cell_width, gap + row * cell_height);
        let middle = |wide: usize| left + (cell_width - gap - wide) / 2;
        canvas.paste(&image, middle(image.width()), top);
        let below = top + image.height() + GAP;
        write_text(&mut canvas, text, middle(text.len() * GLYPH), below, 1);
    }
    Ok(canvas)
}

/// A line of printable ASCII characters, others as `?`.
fn shortened(caption: &str) -> String {
    let letters = caption.chars().map(|letter| match letter {
        ' '..='~' => letter,
        _ => '?',
    });
    match caption.chars().count() > MOST_LETTERS {
        true => letters.take(MOST_LETTERS - 1).chain(['~']).collect(),
        false => letters.collect(),
    }
}

/// How many columns make a grid of `count` images about as wide as it is high, and never less wide;
/// at least 1.
#[must_use]
pub fn near_square_columns(count: usize) -> usize {
    let root = count.isqrt();
    if root * root < count { root + 1 } else { root.max(1) }
}

/// Puts two pictures beside each other, each under its caption.
///
/// Captions are enlarged as far as they fit over their picture, up to threefold; one that does not
/// fit even at its own size makes room for itself. If one of the pictures has colours, so has the
/// result.
#[must_use]
pub fn side_by_side(left: (&str, &Canvas), right: (&str, &Canvas)) -> Canvas {
    let panels = [left, right];
    let text_width = |text: &str, scale: usize| text.chars().count() * GLYPH * scale;
    let fits = |scale: &usize| {
        panels
            .iter()
            .all(|(text, canvas)| text_width(text, *scale) <= canvas.width())
    };
    let scale = (1..=3).rev().find(fits).unwrap_or(1);
    let margin = GLYPH * scale;
    let widths = panels.map(|(text, canvas)| canvas.width().max(text_width(text, scale)));
    let height = left.1.height().max(right.1.height());
    let head = 2 * margin + margin / 2;
    let channels = left.1.channels().max(right.1.channels());
    let whole_width = widths.iter().sum::<usize>() + 3 * margin;
    let mut whole = Canvas::plain(whole_width, head + height + margin, channels, PAPER);
    let mut start = margin;
    for ((text, canvas), width) in panels.into_iter().zip(widths) {
        write_text(
            &mut whole,
            text,
            start + (width - text_width(text, scale)) / 2,
            margin,
            scale,
        );
        whole.paste(canvas, start + (width - canvas.width()) / 2, head);
        start += width + margin;
    }
    whole
}

/// Writes one line of text, each of its pixels a square of side `scale`.
fn write_text(canvas: &mut Canvas, text: &str, left: usize, top: usize, scale: usize) {
    for (place, character) in text.chars().enumerate() {
        for (y, bits) in glyph(character).into_iter().enumerate() {
            // The lowest bit is the leftmost pixel.
            for x in (0..GLYPH).filter(|x| bits >> x & 1 == 1) {
                for square in 0..scale * scale {
                    let (dx, dy) = (square % scale, square / scale);
                    let column = left + (place * GLYPH + x) * scale + dx;
                    canvas.set(column, top + y * scale + dy, &[INK]);
                }
            }
        }
    }
}

/// A character's eight rows; what the font does not have becomes a question mark.
fn glyph(character: char) -> [u8; GLYPH] {
    let font = font8x8::legacy::BASIC_LEGACY;
    let printable = |character: char| character.is_ascii_graphic() || character == ' ';
    let character = if printable(character) { character } else { '?' };
    font.get(character as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pixel(canvas: &Canvas, x: usize, y: usize) -> &[u8] {
        let start = (y * canvas.width() + x) * canvas.channels();
        &canvas.pixels()[start..start + canvas.channels()]
    }

    #[test]
    fn captions_have_room_and_are_cut_where_everyone_sees_it() {
        let images: Vec<u8> = (0..3 * 3 * 4 * 5).map(|value| value as u8 + 1).collect();
        let grid = |captions: [&str; 3]| {
            compose_captioned_grid(&images, &captions.map(str::to_owned), [3, 4, 5], 2, 2).unwrap()
        };
        let narrow = grid(["a", "b", "c"]);
        assert_eq!(
            (narrow.width(), narrow.height(), narrow.channels()),
            (2 * 14 + 4, 2 * 22 + 4, 3)
        );
        // A cell is as wide as the longest of them, and its image in the middle of it.
        let wide = grid(["a", "18446744073709551615", "c"]);
        assert_eq!(wide.width(), 2 * 164 + 4);
        assert_eq!(pixel(&wide, 4 + 75, 4), [1, 21, 41]);
        assert_eq!(pixel(&wide, 4 + 75 + 9, 4 + 7), [20, 40, 60]);
        assert_eq!(pixel(&wide, 4 + 164 + 75, 4), [61, 81, 101]);
        // Two that differ only where they are cut look the same, and as if cut.
        assert_eq!(shortened("a name of twenty-two c"), "a name of twenty-tw~");
        assert_eq!(shortened("Müller\n"), "M?ller?");
        let row = |canvas: &Canvas| canvas.part([0, 14], [canvas.width(), 8]);
        assert_ne!(row(&narrow), row(&grid(["b", "a", "c"])));
        let refused = compose_captioned_grid(&images, &["a".to_owned()], [3, 4, 5], 2, 2);
        assert!(refused.is_err());
    }

    proptest! {
        #[test]
        fn every_image_stands_in_its_place(
            count in 1_usize..40, columns in 1_usize..12, channels in prop::sample::select(vec![1_usize, 3]),
            height in 1_usize..5, width in 1_usize..5,
        ) {
            // Each image has its own shade in each channel.
            let shade = |image: usize, channel: usize| (image * 3 + channel) as u8;
            let images: Vec<u8> = (0..count)
                .flat_map(|image| (0..channels).flat_map(move |channel| vec![shade(image, channel); height * width]))
                .collect();
            let canvas = compose_grid(&images, count, [channels, height, width], columns).unwrap();
            let shown = columns.min(count);
            let rows = count.div_ceil(shown);
            prop_assert_eq!(canvas.width(), shown * (width + 2) + 2);
            prop_assert_eq!(canvas.height(), rows * (height + 2) + 2);
            for y in 0..canvas.height() {
                for x in 0..canvas.width() {
                    let (column, row) = (x / (width + 2), y / (height + 2));
                    let gap = x % (width + 2) < 2 || y % (height + 2) < 2;
                    let image = row * shown + column;
                    let expected: Vec<u8> = (0..channels)
                        .map(|channel| if gap || image >= count { BACKGROUND } else { shade(image, channel) })
                        .collect();
                    prop_assert_eq!(pixel(&canvas, x, y), expected);
                }
            }
        }

        #[test]
        fn near_square_grids_are_near_square(count in 0_usize..100_000) {
            let columns = near_square_columns(count);
            prop_assert!(columns >= 1 && columns * columns >= count);
            prop_assert!(columns == 1 || (columns - 1) * (columns - 1) < count);
        }
    }

    #[test]
    fn grids_of_nothing_are_refused() {
        for (bytes, count, shape, columns) in [
            (0, 0, [1, 2, 2], 3),
            (4, 1, [1, 2, 2], 0),
            (5, 1, [1, 2, 2], 1),
            (8, 1, [2, 2, 2], 1),
            (0, 4, [1, 0, 2], 1),
            (1, 2, [1, usize::MAX, 2], 1),
        ] {
            assert!(compose_grid(&vec![0; bytes], count, shape, columns).is_err());
        }
    }

    #[test]
    fn pictures_side_by_side_keep_their_pixels_and_get_captions() {
        let left = Canvas::plain(100, 60, 1, 7);
        let right = Canvas::plain(120, 80, 3, 9);
        let both = side_by_side(("real", &left), ("generated", &right));
        assert_eq!(both.channels(), 3);
        assert!(both.width() >= 220 && both.height() > 80);
        let count = |shade: u8| both.pixels().chunks(3).filter(|pixel| *pixel == [shade; 3]).count();
        assert_eq!((count(7), count(9)), (100 * 60, 120 * 80));
        assert!(count(INK) > 50);

        // A caption far wider than its picture widens the whole and is not cut.
        let small = Canvas::plain(3, 3, 1, 7);
        let wide = side_by_side(("an unusually long caption", &small), ("é", &small));
        assert!(wide.width() >= 25 * 8);
    }
}
