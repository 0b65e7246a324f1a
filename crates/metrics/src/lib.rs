//! How good a set of generated images is, from the features and classes that a classifier sees in it.
//!
//! Pure functions on matrices of features and on predicted classes, in 64-bit floats. Each names its paper, and the constants where
//! tools differ. Results do not depend on the number of threads: work is cut by shapes alone.

mod classes;
mod distances;
mod error;
mod features;
mod frechet;
mod kernel;
mod manifold;
mod modes;
mod nearest;

pub use classes::{Predictions, entropy, histogram_distance};
pub use error::MetricsError;
pub use features::Features;
pub use frechet::{Gaussian, frechet_distance};
pub use kernel::{KernelDistance, kernel_distance};
pub use manifold::{COVERAGE_NEIGHBOURS, Manifold, Overlap, PRECISION_NEIGHBOURS};
pub use modes::{Modes, StackedClasses, expected_modes};
pub use nearest::{Neighbour, memorized, nearest, several_nearest};
