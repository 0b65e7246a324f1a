//! Decoded pictures in a file, so that they are decoded once.
//!
//! The file's name is a sum over everything that decides what is in it: the paths of the pictures with their lengths and times (in archives their
//! checksums), and the options. Its content has the sum of the images, which is looked at again whenever it is read.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::listing::Entry;
use super::options::OwnOptions;
use super::report::OwnReport;
use crate::{DataError, Fingerprint, ImageSet, ImageSource, write_atomically};

/// How a file begins; another number where what is in it changes.
const MAGIC: &[u8; 16] = b"ganvas images 1\n";

/// The most bytes of what stands before the pixels.
const MOST_HEAD: u64 = 1 << 28;

/// Where decoded pictures are kept: a folder of the user's cache, which can be deleted at any time; `None` where there is no such place.
#[must_use]
pub fn image_cache() -> Option<PathBuf> {
    dirs::cache_dir().map(|cache| cache.join("ganvas").join("images"))
}

/// What stands before the pixels.
#[derive(Serialize, Deserialize)]
struct Head {
    report: OwnReport,
    has_labels: bool,
    fingerprint: Fingerprint,
}

/// The file for pictures and options, where a cache is wanted.
pub(super) fn place(options: &OwnOptions, entries: &[Entry]) -> Option<PathBuf> {
    let folder = options.cache.as_ref()?;
    let root = fs::canonicalize(&options.path).ok()?;
    let mut sum = Sha256::new();
    let mut add = |bytes: &[u8]| {
        sum.update((bytes.len() as u64).to_le_bytes());
        sum.update(bytes);
    };
    add(MAGIC);
    add(root.as_os_str().as_encoded_bytes());
    let OwnOptions {
        path: _,
        image_size,
        channels,
        fit,
        background,
        labels,
        transpose,
        skip_bad: _,
        count,
        most_bytes: _,
        cache: _,
    } = options;
    add(format!("{image_size:?} {channels:?} {fit:?} {background:?} {labels:?} {transpose} {count:?}").as_bytes());
    if let super::LabelSource::Table(table) = labels {
        // Where it is in an archive, the archive's own time below says whether it changed.
        let table = fs::read(options.path.join(table))
            .or_else(|_| fs::metadata(&root).map(|about| about.len().to_le_bytes().to_vec()));
        add(&table.ok()?);
    }
    for entry in entries {
        add(entry.path.as_os_str().as_encoded_bytes());
        entry.state.iter().for_each(|number| add(&number.to_le_bytes()));
    }
    let name: String = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(folder.join(format!("{name}.images")))
}

/// Keeps what was decoded.
pub(super) fn write(path: &Path, images: &ImageSet, report: &OwnReport) -> Result<(), DataError> {
    let head = Head {
        report: report.clone(),
        has_labels: images.labels().is_some(),
        fingerprint: images.fingerprint()?,
    };
    write_atomically(path, |file| {
        let head = serde_json::to_vec(&head)?;
        file.write_all(MAGIC)?;
        file.write_all(&(head.len() as u64).to_le_bytes())?;
        file.write_all(&head)?;
        file.write_all(images.labels().unwrap_or_default())?;
        file.write_all(images.pixels())
    })
}

/// What was kept; `None` where there is nothing, or nothing whole.
pub(super) fn read(path: &Path, name: &str) -> Option<(ImageSet, OwnReport)> {
    let file = File::open(path).ok()?;
    let found = read_whole(file, name);
    if found.is_none() {
        tracing::warn!("{} is damaged, so the pictures are decoded again", path.display());
    }
    found
}

fn read_whole(file: File, name: &str) -> Option<(ImageSet, OwnReport)> {
    let length = file.metadata().ok()?.len();
    let mut file = BufReader::new(file);
    let mut magic = [0; MAGIC.len()];
    let mut size = [0; 8];
    file.read_exact(&mut magic).ok()?;
    file.read_exact(&mut size).ok()?;
    let size = u64::from_le_bytes(size);
    if magic != *MAGIC || size > MOST_HEAD.min(length) {
        return None;
    }
    let mut head = vec![0; usize::try_from(size).ok()?];
    file.read_exact(&mut head).ok()?;
    let Head {
        report,
        has_labels,
        fingerprint,
    } = serde_json::from_slice(&head).ok()?;
    // Before room is made for it: what the head promises is what is there.
    let area = report
        .shape
        .iter()
        .try_fold(1_usize, |product, side| product.checked_mul(*side))?;
    let pixels = report.images.checked_mul(area)?;
    let labels = if has_labels { report.images } else { 0 };
    let promised = (MAGIC.len() + 8) as u64 + size + labels as u64 + pixels as u64;
    if promised != length {
        return None;
    }
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    };
    let labels = read(labels)?;
    let images = ImageSet::new(name, read(pixels)?, has_labels.then_some(labels), report.shape).ok()?;
    let names: Vec<&str> = report.classes.iter().map(String::as_str).collect();
    let images = images.with_class_names(&names);
    (images.fingerprint().ok()? == fingerprint).then_some((images, report))
}
