//! Images for GAN training: where they come from, in what order they are seen, and how they are
//! shown.
//!
//! - **Sources.** [`load`] gives an [`ImageSet`] for a [`DatasetName`]: MNIST and its relatives
//!   from [`idx`] files that it looks for in the [`data_folders`], or [`synthetic_digits`] that it
//!   draws itself. [`fetch`] downloads the files and [`verify`] checks them.
//! - **Order.** A [`Schedule`] says which images a step sees, as a pure function of seed and step,
//!   and a [`Prefetcher`] prepares the [`HostBatch`]es ahead of the device. Every random number of
//!   the program comes from [`keyed_rng`].
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
//! use ganvas_data::{DatasetName, LoadOptions, Prefetcher, Schedule, Split, load};
//!
//! # fn main() -> Result<(), ganvas_data::DataError> {
//! let options = LoadOptions { seed: 7, count: Some(100), ..LoadOptions::default() };
//! let images = load(DatasetName::Synthetic, Split::Train, &options)?.padded_to(32)?;
//!
//! let schedule = Schedule::new(images.len(), 32, true)?;
//! let mut batches = Prefetcher::start(Arc::new(images), 7, schedule, 0, 6);
//! for prepared in &mut batches {
//!     assert_eq!(prepared.batch.shape, [32, 1, 32, 32]);
//! }
//! batches.finish()?;
//! # Ok(())
//! # }
//! ```

mod batch;
mod canvas;
pub mod disk;
mod error;
mod fetch;
mod files;
mod grid;
pub mod idx;
mod images;
mod load;
mod locate;
pub mod npy;
mod prefetch;
mod random;
mod raster;
mod registry;
mod sampler;
mod skeletons;
mod synthetic;
mod transfer;
mod verify;

pub use batch::{HostBatch, ImageBatch, ImageBatcher, ImageItem, denormalize, normalize};
pub use canvas::{Canvas, write_png};
pub use error::{DataError, FetchFailure};
pub use fetch::{FetchProgress, FetchReport, fetch};
pub use files::write_atomically;
pub use grid::{compose_grid, near_square_columns, side_by_side};
pub use images::ImageSet;
pub use load::{LoadOptions, load};
pub use locate::{DATA_VARIABLE, data_folders, download_folder, find_data_set};
pub use prefetch::{Prefetcher, PreparedBatch};
pub use random::{Purpose, keyed_rng, normal_vec};
pub use registry::{DataFile, DatasetName, Split};
pub use sampler::{Schedule, epoch_order};
pub use synthetic::synthetic_digits;
pub use verify::{FileState, FileStatus, verify};
