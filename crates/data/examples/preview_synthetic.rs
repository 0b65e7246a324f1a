//! Draws a page of synthetic digits, one row a class, and says how long a whole training set takes.
//!
//! ```sh
//! cargo run --release -p ganvas-data --example preview_synthetic -- target/synthetic.png
//! ```

use std::path::Path;
use std::time::Instant;

use ganvas_data::{DataError, ImageSource, Split, compose_grid, synthetic_digits, write_png};

const COLUMNS: usize = 20;

fn main() -> Result<(), DataError> {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: preview_synthetic FILE.png [SEED]");
        return Ok(());
    };
    let seed = std::env::args()
        .nth(2)
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_default();
    let start = Instant::now();
    let set = synthetic_digits(seed, Split::Train, 60_000);
    println!("drew {} digits in {:.2} s", set.len(), start.elapsed().as_secs_f64());
    let mean = set.pixels().iter().map(|&byte| f64::from(byte)).sum::<f64>() / set.pixels().len() as f64;
    println!("mean intensity {:.4} (MNIST: 0.1307)", mean / 255.0);

    let mut page = Vec::new();
    for class in 0..10 {
        let members = (0..set.len()).filter(|&index| set.label(index) == Some(class));
        for index in members.take(COLUMNS) {
            page.extend_from_slice(&set.image(index)?);
        }
    }
    let grid = compose_grid(&page, 10 * COLUMNS, set.shape(), COLUMNS)?;
    write_png(&grid.upscale(3), Path::new(&path))
}
