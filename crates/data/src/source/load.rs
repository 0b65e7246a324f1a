//! One call from a data set's name to its images.

use std::path::PathBuf;
use std::sync::Arc;

use crate::source::idx::{read_image_count, read_image_size, read_judged_set};
use crate::source::layout::split_files;
use crate::source::locate::data_folders;
use crate::source::published::report;
use crate::source::synthetic::{SYNTHETIC_SIZE, synthetic_digits};
use crate::{DataError, DatasetName, ImageSet, ImageSource, Split, StackedDigits};

/// The most images that are made; so many synthetic digits take 784 megabytes.
const MOST_MADE: usize = 1_000_000;

/// What [`load`] is to do beyond reading a data set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// The one folder to look in; see [`data_folders`] for what `None` means.
    pub data_dir: Option<PathBuf>,
    /// What synthetic and stacked digits depend on; without effect on data sets that are read from files.
    pub seed: u64,
    /// How many images to keep, from the first on; `None` for all, which for synthetic digits means
    /// 60,000 for training and 10,000 for testing, and for stacked ones 128,000 and 26,000.
    pub count: Option<usize>,
    /// The side in pixels that images are padded to with black ([`ImageSet::padded_to`]); `None` to leave
    /// them as they are.
    pub image_size: Option<usize>,
}

/// As [`load`], for training: what is made on the way, as stacked digits are, is not put into memory as a whole.
///
/// # Errors
///
/// As [`load`].
pub fn load_source(name: DatasetName, split: Split, options: &LoadOptions) -> Result<Arc<dyn ImageSource>, DataError> {
    if name == DatasetName::StackedMnist {
        let stacked = load_stacked(split, options)?;
        stacked.fingerprint()?;
        return Ok(Arc::new(stacked));
    }
    Ok(Arc::new(load(name, split, options)?))
}

/// MNIST's digits of a split, stacked.
fn load_stacked(split: Split, options: &LoadOptions) -> Result<StackedDigits, DataError> {
    let name = DatasetName::StackedMnist;
    let count = check_made(name, split, options)?;
    let of_digits = LoadOptions {
        count: None,
        ..options.clone()
    };
    let digits = load(DatasetName::Mnist, split, &of_digits)?;
    StackedDigits::new(name.as_str(), digits, options.seed, count)
}

/// How many images are made of a set whose images are: as many as are asked for, or as many as is usual.
fn check_made(name: DatasetName, split: Split, options: &LoadOptions) -> Result<usize, DataError> {
    match options.count {
        Some(asked) if asked == 0 || asked > MOST_MADE => Err(DataError::ImageCount {
            name,
            split,
            asked,
            limit: MOST_MADE,
        }),
        Some(asked) => Ok(asked),
        None => Ok(name.split_len(split)),
    }
}

/// Loads a split of a data set into memory.
///
/// Files that are not those published under the name are read all the same; a warning says so.
///
/// # Errors
///
/// [`DataError::NotFound`] if the files are in none of the folders, [`DataError::TooFewImages`] or
/// [`DataError::ImageCount`] if more images (or none) are asked for than there are, and the errors
/// of [`read_image_set`](crate::idx::read_image_set) if the files are broken, and
/// [`DataError::PadTooSmall`] if the images are larger than they are to be.
pub fn load(name: DatasetName, split: Split, options: &LoadOptions) -> Result<ImageSet, DataError> {
    match name {
        DatasetName::StackedMnist => return load_stacked(split, options)?.to_image_set(),
        DatasetName::Synthetic => {
            let count = check_made(name, split, options)?;
            return finish(synthetic_digits(options.seed, split, count), options);
        }
        _ => {}
    }
    // How many a file really holds shows only once it is read.
    if options.count == Some(0) {
        return Err(DataError::ImageCount {
            name,
            split,
            asked: 0,
            limit: name.split_len(split),
        });
    }
    let (images, labels) = split_files(name, split, &data_folders(options.data_dir.as_deref()))?;
    let published =
        [split.file_names().0, split.file_names().1].map(|wanted| name.files().iter().find(|file| file.name == wanted));
    let (set, verdicts) = read_judged_set(&images, labels.as_deref(), name.as_str(), published)?;
    tracing::debug!(%name, %split, images = set.len(), path = %images.display(), "read a data set");
    report(name, split, &set, &verdicts);
    let set = set.with_class_names(name.class_names());
    match options.count {
        Some(asked) if asked > set.len() => Err(DataError::TooFewImages {
            name,
            split,
            asked,
            found: set.len(),
        }),
        Some(asked) => finish(set.truncated(asked), options),
        None => finish(set, options),
    }
}

/// Pads a set where that is asked for, and takes its fingerprint.
fn finish(set: ImageSet, options: &LoadOptions) -> Result<ImageSet, DataError> {
    let set = match options.image_size {
        Some(size) => set.padded_to(size)?,
        None => set,
    };
    set.fingerprint()?;
    Ok(set)
}

/// How many images [`load`] will give, without reading them: as many as the file's header says, or where the files are not
/// there, as many as were published.
///
/// # Errors
///
/// As [`load`], for what the header shows.
pub fn count_before_loading(name: DatasetName, split: Split, options: &LoadOptions) -> Result<usize, DataError> {
    if name.is_made() {
        return check_made(name, split, options);
    }
    let folders = data_folders(options.data_dir.as_deref());
    let header = split_files(name, split, &folders).and_then(|(images, _)| read_image_count(&images));
    let limit = header.unwrap_or_else(|_| name.split_len(split));
    match options.count {
        Some(asked) if asked == 0 || asked > limit => Err(DataError::ImageCount {
            name,
            split,
            asked,
            limit,
        }),
        Some(asked) => Ok(asked),
        None => Ok(limit),
    }
}

/// The shape that the images of [`load`] will have, without reading them; `None` where the files are
/// not there or their header cannot be read, which [`load`] will report.
///
/// # Errors
///
/// [`DataError::PadTooSmall`] if the images are larger than they are to be.
pub fn shape_before_loading(
    name: DatasetName,
    split: Split,
    options: &LoadOptions,
) -> Result<Option<[usize; 3]>, DataError> {
    let from_header = || {
        let folders = data_folders(options.data_dir.as_deref());
        read_image_size(&split_files(name.stored(), split, &folders).ok()?.0).ok()
    };
    let size = match name {
        DatasetName::Synthetic => Some(SYNTHETIC_SIZE),
        _ => from_header(),
    };
    let channels = match name {
        DatasetName::StackedMnist => 3,
        _ => 1,
    };
    match (size, options.image_size) {
        (Some([height, width]), Some(size)) if size < height || size < width => Err(DataError::PadTooSmall {
            name: name.to_string(),
            height,
            width,
            size,
        }),
        (Some(_), Some(size)) => Ok(Some([channels, size, size])),
        (Some([height, width]), None) => Ok(Some([channels, height, width])),
        (None, _) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::idx::{write_images, write_labels};

    fn options(data_dir: &std::path::Path, count: Option<usize>) -> LoadOptions {
        LoadOptions {
            data_dir: Some(data_dir.to_owned()),
            count,
            ..LoadOptions::default()
        }
    }

    #[test]
    fn synthetic_digits_need_no_files() {
        let options = LoadOptions {
            count: Some(30),
            seed: 4,
            ..LoadOptions::default()
        };
        let set = load(DatasetName::Synthetic, Split::Test, &options).unwrap();
        assert_eq!(set, synthetic_digits(4, Split::Test, 30));
        for count in [0, MOST_MADE + 1] {
            let options = LoadOptions {
                count: Some(count),
                ..LoadOptions::default()
            };
            let error = load(DatasetName::Synthetic, Split::Test, &options)
                .unwrap_err()
                .to_string();
            assert!(error.contains("1000000"), "{error}");
        }
    }

    #[test]
    fn a_set_is_loaded_and_cut_to_the_count() {
        let folder = tempfile::tempdir().unwrap();
        let set = synthetic_digits(1, Split::Train, 20);
        let (images, labels) = Split::Train.file_names();
        let place = folder.path().join("fashion-mnist");
        write_images(&place.join(images), set.pixels(), 28, 28).unwrap();
        write_labels(&place.join(labels.trim_end_matches(".gz")), set.labels().unwrap()).unwrap();

        let name = DatasetName::FashionMnist;
        let all = load(name, Split::Train, &options(folder.path(), None)).unwrap();
        assert_eq!((all.pixels(), all.labels()), (set.pixels(), set.labels()));
        assert_eq!(all.name(), "fashion-mnist");
        let some = load(name, Split::Train, &options(folder.path(), Some(7))).unwrap();
        assert_eq!(some.len(), 7);
        let error = load(name, Split::Train, &options(folder.path(), Some(21)))
            .unwrap_err()
            .to_string();
        assert!(error.contains("at most 20"), "{error}");
        assert!(load(name, Split::Train, &options(folder.path(), Some(0))).is_err());
        let error = load(name, Split::Test, &options(folder.path(), None)).unwrap_err();
        assert!(matches!(error, DataError::NotFound { .. }));
    }
}
