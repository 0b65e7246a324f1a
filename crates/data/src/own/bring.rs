//! From a path to images of one shape.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::{DynamicImage, GenericImageView};
use rayon::prelude::*;

use super::fit::{Target, transposed};
use super::options::{LabelSource, OwnOptions};
use super::pictures::{Pictures, Reader, top_folder};
use super::report::{BadPicture, OwnReport};
use super::{cache, label_table, listing, stored};
use crate::{DataError, ImageSet};

/// The fewest pictures that something can be learned from; a handful is a mistake in the path.
const FEWEST: usize = 8;

/// How many pictures say whether all are grey.
const LOOKED_AT: usize = 64;

/// What is known of images before they are decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSurvey {
    /// How many there are, those that cannot be used among them.
    pub count: usize,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// What the classes are called; empty where there are none.
    pub classes: Vec<String>,
}

/// Pictures, and the class of each.
struct Found {
    pictures: Pictures,
    /// `None` for those whose class is not said.
    labels: Option<Vec<Option<u8>>>,
    classes: Vec<String>,
    bad: Vec<BadPicture>,
    ignored: usize,
}

/// Finds the pictures and their classes.
fn find(options: &OwnOptions) -> Result<Found, DataError> {
    let path = &options.path;
    let about = std::fs::metadata(path).map_err(|error| DataError::io("read", path, error))?;
    let ending = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let of_stored = |stored: stored::Stored| Found {
        labels: stored.labels.map(|labels| labels.into_iter().map(Some).collect()),
        classes: stored.classes,
        pictures: Pictures::Memory(stored.images),
        bad: Vec::new(),
        ignored: 0,
    };
    let mut found = if about.is_dir() {
        match stored::cifar_files(path) {
            Some(files) => of_stored(stored::read_cifar(&files)?),
            None => {
                let listing = listing::of_folder(path);
                of_files(options, listing, |root, entries| Pictures::Folder { root, entries })?
            }
        }
    } else if ending == "zip" {
        let listing = listing::of_archive(path)?;
        of_files(options, listing, |path, entries| Pictures::Archive { path, entries })?
    } else if stored::is_stored(path) {
        of_stored(stored::read(path)?)
    } else {
        let expected =
            "a folder or .zip of pictures, a .npy or .npz of NumPy, an IDX file (.idx, -ubyte, .gz) or CIFAR-10's .bin";
        return Err(DataError::format(path, expected, "a file of another name"));
    };
    if let (Pictures::Memory(_), LabelSource::Folders | LabelSource::Table(_)) = (&found.pictures, &options.labels) {
        let found = "one file, which has no folders and no names for a table";
        return Err(DataError::format(
            path,
            "a folder or .zip of pictures for these labels",
            found,
        ));
    }
    let count = found.pictures.len();
    if let Some(asked) = options.count {
        if asked > count {
            return Err(DataError::format(
                path,
                format!("at least {asked} images"),
                count.to_string(),
            ));
        }
        found.pictures.truncate(asked);
        if let Some(labels) = &mut found.labels {
            labels.truncate(asked);
        }
    }
    if found.pictures.len() < FEWEST {
        let plural = if count == 1 { "" } else { "s" };
        let mut text = format!("{} picture{plural}", found.pictures.len());
        if found.ignored > 0 {
            text += &format!(" beside {} other files", found.ignored);
        }
        if let Some(bad) = found.bad.first() {
            text += &format!("; {bad}");
        }
        return Err(DataError::format(path, format!("at least {FEWEST} pictures"), text));
    }
    Ok(found)
}

/// The pictures of a folder or an archive with their classes.
fn of_files(
    options: &OwnOptions,
    listing: listing::Listing,
    pictures: impl FnOnce(std::path::PathBuf, Vec<listing::Entry>) -> Pictures,
) -> Result<Found, DataError> {
    let path = &options.path;
    let named: Option<Vec<Option<String>>> = match &options.labels {
        LabelSource::None => None,
        LabelSource::Folders => Some(listing.entries.iter().map(|entry| top_folder(&entry.path)).collect()),
        LabelSource::Table(table) => {
            let table = read_table(path, table)?;
            Some(
                listing
                    .entries
                    .iter()
                    .map(|entry| table.get(&entry.path).cloned())
                    .collect(),
            )
        }
    };
    let (labels, classes) = match named {
        Some(named) => {
            let (labels, classes) = label_table::numbered(path, &named)?;
            (Some(labels), classes)
        }
        None => (None, Vec::new()),
    };
    Ok(Found {
        pictures: pictures(path.clone(), listing.entries),
        labels,
        classes,
        bad: listing.bad,
        ignored: listing.ignored,
    })
}

/// The table of labels in a folder or an archive, or at a path of its own.
fn read_table(root: &Path, table: &Path) -> Result<std::collections::HashMap<std::path::PathBuf, String>, DataError> {
    if root.is_dir() {
        let path = root.join(table);
        let file = std::fs::File::open(&path).map_err(|error| DataError::io("read", &path, error))?;
        return label_table::read(&path, file);
    }
    let mut archive = listing::open(root)?;
    let name = table.to_string_lossy();
    let member = archive.by_name(&name);
    match member {
        Ok(member) => label_table::read(table, member),
        Err(_) => Err(DataError::format(
            root,
            format!("`{name}`, the table of labels"),
            "no such member",
        )),
    }
}

/// The shape that images will have.
fn shape(options: &OwnOptions, found: &Found) -> Result<[usize; 3], DataError> {
    let mut reader = found.pictures.reader();
    let count = found.pictures.len();
    let first = || {
        let mut reader = found.pictures.reader();
        let outside = (0..count).find_map(|index| reader.outside(index).ok());
        outside.ok_or_else(|| {
            let reason = found.pictures.reader().outside(0).err().unwrap_or_default();
            let bad = BadPicture::new(&found.pictures.path(0), reason);
            DataError::format(
                &options.path,
                "pictures",
                format!("none that can be decoded: {bad}, and so on"),
            )
        })
    };
    let [height, width] = match options.image_size {
        Some(size) => [size, size],
        None => {
            let outside = first()?;
            let [height, width] = [outside.height as usize, outside.width as usize];
            if options.transpose {
                [width, height]
            } else {
                [height, width]
            }
        }
    };
    let channels = match options.channels {
        Some(channels) => channels,
        None => {
            first()?;
            let looked = count.min(LOOKED_AT);
            let mut indices = (0..looked).map(|number| number * count / looked);
            let is_grey = indices.all(|index| {
                reader.outside(index).is_ok_and(|outside| outside.is_grey) || reader.outside(index).is_err()
            });
            if is_grey { 1 } else { 3 }
        }
    };
    if height > 1 << 14 || width > 1 << 14 {
        let found = format!("{width}×{height}");
        return Err(DataError::format(&options.path, "images of at most 16384×16384", found));
    }
    let bytes = (count as u64)
        .saturating_mul(channels as u64)
        .saturating_mul((height * width) as u64);
    let most = options.most_bytes.unwrap_or(u64::MAX).min(isize::MAX as u64);
    if bytes > most {
        return Err(DataError::OwnTooLarge {
            path: options.path.clone(),
            count,
            shape: [channels, height, width],
            bytes,
            most,
        });
    }
    Ok([channels, height, width])
}

/// What is known before anything is decoded but the outsides of a few pictures.
///
/// # Errors
///
/// [`DataError::Io`] and [`DataError::Format`] where there is nothing that can be read or the table of labels is broken;
/// [`DataError::OwnTooLarge`] where the images would not fit.
pub fn survey_own(options: &OwnOptions) -> Result<OwnSurvey, DataError> {
    let found = find(options)?;
    Ok(OwnSurvey {
        count: found.pictures.len(),
        shape: shape(options, &found)?,
        classes: found.classes,
    })
}

/// Reads, decodes and fits the images, on all threads; `progress` is told how many of how many are done.
///
/// # Errors
///
/// As [`survey_own`]; [`DataError::BadPictures`] where some cannot be used and [`OwnOptions::skip_bad`] is not set, or too few are left;
/// [`DataError::Format`] where pictures of several sizes are to be left as they are.
pub fn load_own(
    options: &OwnOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ImageSet, OwnReport), DataError> {
    let found = find(options)?;
    let place = found
        .pictures
        .entries()
        .and_then(|entries| cache::place(options, entries));
    let kept = place.as_deref().and_then(|place| cache::read(place, &options.name()));
    let (images, report) = match kept {
        Some(kept) => kept,
        None => {
            let brought = bring(options, &found, progress)?;
            refuse_bad(options, &brought.1)?;
            if let Some(place) = &place
                && let Err(error) = cache::write(place, &brought.0, &brought.1)
            {
                tracing::warn!("the decoded pictures are not kept: {error}");
            }
            brought
        }
    };
    refuse_bad(options, &report)?;
    Ok((images, report))
}

/// Decodes everything, and says what cannot be used and why.
///
/// # Errors
///
/// As [`load_own`], but for [`DataError::BadPictures`].
pub fn check_own(options: &OwnOptions, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<OwnReport, DataError> {
    let found = find(options)?;
    Ok(bring(options, &found, progress)?.1)
}

fn refuse_bad(options: &OwnOptions, report: &OwnReport) -> Result<(), DataError> {
    let is_fine = report.bad.is_empty() || options.skip_bad;
    match is_fine && report.images >= FEWEST {
        true => Ok(()),
        false => Err(DataError::BadPictures {
            path: options.path.clone(),
            left: report.images,
            bad: report.bad.clone(),
        }),
    }
}

/// What came of one picture.
struct Brought {
    from: [u32; 2],
    is_fitted: bool,
}

fn bring(
    options: &OwnOptions,
    found: &Found,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ImageSet, OwnReport), DataError> {
    let shape = shape(options, found)?;
    let count = found.pictures.len();
    let length: usize = shape.iter().product();
    let target = Target {
        shape,
        fit: options.fit,
        background: options.background,
    };
    let done = AtomicUsize::new(0);
    let mut pixels = vec![0; count * length];
    let one = |reader: &mut Reader<'_>, (index, out): (usize, &mut [u8])| {
        let brought = bring_one(options, found, target, reader, index, out);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
        brought
    };
    let outcomes: Vec<Result<Brought, String>> = pixels
        .par_chunks_mut(length)
        .enumerate()
        .map_init(|| found.pictures.reader(), one)
        .collect();
    if options.image_size.is_none() {
        refuse_sizes(options, found, shape, &outcomes)?;
    }
    let mut bad = found.bad.clone();
    let mut labels = found.labels.as_ref().map(|_| Vec::with_capacity(count));
    let mut images = 0;
    let mut sizes: Vec<[u32; 2]> = Vec::new();
    let mut is_fitted = false;
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(brought) => {
                // Those that cannot be used leave no gaps.
                pixels.copy_within(index * length..(index + 1) * length, images * length);
                images += 1;
                sizes.push(brought.from);
                is_fitted |= brought.is_fitted;
                if let (Some(labels), Some(found)) = (&mut labels, &found.labels) {
                    labels.push(found[index].unwrap_or_default());
                }
            }
            Err(reason) => bad.push(BadPicture::new(&found.pictures.path(index), reason)),
        }
    }
    pixels.truncate(images * length);
    bad.sort_by(|left, right| left.name.cmp(&right.name));
    let area = |size: &&[u32; 2]| u64::from(size[0]) * u64::from(size[1]);
    let from =
        [sizes.iter().min_by_key(area), sizes.iter().max_by_key(area)].map(|size| size.copied().unwrap_or_default());
    let names: Vec<&str> = found.classes.iter().map(String::as_str).collect();
    let set = ImageSet::new(options.name(), pixels, labels, shape)?.with_class_names(&names);
    let report = OwnReport {
        images,
        bad,
        ignored: found.ignored,
        from,
        shape,
        fitted: is_fitted.then_some(options.fit),
        classes: found.classes.clone(),
    };
    Ok((set, report))
}

fn bring_one(
    options: &OwnOptions,
    found: &Found,
    target: Target,
    reader: &mut Reader<'_>,
    index: usize,
    out: &mut [u8],
) -> Result<Brought, String> {
    let mut picture = reader.picture(index, options.background)?;
    if options.transpose {
        picture = transposed(&picture);
    }
    let is_file = found.pictures.entries().is_some();
    if is_file && has_one_colour(&picture) {
        return Err("has one colour only".to_owned());
    }
    if let Some(labels) = &found.labels
        && labels[index].is_none()
    {
        return Err(match options.labels {
            LabelSource::Folders => "lies in no folder, which would be its class".to_owned(),
            _ => "has no label in the table".to_owned(),
        });
    }
    let (width, height) = picture.dimensions();
    let [_, target_height, target_width] = target.shape;
    let is_fitted = u64::from(width) * target_height as u64 != u64::from(height) * target_width as u64;
    if options.image_size.is_some() || [height as usize, width as usize] == [target_height, target_width] {
        target.write(picture, out);
    }
    Ok(Brought {
        from: [width, height],
        is_fitted,
    })
}

/// Pictures of several sizes are fitted, or none are.
fn refuse_sizes(
    options: &OwnOptions,
    found: &Found,
    [_, height, width]: [usize; 3],
    outcomes: &[Result<Brought, String>],
) -> Result<(), DataError> {
    let usual = [width as u32, height as u32];
    let other = outcomes.iter().enumerate().find_map(|(index, outcome)| {
        outcome
            .as_ref()
            .ok()
            .filter(|brought| brought.from != usual)
            .map(|brought| (index, brought.from))
    });
    match other {
        None => Ok(()),
        Some((index, [other_width, other_height])) => {
            let name = found.pictures.path(index).to_string_lossy().escape_debug().to_string();
            Err(DataError::OwnSizes {
                path: options.path.clone(),
                usual,
                other: [other_width, other_height],
                name,
            })
        }
    }
}

/// Whether all pixels are the same.
fn has_one_colour(picture: &DynamicImage) -> bool {
    let channels = usize::from(picture.color().channel_count());
    let bytes = picture.as_bytes();
    bytes
        .get(..channels)
        .is_some_and(|first| bytes.chunks_exact(channels).all(|pixel| pixel == first))
}
