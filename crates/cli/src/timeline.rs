//! `ganvas timeline`

use std::fs;

use anyhow::{Context, bail};
use ganvas_data::Canvas;
use ganvas_model::ImageShape;
use ganvas_training::{RunLocation, counted};
use tracing::warn;

use crate::{
    animation::{AnimationWriter, animation_format},
    args::TimelineArguments,
    ended::{Ended, UsageError},
    output::print_line,
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
    let mut pictures = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", quoted(&folder)))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let step = name.strip_prefix("step-").and_then(|name| name.strip_suffix(".png"));
        if let Some(step) = step.and_then(|step| step.parse::<u64>().ok()) {
            pictures.push((step, path));
        }
    }
    pictures.sort();
    let Some((_, newest)) = pictures.last() else {
        bail!(
            "{}: there are no samples yet; `samples.every` says how often there are some",
            quoted(&folder)
        );
    };
    // Of a run that was gone on with by another `samples.count`, those like its newest.
    let newest = Canvas::read(newest)?;
    let is_like_it = |canvas: &Canvas| (canvas.width(), canvas.height()) == (newest.width(), newest.height());
    let mut shown = Vec::new();
    for (_, path) in &pictures {
        match is_like_it(&Canvas::read(path)?) {
            true => shown.push(path),
            false => warn!("{} has another size than the newest, and is left out", quoted(path)),
        }
    }
    let image = ImageShape::new(newest.channels(), newest.height(), newest.width());
    let format = (format, arguments.milliseconds);
    let mut writer = AnimationWriter::open(out, format, (shown.len() + LAST) as u64, image, arguments.force)?;
    for path in &shown {
        writer.write_frame(&Canvas::read(path)?)?;
    }
    for _ in 0..LAST {
        writer.write_frame(&newest)?;
    }
    writer.finish()?;
    print_line!("{}: {}", counted(shown.len(), "picture"), quoted(out));
    Ok(Ended::Done)
}
