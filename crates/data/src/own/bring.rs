//! From a path to images of one shape.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::{DynamicImage, GenericImageView};
use rayon::prelude::*;

use super::fit::{Target, transposed};
use super::options::{LabelSource, OwnOptions};
use super::pictures::{Pictures, Reader, Unusable, top_folders};
use super::report::{BadPicture, OwnReport};
use super::{cache, label_table, listing, stored};
use crate::{DataError, ImageSet};

/// The fewest pictures that something can be learned from; a handful is a mistake in the path.
pub const FEWEST_OWN: usize = 8;

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

/// Pictures, and what the class of each is called.
struct Named {
    pictures: Pictures,
    labels: Option<Vec<Option<String>>>,
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
    let of_stored = |stored: stored::Stored| Named {
        labels: stored.labels.map(|labels| labels.into_iter().map(Some).collect()),
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
    if found.pictures.len() < FEWEST_OWN {
        let plural = if count == 1 { "" } else { "s" };
        let mut text = format!("{count} picture{plural}");
        if let Some(asked) = options.count {
            text += &format!(", of which `data.count` takes {asked}");
        }
        if found.ignored > 0 {
            text += &format!(" beside {} other files", found.ignored);
        }
        if let Some(bad) = found.bad.first() {
            text += &format!("; {bad}");
        }
        return Err(DataError::format(path, format!("at least {FEWEST_OWN} pictures"), text));
    }
    // Of those that are taken: what is not among them is no class.
    let (labels, classes) = match &found.labels {
        Some(named) => {
            let (labels, classes) = label_table::numbered(path, named)?;
            (Some(labels), classes)
        }
        None => (None, Vec::new()),
    };
    Ok(Found {
        pictures: found.pictures,
        labels,
        classes,
        bad: found.bad,
        ignored: found.ignored,
    })
}

/// The pictures of a folder or an archive with their classes.
fn of_files(
    options: &OwnOptions,
    listing: listing::Listing,
    pictures: impl FnOnce(std::path::PathBuf, Vec<listing::Entry>) -> Pictures,
) -> Result<Named, DataError> {
    let path = &options.path;
    let named: Option<Vec<Option<String>>> = match &options.labels {
        LabelSource::None => None,
        LabelSource::Folders => Some(top_folders(&listing.entries)),
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
    Ok(Named {
        pictures: pictures(path.clone(), listing.entries),
        labels: named,
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
    let [height, width] = match options.image_size {
        Some(size) => [size, size],
        None => {
            // The first that can be used: one that is cut short says nothing of the others.
            let mut usable =
                (0..count).filter_map(|index| bring_one(options, found, &mut reader, index, |_, _| ()).ok());
            let Some(Brought {
                from: [width, height], ..
            }) = usable.next()
            else {
                let reason = reader
                    .outside(0)
                    .map_or_else(|error| error.reason, |_| "cannot be used".to_owned());
                let bad = BadPicture::new(&found.pictures.path(0), reason);
                let none = format!("none that can be used: {bad}, and so on");
                return Err(DataError::format(&options.path, "pictures", none));
            };
            [height as usize, width as usize]
        }
    };
    let channels = match options.channels {
        Some(channels) => channels,
        None => {
            let looked = count.min(LOOKED_AT);
            let outsides = (0..looked).filter_map(|number| reader.outside(number * count / looked).ok());
            let has_colours = outsides.filter(|outside| !outside.is_grey).count() > 0;
            if has_colours { 3 } else { 1 }
        }
    };
    if height > 1 << 14 || width > 1 << 14 {
        let found = format!("{width}×{height}");
        return Err(DataError::format(&options.path, "images of at most 16384×16384", found));
    }
    Ok([channels, height, width])
}

/// Refuses more bytes than there is room for.
fn check_room(options: &OwnOptions, count: usize, shape: [usize; 3]) -> Result<(), DataError> {
    let sides = shape.map(|side| side as u64);
    let bytes = sides.into_iter().fold(count as u64, u64::saturating_mul);
    let most = options.most_bytes.unwrap_or(u64::MAX).min(isize::MAX as u64);
    match bytes > most {
        true => Err(DataError::OwnTooLarge {
            path: options.path.clone(),
            count,
            shape,
            bytes,
            most,
        }),
        false => Ok(()),
    }
}

/// What is known before anything is decoded but the outsides of a few pictures.
///
/// # Errors
///
/// [`DataError::Io`] and [`DataError::Format`] where there is nothing that can be read or the table of labels is broken;
/// [`DataError::OwnTooLarge`] where the images would not fit.
pub fn survey_own(options: &OwnOptions) -> Result<OwnSurvey, DataError> {
    let found = find(options)?;
    let shape = shape(options, &found)?;
    check_room(options, found.pictures.len(), shape)?;
    Ok(OwnSurvey {
        count: found.pictures.len(),
        shape,
        classes: found.classes,
    })
}

/// Reads, decodes and fits the images, on all threads; `progress` is told how many of how many are done.
///
/// # Errors
///
/// As [`survey_own`], and where a class has no picture that can be used; [`DataError::BadPictures`] where some cannot be used and [`OwnOptions::skip_bad`] is not set, or too few are left;
/// [`DataError::Format`] where pictures of several sizes are to be left as they are.
pub fn load_own(
    options: &OwnOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ImageSet, OwnReport), DataError> {
    let found = find(options)?;
    let place = found.pictures.entries().and_then(|entries| {
        let classes = (found.labels.as_deref(), found.classes.as_slice());
        cache::place(options, entries, classes)
    });
    let kept = place.as_deref().and_then(|place| cache::read(place, &options.name()));
    let (images, mut report) = match kept {
        Some(kept) => kept,
        None => {
            let (images, report, is_passing) = bring(options, &found, progress)?;
            // What the system refused today it may give tomorrow.
            if let Some(place) = &place
                && !is_passing
                && let Err(error) = cache::write(place, &images, &report)
            {
                tracing::warn!("the decoded pictures are not kept: {error}");
            }
            (images, report)
        }
    };
    // What was met on the way to the pictures is as it is now.
    report.bad.extend_from_slice(&found.bad);
    report.bad.sort_by(|left, right| left.name.cmp(&right.name));
    report.ignored = found.ignored;
    refuse_bad(options, &report)?;
    Ok((images, report))
}

/// Decodes everything, and says what cannot be used and why; of any number of pictures of any sizes.
///
/// # Errors
///
/// [`DataError::Io`] and [`DataError::Format`] where there is nothing that can be read, or the table of labels is broken.
pub fn check_own(options: &OwnOptions, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<OwnReport, DataError> {
    let found = find(options)?;
    let count = found.pictures.len();
    let done = AtomicUsize::new(0);
    let one = |reader: &mut Reader<'_>, index: usize| {
        let brought = bring_one(options, &found, reader, index, |_, _| ());
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
        brought
    };
    let outcomes: Vec<_> = (0..count)
        .into_par_iter()
        .map_init(|| found.pictures.reader(), one)
        .collect();
    let mut summary = Summary::default();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        summary.add(&found, index, outcome, options.image_size.map(|size| [size, size]));
    }
    let [smallest, largest] = summary.from();
    let shape = match smallest == largest || options.image_size.is_some() {
        true if !summary.sizes.is_empty() => Some(shape(options, &found)?),
        _ => None,
    };
    let mut report = summary.report(options, &found, shape);
    report.bad.extend_from_slice(&found.bad);
    report.bad.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(report)
}

fn refuse_bad(options: &OwnOptions, report: &OwnReport) -> Result<(), DataError> {
    let is_fine = report.bad.is_empty() || options.skip_bad;
    match is_fine && report.images >= FEWEST_OWN {
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
}

/// What came of all.
#[derive(Default)]
struct Summary {
    bad: Vec<BadPicture>,
    is_passing: bool,
    /// Width and height of those that can be used.
    sizes: Vec<[u32; 2]>,
    is_fitted: bool,
}

impl Summary {
    /// Takes what came of a picture that becomes so high and wide.
    fn add(&mut self, found: &Found, index: usize, outcome: Result<Brought, Unusable>, to: Option<[usize; 2]>) {
        match outcome {
            Ok(Brought { from: [width, height] }) => {
                self.sizes.push([width, height]);
                self.is_fitted |= to.is_some_and(|[to_height, to_width]| {
                    u64::from(width) * to_height as u64 != u64::from(height) * to_width as u64
                });
            }
            Err(unusable) => {
                self.is_passing |= unusable.is_passing;
                self.bad
                    .push(BadPicture::new(&found.pictures.path(index), unusable.reason));
            }
        }
    }

    /// The smallest and the largest by area.
    fn from(&self) -> [[u32; 2]; 2] {
        let area = |size: &&[u32; 2]| u64::from(size[0]) * u64::from(size[1]);
        let ends = [self.sizes.iter().min_by_key(area), self.sizes.iter().max_by_key(area)];
        ends.map(|size| size.copied().unwrap_or_default())
    }

    fn report(self, options: &OwnOptions, found: &Found, shape: Option<[usize; 3]>) -> OwnReport {
        OwnReport {
            images: self.sizes.len(),
            from: self.from(),
            bad: self.bad,
            ignored: found.ignored,
            shape,
            fitted: self.is_fitted.then_some(options.fit),
            classes: found.classes.clone(),
        }
    }
}

/// The images, what became of them without what [`find`] met, and whether any was refused by the system.
fn bring(
    options: &OwnOptions,
    found: &Found,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ImageSet, OwnReport, bool), DataError> {
    let shape = shape(options, found)?;
    let count = found.pictures.len();
    check_room(options, count, shape)?;
    let length: usize = shape.iter().product();
    let target = Target {
        shape,
        fit: options.fit,
        background: options.background,
    };
    let [_, height, width] = shape;
    let done = AtomicUsize::new(0);
    let mut pixels = vec![0; count * length];
    let one = |reader: &mut Reader<'_>, (index, out): (usize, &mut [u8])| {
        let brought = bring_one(options, found, reader, index, |picture, from| {
            if options.image_size.is_some() || from == [width as u32, height as u32] {
                target.write(picture, out);
            }
        });
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
        brought
    };
    let outcomes: Vec<Result<Brought, Unusable>> = pixels
        .par_chunks_mut(length)
        .enumerate()
        .map_init(|| found.pictures.reader(), one)
        .collect();
    if options.image_size.is_none() {
        refuse_sizes(options, found, shape, &outcomes)?;
    }
    let mut labels = found.labels.as_ref().map(|_| Vec::with_capacity(count));
    let mut summary = Summary::default();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        if outcome.is_ok() {
            // Those that cannot be used leave no gaps.
            pixels.copy_within(index * length..(index + 1) * length, summary.sizes.len() * length);
            if let (Some(labels), Some(found)) = (&mut labels, &found.labels) {
                labels.push(found[index].unwrap_or_default());
            }
        }
        summary.add(found, index, outcome, Some([height, width]));
    }
    pixels.truncate(summary.sizes.len() * length);
    if let Some(labels) = &labels {
        refuse_empty_classes(options, &found.classes, labels)?;
    }
    let names: Vec<&str> = found.classes.iter().map(String::as_str).collect();
    let set = ImageSet::new(options.name(), pixels, labels, shape)?.with_class_names(&names);
    let is_passing = summary.is_passing;
    Ok((set, summary.report(options, found, Some(shape)), is_passing))
}

/// A class of which nothing is left could be asked for, and was never seen.
fn refuse_empty_classes(options: &OwnOptions, classes: &[String], labels: &[u8]) -> Result<(), DataError> {
    let seen: BTreeSet<u8> = labels.iter().copied().collect();
    let mut numbered = classes.iter().enumerate();
    match numbered.find(|(number, _)| !seen.contains(&(*number as u8))) {
        Some((_, class)) if !labels.is_empty() => {
            let found = format!("none of `{}` that can be used", class.escape_debug());
            Err(DataError::format(&options.path, "pictures of each class", found))
        }
        _ => Ok(()),
    }
}

/// Decodes a picture and hands it over with its width and height, where it can be used.
fn bring_one(
    options: &OwnOptions,
    found: &Found,
    reader: &mut Reader<'_>,
    index: usize,
    take: impl FnOnce(DynamicImage, [u32; 2]),
) -> Result<Brought, Unusable> {
    let mut picture = reader.picture(index, options.background)?;
    if options.transpose {
        picture = transposed(&picture);
    }
    let is_file = found.pictures.entries().is_some();
    if is_file && has_one_colour(&picture) {
        return Err("has one colour only".to_owned().into());
    }
    if let Some(labels) = &found.labels
        && labels[index].is_none()
    {
        let reason = match options.labels {
            LabelSource::Folders => "lies in no folder, which would be its class",
            _ => "has no label in the table",
        };
        return Err(reason.to_owned().into());
    }
    let (width, height) = picture.dimensions();
    take(picture, [width, height]);
    Ok(Brought { from: [width, height] })
}

/// Pictures of several sizes are fitted, or none are.
fn refuse_sizes(
    options: &OwnOptions,
    found: &Found,
    [_, height, width]: [usize; 3],
    outcomes: &[Result<Brought, Unusable>],
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
