//! One call from a data set's name to its images.

use std::path::PathBuf;

use crate::idx::read_image_set;
use crate::locate::{data_folders, split_files};
use crate::synthetic::synthetic_digits;
use crate::{DataError, DatasetName, ImageSet, Split};

/// The most synthetic digits that are drawn; they take 784 megabytes.
const MOST_SYNTHETIC: usize = 1_000_000;

/// What [`load`] is to do beyond reading a data set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// The one folder to look in, from `--data-dir`; see [`data_folders`] for what `None` means.
    pub data_dir: Option<PathBuf>,
    /// What synthetic digits depend on; without effect on data sets that are read from files.
    pub seed: u64,
    /// How many images to keep, from the first on; `None` for all, which for synthetic digits means
    /// 60,000 for training and 10,000 for testing.
    pub count: Option<usize>,
}

/// Loads a split of a data set into memory.
///
/// # Errors
///
/// [`DataError::NotFound`] if the files are in none of the folders, [`DataError::TooFewImages`] or
/// [`DataError::ImageCount`] if more images (or none) are asked for than there are, and the errors
/// of [`read_image_set`] if the files are broken.
pub fn load(name: DatasetName, split: Split, options: &LoadOptions) -> Result<ImageSet, DataError> {
    let limit = match name {
        DatasetName::Synthetic => MOST_SYNTHETIC,
        _ => name.split_len(split),
    };
    // How many a file really holds shows only once it is read.
    let too_many = |count| name == DatasetName::Synthetic && count > limit;
    if let Some(asked) = options.count.filter(|&count| count == 0 || too_many(count)) {
        return Err(DataError::ImageCount {
            name,
            split,
            asked,
            limit,
        });
    }
    if name == DatasetName::Synthetic {
        let count = options.count.unwrap_or_else(|| name.split_len(split));
        return Ok(synthetic_digits(options.seed, split, count));
    }
    let (images, labels) = split_files(name, split, &data_folders(options.data_dir.as_deref()))?;
    let set = read_image_set(&images, &labels, name.as_str())?;
    tracing::debug!(%name, %split, images = set.len(), path = %images.display(), "read a data set");
    if set.len() != name.split_len(split) {
        let (found, published) = (set.len(), name.split_len(split));
        tracing::warn!(%name, %split, found, published, "not as many images as published");
    }
    match options.count {
        Some(asked) if asked > set.len() => Err(DataError::TooFewImages {
            name,
            split,
            asked,
            found: set.len(),
        }),
        Some(asked) => Ok(set.truncated(asked)),
        None => Ok(set),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idx::{write_images, write_labels};

    fn options(data_dir: &std::path::Path, count: Option<usize>) -> LoadOptions {
        LoadOptions {
            data_dir: Some(data_dir.to_owned()),
            seed: 0,
            count,
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
        for count in [0, MOST_SYNTHETIC + 1] {
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
        write_labels(&place.join(labels.trim_end_matches(".gz")), set.labels()).unwrap();

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
