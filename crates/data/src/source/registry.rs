//! The data sets that ganvas knows by name: their files, checksums and where they can be
//! downloaded.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::DataError;

/// A data set that ganvas knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetName {
    /// Handwritten digits, `mnist` (LeCun, Cortes and Burges).
    Mnist,
    /// Pieces of clothing, `fashion-mnist` (Xiao, Rasul and Vollgraf, arXiv:1708.07747).
    FashionMnist,
    /// Cursive Japanese characters, `kmnist` (Clanuwat and others, arXiv:1812.01718).
    Kmnist,
    /// Three of MNIST's digits in three channels, `stacked-mnist`: 1000 modes (Metz et al. 2016, arXiv:1611.02163).
    StackedMnist,
    /// Digits that ganvas draws itself, `synthetic`; they need no files.
    Synthetic,
}

impl DatasetName {
    /// Every data set, in the order in which help texts list them.
    pub const ALL: [Self; 5] = [
        Self::Mnist,
        Self::FashionMnist,
        Self::Kmnist,
        Self::StackedMnist,
        Self::Synthetic,
    ];

    /// The data set whose files these images are made of: itself, but for stacked digits.
    #[must_use]
    pub const fn stored(self) -> Self {
        match self {
            Self::StackedMnist => Self::Mnist,
            name => name,
        }
    }

    /// The name as it is written in configurations, on the command line and on the data set's
    /// folder.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Kmnist => "kmnist",
            Self::StackedMnist => "stacked-mnist",
            Self::Synthetic => "synthetic",
        }
    }

    /// The name of the folder that holds the files, below a data folder; the same as the name of the data set that they are of.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        self.stored().as_str()
    }

    /// The name of the folder in which torchvision keeps the files, in a folder `raw`; empty for synthetic digits.
    pub(crate) const fn torchvision_folder(self) -> &'static str {
        match self {
            Self::Mnist | Self::StackedMnist => "MNIST",
            Self::FashionMnist => "FashionMNIST",
            Self::Kmnist => "KMNIST",
            Self::Synthetic => "",
        }
    }

    /// The data set that has a file with this MD5 sum, of the gzip file or of its content.
    #[must_use]
    pub fn of_sum(md5: &str) -> Option<Self> {
        let has = |file: &DataFile| file.md5 == md5 || file.content_md5 == Some(md5);
        Self::ALL.into_iter().find(|name| name.files().iter().any(has))
    }

    /// The files behind the data set, images and labels of the training split first; empty for
    /// synthetic digits.
    ///
    /// The MD5 sums are those of the gzip files as published; torchvision lists the same
    /// (`torchvision/datasets/mnist.py`). They guard against broken downloads, not against an
    /// attacker.
    #[must_use]
    pub const fn files(self) -> &'static [DataFile] {
        match self {
            Self::Mnist | Self::StackedMnist => &MNIST,
            Self::FashionMnist => &FASHION_MNIST,
            Self::Kmnist => &KMNIST,
            Self::Synthetic => &[],
        }
    }

    /// Where the files can be had: addresses to which `/` and a file name are appended, tried in
    /// this order.
    #[must_use]
    pub const fn mirrors(self) -> &'static [&'static str] {
        match self {
            Self::Mnist | Self::StackedMnist => &[
                "https://ossci-datasets.s3.amazonaws.com/mnist",
                "https://storage.googleapis.com/cvdf-datasets/mnist",
                "http://yann.lecun.com/exdb/mnist",
            ],
            Self::FashionMnist => &[
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
                "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
            ],
            Self::Kmnist => &[
                "https://codh.rois.ac.jp/kmnist/dataset/kmnist",
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist",
            ],
            Self::Synthetic => &[],
        }
    }

    /// What people call the classes; empty where their numbers are their names, as those of digits are.
    #[must_use]
    pub const fn class_names(self) -> &'static [&'static str] {
        match self {
            // README of github.com/zalandoresearch/fashion-mnist, "Labels".
            Self::FashionMnist => &[
                "T-shirt",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ],
            // kmnist_classmap.csv of github.com/rois-codh/kmnist, as it is romanized.
            Self::Kmnist => &["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
            Self::Mnist | Self::StackedMnist | Self::Synthetic => &[],
        }
    }

    /// How many classes there are.
    #[must_use]
    pub const fn classes(self) -> usize {
        match self {
            Self::StackedMnist => 1000,
            _ => 10,
        }
    }

    /// Whether images are made, as many as are asked for, and not read.
    #[must_use]
    pub const fn is_made(self) -> bool {
        matches!(self, Self::Synthetic | Self::StackedMnist)
    }

    /// How many images a split holds; for those that are made, how many unless another number is asked for.
    #[must_use]
    pub const fn split_len(self, split: Split) -> usize {
        match (self, split) {
            // As PacGAN has them (arXiv:1712.04086): so many to train on, and so many to count modes in.
            (Self::StackedMnist, Split::Train) => 128_000,
            (Self::StackedMnist, Split::Test) => 26_000,
            (_, Split::Train) => 60_000,
            (_, Split::Test) => 10_000,
        }
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for DatasetName {
    type Err = DataError;

    /// Reads a name as [`DatasetName::as_str`] writes it, or as people do: `MNIST`, `FashionMNIST`, `fashion_mnist`. Case,
    /// dashes, underscores and spaces around it make no difference.
    fn from_str(name: &str) -> Result<Self, DataError> {
        let letters = |name: &str| name.trim().to_ascii_lowercase().replace(['-', '_'], "");
        let wanted = letters(name);
        Self::ALL
            .into_iter()
            .find(|known| letters(known.as_str()) == wanted)
            .ok_or_else(|| DataError::UnknownDataset { name: name.to_owned() })
    }
}

/// One of the two parts a data set comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The images to train on.
    Train,
    /// The images held back to measure with.
    Test,
}

impl Split {
    /// Both splits.
    pub const ALL: [Self; 2] = [Self::Train, Self::Test];

    /// `train` or `test`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }

    /// The names of the split's two gzip files: images, then labels. All the IDX sets use MNIST's
    /// names.
    #[must_use]
    pub const fn file_names(self) -> (&'static str, &'static str) {
        match self {
            Self::Train => ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
            Self::Test => ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A file of a data set, as published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataFile {
    /// The file's name, with `.gz`.
    pub name: &'static str,
    /// The MD5 sum of the gzip file, in lower-case hexadecimal digits.
    pub md5: &'static str,
    /// The MD5 sum of what is inside, where it is known: it also fits a copy that was decompressed
    /// or compressed anew.
    pub content_md5: Option<&'static str>,
}

/// The four files of a data set, in the order of [`DatasetName::files`].
const fn files(sums: [&'static str; 4], content: [Option<&'static str>; 4]) -> [DataFile; 4] {
    const fn file(name: &'static str, md5: &'static str, content: Option<&'static str>) -> DataFile {
        DataFile {
            name,
            md5,
            content_md5: content,
        }
    }
    let (train_images, train_labels) = Split::Train.file_names();
    let (test_images, test_labels) = Split::Test.file_names();
    [
        file(train_images, sums[0], content[0]),
        file(train_labels, sums[1], content[1]),
        file(test_images, sums[2], content[2]),
        file(test_labels, sums[3], content[3]),
    ]
}

static MNIST: [DataFile; 4] = files(
    [
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ],
    [
        Some("6bbc9ace898e44ae57da46a324031adb"),
        Some("a25bea736e30d166cdddb491f175f624"),
        Some("2646ac647ad5339dbf082846283269ea"),
        Some("27ae3e4e09519cfbb04c329615203637"),
    ],
);

static FASHION_MNIST: [DataFile; 4] = files(
    [
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ],
    [
        Some("f4a8712d7a061bf5bd6d2ca38dc4d50a"),
        Some("9018921c3c673c538a1fc5bad174d6f9"),
        Some("8181f5470baa50b63fa0f6fddb340f0a"),
        Some("15d484375f8d13e6eb1aabb0c3f46965"),
    ],
);

static KMNIST: [DataFile; 4] = files(
    [
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ],
    [None; 4],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in DatasetName::ALL {
            assert_eq!(name.to_string().parse::<DatasetName>().unwrap(), name);
        }
        for (written, name) in [
            ("MNIST", DatasetName::Mnist),
            (" mnist\n", DatasetName::Mnist),
            ("FashionMNIST", DatasetName::FashionMnist),
            ("fashion_mnist", DatasetName::FashionMnist),
            ("KMNIST", DatasetName::Kmnist),
        ] {
            assert_eq!(written.parse::<DatasetName>().unwrap(), name);
        }
        for stranger in ["", "mn ist", "emnist", "mnist2"] {
            assert!(stranger.parse::<DatasetName>().is_err(), "{stranger}");
        }
        let error = "MNIST2".parse::<DatasetName>().unwrap_err().to_string();
        assert!(error.contains("MNIST2") && error.contains("fashion-mnist"), "{error}");
    }

    #[test]
    fn the_serde_names_are_the_same() {
        use serde::de::IntoDeserializer;
        use serde::de::value::{Error, StrDeserializer};
        for name in DatasetName::ALL {
            let text: StrDeserializer<'_, Error> = name.as_str().into_deserializer();
            assert_eq!(DatasetName::deserialize(text), Ok(name));
        }
    }

    #[test]
    fn sums_are_whole_and_distinct() {
        let mut sums: Vec<&str> = DatasetName::ALL
            .iter()
            .filter(|name| name.stored() == **name)
            .flat_map(|name| name.files().iter().map(|file| file.md5))
            .collect();
        assert!(sums.iter().all(|sum| sum.len() == 32));
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), 12);
    }

    #[test]
    fn a_sum_tells_the_set() {
        for name in DatasetName::ALL {
            for file in name.files() {
                let stored = Some(name.stored());
                assert_eq!(DatasetName::of_sum(file.md5), stored);
                assert!(file.content_md5.is_none_or(|sum| DatasetName::of_sum(sum) == stored));
            }
        }
        assert_eq!(DatasetName::of_sum("d41d8cd98f00b204e9800998ecf8427e"), None);
    }

    #[test]
    fn files_stand_in_the_order_of_the_splits() {
        let names: Vec<&str> = DatasetName::Kmnist.files().iter().map(|file| file.name).collect();
        let (train_images, train_labels) = Split::Train.file_names();
        let (test_images, test_labels) = Split::Test.file_names();
        assert_eq!(names, [train_images, train_labels, test_images, test_labels]);
    }
}
