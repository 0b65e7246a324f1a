//! `ganvas timeline`

use std::fs;

use anyhow::{Context, bail};
use ganvas_data::{Canvas, write_animation};
use ganvas_training::{RunLocation, counted};

use crate::{
    animation::animation_format,
    args::TimelineArguments,
    exit::{Ended, UsageError},
    output::print_line,
    outputs::Destination,
    quoting::quoted,
};

/// How often the last picture is shown, so that one sees it before the beginning comes again.
const LAST: usize = 8;

pub fn timeline(arguments: &TimelineArguments) -> anyhow::Result<Ended> {
    let out = &arguments.out;
    let Some(format) = animation_format(out) else {
        bail!(UsageError(format!(
            "--out {}: expected a name that ends in .gif or .apng",
            quoted(out)
        )));
    };
    let location = RunLocation::find(&arguments.run)?;
    let Some(run) = location.run else {
        bail!(UsageError(format!(
            "{}: expected a run directory, whose samples/ it shows",
            quoted(&arguments.run)
        )));
    };
    let folder = run.join("samples");
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", quoted(&folder)))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("step-") && name.ends_with(".png") {
            paths.push(path);
        }
    }
    // The steps stand in the names with as many digits.
    paths.sort();
    if paths.is_empty() {
        bail!(
            "{}: there are no samples yet; `samples.every` says how often there are some",
            quoted(&folder)
        );
    }
    let mut destination = Destination::open(out, arguments.force)?;
    let mut frames = Vec::with_capacity(paths.len() + LAST);
    for path in &paths {
        frames.push(Canvas::read(path)?);
    }
    let last = frames[frames.len() - 1].clone();
    frames.extend(std::iter::repeat_n(last, LAST));
    write_animation(&mut destination, &frames, arguments.milliseconds, format)
        .with_context(|| format!("cannot write {}", quoted(out)))?;
    destination.finish()?;
    print_line!("{}: {}", counted(paths.len(), "picture"), quoted(out));
    Ok(Ended::Done)
}
