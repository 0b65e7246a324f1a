//! Images out: for people, and for other programs.

mod animation;
mod canvas;
mod grid;
pub mod npy;
mod npz;

pub use animation::{Animation, AnimationFormat};
pub use canvas::{Canvas, write_png};
pub use grid::{compose_captioned_grid, compose_grid, near_square_columns, side_by_side};
pub use npz::NpzWriter;
