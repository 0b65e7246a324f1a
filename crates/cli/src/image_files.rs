//! Files of many images, written as the images come, in bounded memory.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use flate2::{Compression, write::GzEncoder};
use ganvas_data::{
    Canvas, NpzWriter, compose_captioned_grid, compose_grid, denormalize, idx, near_square_columns, npy,
};
use ganvas_model::ImageShape;

use crate::{
    args::Format,
    ended::UsageError,
    outputs::{Destination, is_stdout},
    quoting::quoted,
};

/// Digits are small: each pixel becomes a square of this side.
pub const ENLARGEMENT: usize = 3;

/// The most images in one picture.
const MOST_IN_GRID: u64 = 10_000;

/// Names in a folder of images: `000000.png` and so on.
const LEAST_DIGITS: usize = 6;

/// The most bytes of one picture in memory.
const MOST_GRID_BYTES: usize = 1 << 30;

/// Where images go, by format.
pub enum ImageWriter {
    /// Held until all are there, because a grid's rows lie across them.
    Grid {
        destination: Destination,
        bytes: Vec<u8>,
        count: usize,
        shape: [usize; 3],
        /// As near to a square as can be where it is not given.
        columns: Option<usize>,
        /// A line for each image, or none at all.
        captions: Vec<String>,
    },
    /// One after the other, behind a header.
    Npy(BufWriter<Destination>),
    /// Bytes with the channels last, as other tools' evaluators take samples.
    Npz {
        archive: Box<NpzWriter<BufWriter<Destination>>>,
        shape: [usize; 3],
    },
    Idx(BufWriter<Destination>),
    Gzip(Box<GzEncoder<BufWriter<Destination>>>),
    /// A file each.
    Folder {
        path: PathBuf,
        shape: [usize; 3],
        written: u64,
        names: Names,
    },
}

/// What the files of a folder are called.
pub enum Names {
    /// `000000.png` and so on, of so many digits, in the order of the images.
    Numbers(usize),
    /// `seed0000.png`, by the seed of each.
    Seeds(Vec<u64>),
}

impl Names {
    fn of(&self, number: u64) -> String {
        match self {
            Self::Numbers(digits) => format!("{number:0width$}.png", width = *digits),
            Self::Seeds(seeds) => format!("{SEED}{:04}.png", seeds[number as usize]),
        }
    }
}

/// How a name of a seed begins.
const SEED: &str = "seed";

/// What stands before an array's numbers.
pub fn npy_header(shape: &[usize]) -> io::Result<Vec<u8>> {
    npy::header(npy::F32, shape).ok_or_else(|| io::Error::other("the array has too many axes for NPY"))
}

impl ImageWriter {
    /// Opens what `count` images are written to, a grid in so many columns; refuses what cannot be written.
    pub fn open(
        out: &Path,
        format: Format,
        (count, columns): (u64, Option<usize>),
        image: ImageShape,
        seeds: Option<&[u64]>,
        force: bool,
    ) -> anyhow::Result<Self> {
        let shape = image.dims();
        let refuse = |message: String| UsageError(format!("{}: {message}", quoted(out)));
        let number = usize::try_from(count).unwrap_or(usize::MAX);
        if format == Format::Folder {
            // The names are in the order of the images.
            let digits = (count - 1).to_string().len().max(LEAST_DIGITS);
            let names = seeds.map_or(Names::Numbers(digits), |seeds| Names::Seeds(seeds.to_vec()));
            return Self::folder(out, shape, names, force);
        }
        if format == Format::Idx && image.channels != 1 {
            let channels = image.channels;
            bail!(refuse(format!(
                "an IDX file of images holds one channel, these have {channels}; use .npy, .npz, .png or a folder"
            )));
        }
        if format == Format::Png {
            let area = shape.iter().product::<usize>() * ENLARGEMENT * ENLARGEMENT;
            let most = MOST_IN_GRID.min((MOST_GRID_BYTES / area) as u64);
            if count > most {
                bail!(refuse(format!(
                    "a picture holds at most {most} images of this size, {count} are asked for; use .npy, .npz or a folder"
                )));
            }
        }
        let mut destination = Destination::open(out, force)?;
        Ok(match format {
            Format::Png => Self::Grid {
                destination,
                bytes: Vec::new(),
                count: number,
                shape,
                columns,
                captions: Vec::new(),
            },
            Format::Npy => {
                destination.write_all(&npy_header(&[number, shape[0], shape[1], shape[2]])?)?;
                Self::Npy(BufWriter::new(destination))
            }
            Format::Npz => {
                let sides = [number, image.height, image.width, image.channels];
                Self::Npz {
                    archive: Box::new(NpzWriter::new(BufWriter::new(destination), &sides)?),
                    shape,
                }
            }
            _ => {
                let header = idx::header(&[number, image.height, image.width]);
                let header = header.ok_or_else(|| refuse(format!("IDX counts no {count} images")))?;
                match out.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz")) {
                    true => {
                        let mut encoder = GzEncoder::new(BufWriter::new(destination), Compression::default());
                        encoder.write_all(&header)?;
                        Self::Gzip(Box::new(encoder))
                    }
                    false => {
                        destination.write_all(&header)?;
                        Self::Idx(BufWriter::new(destination))
                    }
                }
            }
        })
    }

    fn folder(out: &Path, shape: [usize; 3], names: Names, force: bool) -> anyhow::Result<Self> {
        if is_stdout(out) {
            bail!(UsageError("-: a folder cannot be standard output; name one".into()));
        }
        match fs::read_dir(out) {
            Ok(_) if !force && !is_empty(out) => {
                bail!(UsageError(format!(
                    "{}: the folder is not empty; name another, or replace the numbered images in it with `--force`",
                    quoted(out)
                )));
            }
            Ok(_) => remove_numbered(out)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let above = out.parent().filter(|above| !above.as_os_str().is_empty());
                if let Some(above) = above.filter(|above| !above.is_dir()) {
                    bail!(UsageError(format!(
                        "{}: there is no folder {}; create it first",
                        quoted(out),
                        quoted(above)
                    )));
                }
                fs::create_dir(out).with_context(|| format!("cannot create {}", quoted(out)))?;
            }
            Err(error) => return Err(error).with_context(|| format!("cannot write into {}", quoted(out))),
        }
        Ok(Self::Folder {
            path: out.to_owned(),
            shape,
            written: 0,
            names,
        })
    }

    /// Takes the next images, values in -1..1.
    pub fn write(&mut self, images: &[f32]) -> anyhow::Result<()> {
        let as_bytes = || images.iter().map(|&value| denormalize(value)).collect::<Vec<u8>>();
        match self {
            Self::Grid { bytes, .. } => bytes.extend(as_bytes()),
            Self::Npy(out) => images
                .iter()
                .try_for_each(|value| out.write_all(&value.to_le_bytes()))?,
            Self::Npz { archive, shape } => {
                for image in as_bytes().chunks_exact(shape.iter().product()) {
                    archive.write_all(&channels_last(image, *shape))?;
                }
            }
            Self::Idx(out) => out.write_all(&as_bytes())?,
            Self::Gzip(out) => out.write_all(&as_bytes())?,
            Self::Folder {
                path,
                shape,
                written,
                names,
            } => {
                for image in as_bytes().chunks_exact(shape.iter().product()) {
                    let mut destination = Destination::open(&path.join(names.of(*written)), true)?;
                    one(image, *shape)?.encode_png(&mut destination)?;
                    destination.finish_one_of_many()?;
                    *written += 1;
                }
            }
        }
        Ok(())
    }

    /// Takes the lines under the next images; only pictures have them.
    pub fn caption(&mut self, lines: impl Iterator<Item = String>) {
        if let Self::Grid { captions, .. } = self {
            captions.extend(lines);
        }
    }

    /// Brings everything to its place.
    pub fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Grid {
                mut destination,
                bytes,
                count,
                shape,
                columns,
                captions,
            } => {
                let columns = columns.unwrap_or_else(|| near_square_columns(count));
                let grid = match captions.is_empty() {
                    true => compose_grid(&bytes, count, shape, columns)?.upscale(ENLARGEMENT),
                    false => compose_captioned_grid(&bytes, &captions, shape, columns, ENLARGEMENT)?,
                };
                grid.encode_png(&mut destination)?;
                destination.finish()
            }
            Self::Npy(out) | Self::Idx(out) => inner(out)?.finish(),
            Self::Npz { archive, .. } => inner(archive.finish()?)?.finish(),
            Self::Gzip(encoder) => inner(encoder.finish()?)?.finish(),
            Self::Folder { .. } => Ok(()),
        }
    }
}

fn inner(out: BufWriter<Destination>) -> io::Result<Destination> {
    out.into_inner().map_err(|error| error.into_error())
}

/// One image without a frame.
fn one(image: &[u8], shape: [usize; 3]) -> anyhow::Result<Canvas> {
    let [channels, height, width] = shape;
    Ok(Canvas::new(width, height, channels, channels_last(image, shape))?)
}

/// The bytes of an image with its channels side by side in each pixel.
fn channels_last(image: &[u8], [channels, height, width]: [usize; 3]) -> Vec<u8> {
    let area = height * width;
    let pixels = (0..area).flat_map(|pixel| (0..channels).map(move |channel| image[channel * area + pixel]));
    pixels.collect()
}

/// Removes what an earlier command wrote into a folder of images: of more images than are written now, some would stay among
/// the new ones.
fn remove_numbered(folder: &Path) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", quoted(folder)))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_png = path.extension().is_some_and(|end| end == "png");
        let stem = path.file_stem().unwrap_or_default().as_encoded_bytes();
        let is_digits = |stem: &[u8], least: usize| stem.len() >= least && stem.iter().all(u8::is_ascii_digit);
        let is_seed = stem
            .strip_prefix(SEED.as_bytes())
            .is_some_and(|stem| is_digits(stem, 4));
        if is_png && (is_digits(stem, LEAST_DIGITS) || is_seed) && path.is_file() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", quoted(&path)))?;
        }
    }
    Ok(())
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
