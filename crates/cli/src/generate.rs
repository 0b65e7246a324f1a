//! `ganvas generate`

use std::path::PathBuf;

use anyhow::bail;
use ganvas_backend::{BackendError, Selected};
use ganvas_data::{compose_grid, denormalize, idx, near_square_columns, npy, write_png};
use ganvas_training::{BackendSection, Checkpoint, Experiment, load_backend_file};
use tracing::info;

use crate::{
    args::GenerateArguments,
    exit::{Ended, UsageError},
    jobs::GenerateJob,
    output::print_line,
};

/// Digits are small: each pixel becomes a square of this side.
const ENLARGEMENT: usize = 3;

/// What a file's ending asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Npy,
    Idx,
}

pub fn generate(arguments: &GenerateArguments) -> anyhow::Result<Ended> {
    let checkpoint = Checkpoint::find(&arguments.source)?;
    let experiment: Experiment = checkpoint.experiment()?;
    let backend = match &arguments.backend {
        Some(file) => load_backend_file(file)?.backend,
        None => experiment.backend.clone(),
    };
    let seed = arguments.seed.unwrap_or(experiment.seed);
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("generated-step-{:06}-seed-{seed}.png", checkpoint.state.step)));
    let format = format(&out)?;
    if let Some(noise) = arguments
        .noise
        .as_ref()
        .filter(|noise| noise.extension().is_none_or(|end| end != "npy"))
    {
        bail!(UsageError(format!(
            "--noise {}: expected a name that ends in .npy",
            noise.display()
        )));
    }
    let count = arguments.count as usize;
    let image = checkpoint.image();
    if format == Format::Idx && image.channels != 1 {
        bail!(UsageError(format!(
            "{}: an IDX file of images holds one channel, these have {}; use .npy or .png",
            out.display(),
            image.channels
        )));
    }
    let selected = select(&backend).map_err(|error| match &arguments.backend {
        Some(file) => UsageError(format!("{}: {error}", file.display())),
        None => UsageError(format!(
            "the run was trained on another backend than this program or machine has: {error}; `ganvas backends` lists \
             what is here, and `--backend configs/backends/ndarray.toml` takes another"
        )),
    })?;
    info!(
        "{count} images from {} with backend {} on {}",
        checkpoint.path().display(),
        backend.kind,
        selected.info()
    );

    let made = selected.run(GenerateJob {
        checkpoint: &checkpoint,
        networks: &experiment.model,
        seed,
        count,
    })?;
    let values = made.images;
    let shape = image.dims();
    let bytes = || values.iter().map(|&value| denormalize(value)).collect::<Vec<u8>>();
    match format {
        Format::Png => {
            let grid = compose_grid(&bytes(), count, shape, near_square_columns(count))?;
            write_png(&grid.upscale(ENLARGEMENT), &out)?;
        }
        Format::Npy => npy::write_f32(&out, &values, &[count, shape[0], shape[1], shape[2]])?,
        Format::Idx => idx::write_images(&out, &bytes(), image.height, image.width)?,
    }
    if let Some(noise) = &arguments.noise {
        npy::write_f32(noise, &made.noise.0, &made.noise.1)?;
    }
    print_line!("{count} images: {}", out.display());
    Ok(Ended::Done)
}

fn select(backend: &BackendSection) -> Result<Selected, BackendError> {
    ganvas_backend::select(backend.kind.parse()?, &backend.device)
}

fn format(out: &std::path::Path) -> Result<Format, UsageError> {
    let name = out.to_string_lossy().to_lowercase();
    match name {
        name if name.ends_with(".png") => Ok(Format::Png),
        name if name.ends_with(".npy") => Ok(Format::Npy),
        name if name.ends_with(".idx") || name.ends_with(".idx.gz") || name.ends_with("-ubyte") => Ok(Format::Idx),
        name => Err(UsageError(format!(
            "--out {name}: expected a name that ends in .png, .npy or .idx"
        ))),
    }
}
