//! Decoded pictures in a file, so that they are decoded once.
//!
//! The file's name is a sum over everything that decides what is in it: the paths of the pictures with their lengths and times (in archives their
//! checksums), their classes, and the options. Its content ends with a sum over all of it, which is looked at again whenever it is read.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::listing::Entry;
use super::options::OwnOptions;
use super::report::OwnReport;
use crate::{DataError, ImageSet, write_atomically};

/// How a file begins; another number where what is in it changes.
const MAGIC: &[u8] = b"ganvas images 1\n";

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
}

/// The file for pictures and options, where a cache is wanted; `classes` are the class of each picture, and the names of all.
pub(super) fn place(
    options: &OwnOptions,
    entries: &[Entry],
    classes: (Option<&[Option<u8>]>, &[String]),
) -> Option<PathBuf> {
    let folder = options.cache.as_ref()?;
    let root = fs::canonicalize(&options.path).ok()?;
    let mut sum = Sha256::new();
    let mut add = |bytes: &[u8]| {
        sum.update((bytes.len() as u64).to_le_bytes());
        sum.update(bytes);
    };
    // All of them: whoever adds an option is asked here whether it decides what the images are.
    let OwnOptions {
        path: _,
        image_size,
        channels,
        fit,
        background,
        labels: _,
        transpose,
        skip_bad: _,
        count,
        most_bytes: _,
        cache: _,
    } = options;
    add(MAGIC);
    add(root.as_os_str().as_encoded_bytes());
    add(format!("{image_size:?} {channels:?} {fit:?} {background:?} {transpose} {count:?} {classes:?}").as_bytes());
    for entry in entries {
        add(entry.path.as_os_str().as_encoded_bytes());
        entry.state.iter().for_each(|number| add(&number.to_le_bytes()));
    }
    Some(folder.join(format!("{}.images", hexadecimal(sum))))
}

fn hexadecimal(sum: Sha256) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps what was decoded: a head, labels, pixels, and a sum over all of them.
pub(super) fn write(path: &Path, images: &ImageSet, report: &OwnReport) -> Result<(), DataError> {
    let head = Head {
        report: report.clone(),
        has_labels: images.labels().is_some(),
    };
    write_atomically(path, |file| {
        let head = serde_json::to_vec(&head)?;
        let length = (head.len() as u64).to_le_bytes();
        let mut sum = Sha256::new();
        for part in [
            MAGIC,
            &length[..],
            &head,
            images.labels().unwrap_or_default(),
            images.pixels(),
        ] {
            sum.update(part);
            file.write_all(part)?;
        }
        file.write_all(&sum.finalize())
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
    let mut sum = Sha256::new();
    let mut left = length;
    // Before room is made for them: so many bytes must be there.
    let mut read = |count: u64| {
        left = left.checked_sub(count)?;
        let mut bytes = vec![0; usize::try_from(count).ok()?];
        file.read_exact(&mut bytes).ok()?;
        sum.update(&bytes);
        Some(bytes)
    };
    if read(MAGIC.len() as u64)? != MAGIC {
        return None;
    }
    let size = u64::from_le_bytes(read(8)?.try_into().ok()?);
    let Head { report, has_labels } = serde_json::from_slice(&read(size)?).ok()?;
    let shape = report.shape?;
    let images = report.images as u64;
    let pixels = shape
        .iter()
        .try_fold(images, |product, &side| product.checked_mul(side as u64))?;
    let labels = read(if has_labels { images } else { 0 })?;
    let pixels = read(pixels)?;
    let wanted = sum.finalize();
    let mut found = [0; 32];
    file.read_exact(&mut found).ok()?;
    if left != found.len() as u64 || wanted[..] != found {
        return None;
    }
    let images = ImageSet::new(name, pixels, has_labels.then_some(labels), shape).ok()?;
    let names: Vec<&str> = report.classes.iter().map(String::as_str).collect();
    Some((images.with_class_names(&names), report))
}
