//! Images of one's own: folders, archives, arrays and binary files, brought to one shape.
//!
//! [`load_own`] takes whatever [`OwnOptions::path`] leads to. Every picture is decoded, turned as its EXIF orientation says, laid over
//! [`OwnOptions::background`] where it is transparent, and fitted into a square; what it becomes are the bytes that networks see. What of the
//! decoding can be kept is kept in a file of the cache ([`OwnOptions::cache`]).

mod bring;
mod cache;
mod decode;
mod find;
mod fit;
mod label_table;
mod listing;
mod mirrored;
mod one;
mod options;
mod pictures;
mod report;
mod stored;
mod survey;

pub use bring::{check_own, load_own};
pub use cache::image_cache;
pub(crate) use decode::decode;
pub use find::FEWEST_OWN;
pub use mirrored::Mirrored;
pub use options::{Background, Fit, LabelSource, OwnOptions};
pub use report::{BadPicture, OwnReport};
pub use survey::{OwnSurvey, survey_own};

#[cfg(test)]
mod tests;
