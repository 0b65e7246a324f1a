//! Everything that can go wrong with data, in words that say what to do next.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::{BadPicture, DatasetName, ImageSource, Split};

/// Why images could not be read, made, fetched or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The system refused to read or write.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file is not what its name says, or is broken.
    #[error("{}: expected {expected}, found {found}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What should have been there.
        expected: String,
        /// What was there, and what to do about it where that is known.
        found: String,
    },
    /// Images stand where labels belong, or the reverse.
    #[error(
        "{}: expected {expected}, found {found}: the image file and the label file seem to be swapped; exchange them",
        path.display()
    )]
    Swapped {
        /// The file.
        path: PathBuf,
        /// `images` or `labels`.
        expected: &'static str,
        /// The other.
        found: &'static str,
    },
    /// A file's header promises more than any data set that ganvas is made for.
    #[error(
        "{}: expected at most {limit} bytes of data, found a header that promises {promised}; \
         the file is broken or no set of small images",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bytes that the header promises.
        promised: u128,
        /// The most that is read.
        limit: u64,
    },
    /// Images and labels do not belong together.
    #[error(
        "expected as many labels as images, found {images} images in {} and {labels} labels in {}; \
         take both files from one split of one data set",
        images_path.display(), labels_path.display()
    )]
    CountMismatch {
        /// The image file.
        images_path: PathBuf,
        /// How many images it holds.
        images: usize,
        /// The label file.
        labels_path: PathBuf,
        /// How many labels it holds.
        labels: usize,
    },
    /// Pixels, labels and shape of a set disagree.
    #[error(
        "image set {name}: expected {} images of {} × {} × {} (channels × height × width, each at least 1), \
         found {found} bytes",
        labels.map_or("whole".to_owned(), |labels| labels.to_string()), shape[0], shape[1], shape[2]
    )]
    ImageSetShape {
        /// The set's name.
        name: String,
        /// Channels, height and width.
        shape: [usize; 3],
        /// How many labels there are, if any.
        labels: Option<usize>,
        /// How many bytes of pixels there are.
        found: usize,
    },
    /// Padding was asked to make images smaller.
    #[error("cannot pad the {height} × {width} images of {name} to {size} × {size}; choose a size at least as large")]
    PadTooSmall {
        /// The set's name.
        name: String,
        /// The images' height.
        height: usize,
        /// The images' width.
        width: usize,
        /// The size asked for.
        size: usize,
    },
    /// More images were asked for than a set holds.
    #[error("expected at least {asked} {split} images in {name}, found {found}; ask for at most {found}")]
    TooFewImages {
        /// The data set.
        name: DatasetName,
        /// The split.
        split: Split,
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        found: usize,
    },
    /// None or too many images were asked for.
    #[error("cannot load {asked} {split} images of {name}; ask for 1 to {limit}")]
    ImageCount {
        /// The data set.
        name: DatasetName,
        /// The split.
        split: Split,
        /// How many were asked for.
        asked: usize,
        /// The most that can be had.
        limit: usize,
    },
    /// Some pictures of one's own cannot be used.
    #[error("{}: {}", path.display(), bad_pictures(*left, bad))]
    BadPictures {
        /// The folder or archive.
        path: PathBuf,
        /// How many pictures can be used.
        left: usize,
        /// Those that cannot, and why.
        bad: Vec<BadPicture>,
    },
    /// Pictures of one's own have several sizes, and none was asked for.
    #[error(
        "{}: expected pictures of one size, found {}×{}, and {name} of {}×{}; `data.image_size` brings them to one",
        path.display(), usual[0], usual[1], other[0], other[1]
    )]
    OwnSizes {
        /// The folder, archive or file.
        path: PathBuf,
        /// Width and height of the first.
        usual: [u32; 2],
        /// Those of another.
        other: [u32; 2],
        /// That other one.
        name: String,
    },
    /// Images of one's own would take more memory than there is.
    #[error(
        "{}: {count} images of {}×{}×{} take {bytes} bytes, and at most {most} are there; take a smaller `data.image_size` or `data.count`",
        path.display(), shape[0], shape[1], shape[2]
    )]
    OwnTooLarge {
        /// The folder, archive or file.
        path: PathBuf,
        /// How many images there are.
        count: usize,
        /// Channels, height and width.
        shape: [usize; 3],
        /// What they would take.
        bytes: u64,
        /// What there is.
        most: u64,
    },
    /// A source of somebody's own could not give an image.
    #[error("cannot read the images of {name}: {reason}")]
    Source {
        /// The source's name.
        name: String,
        /// Its reason.
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An index points past the end of a set.
    #[error("no image {index} in {name}, which holds {len} images counted from 0")]
    IndexOutOfRange {
        /// The set's name.
        name: String,
        /// The index.
        index: u64,
        /// How many images the set holds.
        len: usize,
    },
    /// A name that no data set bears.
    #[error("unknown data set `{name}`; expected mnist, fashion-mnist, kmnist, stacked-mnist or synthetic")]
    UnknownDataset {
        /// The name as given.
        name: String,
    },
    /// The files of a data set are nowhere.
    #[error(
        "{name} not found: looked for {file} (with or without .gz) in {name}/, {}/raw/ and the folder itself, below {}{}; \
         GANVAS_DATA names such a folder",
        name.torchvision_folder(), list(looked), instead.as_ref().map(|instead| format!("; {instead}")).unwrap_or_default()
    )]
    NotFound {
        /// The data set.
        name: DatasetName,
        /// The first file that is missing.
        file: String,
        /// The data folders looked at, in order.
        looked: Vec<PathBuf>,
        /// A file of the name that is there, and why it does not count.
        instead: Option<String>,
    },
    /// A training schedule that makes no sense.
    #[error("cannot cut {len} images into batches of {batch_size}: {reason}")]
    Schedule {
        /// How many images there are.
        len: usize,
        /// The batch size asked for.
        batch_size: usize,
        /// Why not, and what to change.
        reason: &'static str,
    },
    /// The thread that prepares batches stopped before its work was done.
    #[error("the thread that prepares batches stopped at batch {number}: {reason}")]
    Prefetch {
        /// The first batch that did not come, counted from 0.
        number: u64,
        /// What the thread said last.
        reason: String,
    },
    /// Pixels that do not make the pictures that were announced.
    #[error("cannot draw {what}: expected {expected}, found {found}")]
    Canvas {
        /// What was to be drawn.
        what: &'static str,
        /// What is needed.
        expected: String,
        /// What came.
        found: String,
    },
    /// Numbers that do not fill the array that was announced.
    #[error("cannot write {}: expected numbers for an array of shape {shape:?}, found {found}", path.display())]
    NpyShape {
        /// The file.
        path: PathBuf,
        /// The shape announced.
        shape: Vec<usize>,
        /// How many numbers came.
        found: usize,
    },
    /// A data set that has no files.
    #[error("{name} digits are drawn by ganvas itself and need no files; there is nothing to fetch or verify")]
    NoFiles {
        /// The data set.
        name: DatasetName,
    },
    /// A file of a data set could not be had from anywhere.
    #[error("{0}")]
    Fetch(Box<FetchFailure>),
}

/// What was tried to get a file, and why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailure {
    /// The data set.
    pub name: String,
    /// The file.
    pub file: String,
    /// The addresses tried, each with the reason why it failed.
    pub tried: Vec<(String, String)>,
    /// Whether no server was reached at all.
    pub offline: bool,
    /// The names of all files of the data set.
    pub files: Vec<String>,
    /// The folder into which they belong.
    pub folder: PathBuf,
}

impl fmt::Display for FetchFailure {
    /// Several lines: what failed, each mirror, each reason once, and what to do by hand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot fetch {} of {}: ", self.file, self.name)?;
        f.write_str(match (self.tried.is_empty(), self.offline) {
            (true, _) => "no mirror is known",
            (_, true) => "no server could be reached; is this machine connected to the network?",
            (_, false) => "no mirror had it",
        })?;
        let reason = match &*self.tried {
            [(_, first), rest @ ..] if rest.iter().all(|(_, reason)| reason == first) => Some(first),
            _ => None,
        };
        for (address, own) in &self.tried {
            let mirror = address.strip_suffix(&self.file).unwrap_or(address);
            write!(f, "\n  tried {mirror}")?;
            if reason.is_none() {
                write!(f, ": {own}")?;
            }
        }
        if let Some(reason) = reason {
            let times = if self.tried.len() > 1 { "each time: " } else { "" };
            write!(f, "\n  {times}{reason}")?;
        }
        write!(f, "\nto do it by hand, put these files into {}:", self.folder.display())?;
        self.files.iter().try_for_each(|file| write!(f, "\n  {file}"))
    }
}

impl DataError {
    /// An [`DataError::IndexOutOfRange`], for sources of images.
    pub fn past_the_end(source: &dyn ImageSource, index: usize) -> Self {
        Self::IndexOutOfRange {
            name: source.name().to_owned(),
            index: index as u64,
            len: source.len(),
        }
    }

    /// An [`DataError::Io`] for `path`.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// A [`DataError::Format`] for `path`.
    pub(crate) fn format(path: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Format {
            path: path.to_owned(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// The first of what cannot be used, and how many there are.
fn bad_pictures(left: usize, bad: &[BadPicture]) -> String {
    /// How many are named.
    const NAMED: usize = 10;
    let mut text = match bad.len() {
        0 => format!("{left} pictures are too few to learn from"),
        1 => "1 picture cannot be used".to_owned(),
        count => format!("{count} pictures cannot be used"),
    };
    if !bad.is_empty() {
        text += &format!(", {left} can");
    }
    bad.iter()
        .take(NAMED)
        .for_each(|picture| text += &format!("\n  {picture}"));
    if bad.len() > NAMED {
        text += &format!("\n  and {} more", bad.len() - NAMED);
    }
    text
}

fn list(folders: &[PathBuf]) -> String {
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    names.join(", ")
}
