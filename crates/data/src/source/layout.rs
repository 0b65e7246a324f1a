//! The folders and file names under which data sets lie on people's disks.
//!
//! Everybody unpacks MNIST in another way: with `.gz` or without, `train-images-idx3-ubyte` or
//! `train-images.idx3-ubyte`, below `mnist/` or, as torchvision has it, below `MNIST/raw/`.

use std::path::{Path, PathBuf};

use crate::source::sums::owner;
use crate::{DataError, DatasetName, Split};

/// A data set that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSet {
    /// The folder that holds its files, such as `…/mnist`.
    pub folder: PathBuf,
    /// Its files in the published order: the published name, and the path where the file is there.
    pub files: Vec<(&'static str, Option<PathBuf>)>,
}

impl FoundSet {
    /// The names of the files that are not there.
    pub fn missing(&self) -> Vec<&'static str> {
        let missing = self.files.iter().filter(|(_, path)| path.is_none());
        missing.map(|&(name, _)| name).collect()
    }
}

/// Finds a data set below `folders`: the first place that has images and labels to train on, or else the images, or else
/// anything of it. That is the one that [`load`](crate::load) reads to train on.
#[must_use]
pub fn find_data_set(name: DatasetName, folders: &[PathBuf]) -> Option<FoundSet> {
    let files: Vec<&str> = name.files().iter().map(|file| file.name).collect();
    best_place(name, folders, &files).map(|(folder, paths)| FoundSet {
        folder,
        files: files.into_iter().zip(paths).collect(),
    })
}

/// The image file and, where there is one, the label file of a split, from the first place that has
/// both, or else the first that has images.
pub(crate) fn split_files(
    name: DatasetName,
    split: Split,
    folders: &[PathBuf],
) -> Result<(PathBuf, Option<PathBuf>), DataError> {
    let (images, labels) = split.file_names();
    let found = best_place(name, folders, &[images, labels]).map(|(_, paths)| paths);
    if let Some([Some(images), labels]) = found.as_deref() {
        return Ok((images.clone(), labels.clone()));
    }
    Err(DataError::NotFound {
        name,
        file: images.to_owned(),
        looked: folders.to_owned(),
        instead: folders.iter().find_map(|folder| misplaced(name, images, folder)),
    })
}

/// The first place that has the first two of `files`, or else the first of them, or else any; and the paths there.
fn best_place(name: DatasetName, folders: &[PathBuf], files: &[&str]) -> Option<(PathBuf, Vec<Option<PathBuf>>)> {
    let mut best: Option<(Vec<bool>, PathBuf, Vec<Option<PathBuf>>)> = None;
    for place in folders.iter().flat_map(|folder| places(name, folder)) {
        let paths: Vec<Option<PathBuf>> = files.iter().map(|file| present(&place.folder, file)).collect();
        let leading: Vec<bool> = paths.iter().take(2).map(Option::is_some).collect();
        let is_better = match &best {
            Some((most, ..)) => leading > *most,
            None => paths.iter().any(Option::is_some),
        };
        if is_better && place.may_hold(name, &paths) {
            best = Some((leading, place.folder, paths));
        }
    }
    best.map(|(_, folder, paths)| (folder, paths))
}

/// A folder in which the files of a data set may lie.
struct Place {
    folder: PathBuf,
    /// Whether the folder's name says which set it holds.
    is_named: bool,
}

impl Place {
    /// Whether these files may be taken for the set: a folder without a name must not make one set pass as another.
    fn may_hold(&self, name: DatasetName, paths: &[Option<PathBuf>]) -> bool {
        self.is_named
            || paths
                .iter()
                .flatten()
                .all(|path| owner(path).is_none_or(|owner| owner == name))
    }
}

/// The places below one data folder, in the order in which they count: `mnist`, torchvision's `MNIST/raw`, and the folder
/// itself, unless its name is another set's.
fn places(name: DatasetName, folder: &Path) -> Vec<Place> {
    let (own, torchvision) = (folder.join(name.folder()), folder.join(name.torchvision_folder()));
    let mut places: Vec<Place> = [own.clone(), torchvision.join("raw"), own.join("raw"), torchvision]
        .map(|folder| Place { folder, is_named: true })
        .into();
    let named = named_set(folder);
    if named.is_none_or(|named| named == name.stored()) {
        let is_named = named.is_some();
        let inside = [folder.to_owned(), folder.join("raw")];
        places.extend(inside.map(|folder| Place { folder, is_named }));
    }
    places
}

/// The set after which a folder is named: `mnist`, `MNIST`, `MNIST/raw`.
fn named_set(folder: &Path) -> Option<DatasetName> {
    let folder = folder.canonicalize().ok()?;
    let name = folder.file_name()?.to_str()?;
    if name == "raw" {
        return named_set(folder.parent()?);
    }
    name.parse().ok().filter(|&name| name != DatasetName::Synthetic)
}

/// The path of a file in `folder`: published with `.gz`, or else uncompressed; with a dash or, as some archives have it, a
/// dot before `idx`.
pub(crate) fn present(folder: &Path, published: &str) -> Option<PathBuf> {
    let plain = published.strip_suffix(".gz").unwrap_or(published);
    let dotted = plain.replacen("-idx", ".idx", 1);
    [published.to_owned(), format!("{dotted}.gz"), plain.to_owned(), dotted]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// What to say of a file with the right name in a folder where it does not count.
fn misplaced(name: DatasetName, file: &str, folder: &Path) -> Option<String> {
    let below = std::fs::read_dir(folder).into_iter().flatten().flatten();
    // A folder of thousands is no folder of data sets.
    let below = below.map(|entry| entry.path()).filter(|path| path.is_dir()).take(100);
    let unnamed = below.filter(|path| named_set(path).is_none());
    let mut folders = vec![folder.to_owned(), folder.join("raw")];
    folders.extend(unnamed);
    let path = folders.iter().find_map(|folder| present(folder, file))?;
    let other = owner(&path).or_else(|| path.parent().and_then(named_set));
    Some(match other.filter(|&other| other != name) {
        Some(other) => format!("{} is there, but belongs to {other}", path.display()),
        None => format!(
            "{} is there, but lies in a folder of another name than {}",
            path.display(),
            name.folder()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: PathBuf) -> PathBuf {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        path
    }

    fn split(name: DatasetName, folder: &Path) -> Result<(PathBuf, Option<PathBuf>), String> {
        split_files(name, Split::Train, &[folder.to_owned()]).map_err(|error| error.to_string())
    }

    const SPELLINGS: [[&str; 2]; 4] = [
        ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"],
        ["train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte.gz"],
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
        ["train-images.idx3-ubyte", "train-labels.idx1-ubyte"],
    ];

    #[test]
    fn every_spelling_in_every_place_is_found() {
        for (name, torchvision) in [
            (DatasetName::Mnist, "MNIST"),
            (DatasetName::FashionMnist, "FashionMNIST"),
            (DatasetName::Kmnist, "KMNIST"),
        ] {
            for place in [name.folder(), &format!("{torchvision}/raw"), torchvision, ".", "raw"] {
                for [images, labels] in SPELLINGS {
                    let folder = tempfile::tempdir().unwrap();
                    let images = put(folder.path().join(place).join(images));
                    assert_eq!(split(name, folder.path()), Ok((images.clone(), None)));
                    let labels = put(folder.path().join(place).join(labels));
                    assert_eq!(split(name, folder.path()), Ok((images, Some(labels))));
                    let found = find_data_set(name, &[folder.path().to_owned()]).unwrap();
                    assert_eq!(
                        found.missing(),
                        ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
                    );
                }
            }
        }
    }

    #[test]
    fn a_place_with_labels_comes_first_and_gz_before_others() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = [first.path().to_owned(), second.path().to_owned()];
        let found = || split_files(DatasetName::Kmnist, Split::Train, &folders).unwrap();
        let [gz, _, plain, dotted] = SPELLINGS;
        let alone = put(folders[0].join("kmnist").join(gz[0]));
        assert_eq!(found(), (alone.clone(), None));
        let images = put(folders[1].join("KMNIST/raw").join(plain[0]));
        let labels = put(folders[1].join("KMNIST/raw").join(dotted[1]));
        assert_eq!(found(), (images, Some(labels)));
        let labels = put(folders[0].join("kmnist").join(dotted[1]));
        assert_eq!(found(), (alone, Some(labels)));
    }

    #[test]
    fn a_folder_with_anothers_name_is_not_taken_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for place in ["MNIST/raw", "mnist"] {
            let place = folder.path().join(place);
            let images = put(place.join(SPELLINGS[0][0]));
            assert_eq!(split(DatasetName::Mnist, &place).unwrap().0, images);
            let error = split(DatasetName::FashionMnist, &place).unwrap_err();
            let part = format!("{} is there, but belongs to mnist", images.display());
            assert!(error.contains(&part), "{error}");
        }
        // The folder above has a place for each.
        assert!(
            !split(DatasetName::Kmnist, folder.path())
                .unwrap_err()
                .contains("is there")
        );
    }

    #[test]
    fn a_folder_of_no_sets_name_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let images = put(folder.path().join("digits").join(SPELLINGS[3][0]));
        let error = split(DatasetName::Mnist, folder.path()).unwrap_err();
        let part = format!(
            "{} is there, but lies in a folder of another name than mnist",
            images.display()
        );
        for part in [&part, SPELLINGS[0][0], "mnist/", "MNIST/raw/", "GANVAS_DATA"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
