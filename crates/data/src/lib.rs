//! Images for GAN training: where they come from, in what order they are seen, and how they are
//! shown.
//!
//! - **Sources.** An [`ImageSource`] is what training takes its images from; implement it for images
//!   of your own. [`load`] gives an [`ImageSet`] for a [`DatasetName`]: MNIST and its relatives
//!   from [`idx`] files that it looks for in the [`data_folders`], or [`synthetic_digits`] that it
//!   draws itself. [`fetch`] downloads the files and [`verify`] checks them.
//! - **Samples.** [`read_samples`] reads images that any tool made, from arrays of NumPy, IDX files or
//!   folders of PNG files, to judge them.
//! - **Batches.** A [`Schedule`] says which images a batch holds, as a pure function of seed and
//!   number, and a [`Prefetcher`] prepares the [`HostBatch`]es, images, labels and noise, ahead of the
//!   device. Every random number of the program comes from [`keyed_rng`].
//! - **Pictures.** [`compose_grid`] puts many images on one [`Canvas`], [`side_by_side`] two of
//!   them on another, and [`write_png`] writes it; [`npy`] holds numbers for other programs. All
//!   files are written by [`write_atomically`].
//!
//! Pixels are bytes from 0 (black) to 255 (white) while they lie in memory and `f32` from −1 to 1
//! for a network ([`normalize`], [`denormalize`]); images have the order N·C·H·W throughout,
//! pictures H·W·C. Whatever can go wrong is a [`DataError`].
//!
//! ```
//! use std::sync::Arc;
//! use ganvas_data::{DatasetName, ImageSource, LoadOptions, Prefetcher, Schedule, Split, load};
//!
//! # fn main() -> Result<(), ganvas_data::DataError> {
//! let options = LoadOptions { seed: 7, count: Some(100), image_size: Some(32), ..LoadOptions::default() };
//! let images = load(DatasetName::Synthetic, Split::Train, &options)?;
//!
//! let schedule = Schedule::new(images.len(), 32, true)?;
//! let mut batches = Prefetcher::start(Arc::new(images), schedule, 7, 100, 0..6);
//! for prepared in &mut batches {
//!     assert_eq!(prepared.batch.shape, [32, 1, 32, 32]);
//!     assert_eq!(prepared.batch.z_shape, [32, 100]);
//! }
//! batches.finish()?;
//! # Ok(())
//! # }
//! ```

mod batch;
pub mod disk;
mod error;
mod files;
mod own;
mod picture;
mod random;
mod samples;
mod source;

pub use batch::*;
pub use error::{DataError, FetchFailure};
pub use files::{PendingFile, write_atomically};
pub use own::*;
pub use picture::*;
pub use random::{Purpose, keyed_rng, normal_vec};
pub use samples::*;
pub use source::*;
