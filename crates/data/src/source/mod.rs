//! Where images come from.

mod classes;
mod fetch;
mod fingerprint;
mod gzip;
pub mod idx;
mod image_set;
mod image_source;
mod layout;
mod load;
mod locate;
mod published;
mod raster;
mod registry;
mod skeletons;
mod stacked;
mod sums;
mod synthetic;
mod transfer;
mod verify;

pub use classes::Classes;
pub use fetch::{FetchProgress, FetchReport, fetch};
pub use fingerprint::Fingerprint;
pub use image_set::ImageSet;
pub(crate) use image_set::MOST_CLASSES;
pub use image_source::ImageSource;
pub use layout::{FoundSet, find_data_set};
pub use load::{LoadOptions, count_before_loading, load, load_source, shape_before_loading};
pub use locate::{DATA_VARIABLE, data_folders, download_folder};
pub use registry::{DataFile, DatasetName, Split};
pub use stacked::StackedDigits;
pub use synthetic::synthetic_digits;
pub use verify::{FileState, FileStatus, verify};
