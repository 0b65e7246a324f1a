//! From pictures to images of one shape.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::cache;
use super::find::{FEWEST_OWN, Found, find};
use super::fit::Target;
use super::one::{Brought, bring_one};
use super::options::OwnOptions;
use super::pictures::{Reader, Unusable};
use super::report::{BadPicture, OwnReport};
use super::stored::Depth;
use super::survey::{check_room, shape};
use crate::{DataError, ImageSet};

/// Reads, decodes and fits the images, on all threads; `progress` is told how many of how many are done.
///
/// # Errors
///
/// As [`survey_own`](super::survey_own), and where a class has no picture that can be used; [`DataError::BadPictures`] where some cannot be used and [`OwnOptions::skip_bad`] is not set, or too few are left;
/// [`DataError::Format`] where pictures of several sizes are to be left as they are.
pub fn load_own(
    options: &OwnOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ImageSet, OwnReport), DataError> {
    let mut found = find(options, Depth::Whole)?;
    let place = found.pictures.entries().and_then(|entries| {
        let classes = (found.labels.as_deref(), found.classes.as_slice());
        cache::place(options, entries, classes)
    });
    let kept = place.as_deref().and_then(|place| cache::read(place, &options.name()));
    let (images, mut report) = match kept {
        Some(kept) => kept,
        None => {
            let (images, report, is_passing) = bring(options, &mut found, progress)?;
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
    let found = find(options, Depth::Whole)?;
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
    found: &mut Found,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ImageSet, OwnReport, bool), DataError> {
    let shape = shape(options, found)?;
    let count = found.pictures.len();
    check_room(options, count, shape)?;
    let length: usize = shape.iter().product();
    let [_, height, width] = shape;
    // An array can fill most of the memory, so one that is as it shall be is not copied.
    let ready = match options.transpose {
        true => None,
        false => found.pictures.take_pixels(shape),
    };
    let (mut pixels, outcomes) = match ready {
        Some(pixels) => {
            let from = [width as u32, height as u32];
            progress(count, count);
            (pixels, (0..count).map(|_| Ok(Brought { from })).collect())
        }
        None => decode_all(options, found, shape, progress),
    };
    if options.image_size.is_none() {
        refuse_sizes(options, found, shape, &outcomes)?;
    }
    let mut labels = found.labels.as_ref().map(|_| Vec::with_capacity(count));
    let mut summary = Summary::default();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        if outcome.is_ok() {
            // Those that cannot be used leave no gaps.
            if summary.sizes.len() < index {
                pixels.copy_within(index * length..(index + 1) * length, summary.sizes.len() * length);
            }
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

/// Decodes and fits all pictures, on all threads: the pixels, with gaps where one cannot be used, and what came of each.
fn decode_all(
    options: &OwnOptions,
    found: &Found,
    shape: [usize; 3],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> (Vec<u8>, Vec<Result<Brought, Unusable>>) {
    let (count, length) = (found.pictures.len(), shape.iter().product());
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
    let outcomes = pixels
        .par_chunks_mut(length)
        .enumerate()
        .map_init(|| found.pictures.reader(), one)
        .collect();
    (pixels, outcomes)
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
