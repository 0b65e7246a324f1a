//! `ganvas interpolate`

use anyhow::{Context, bail};
use ganvas_training::{Checkpoint, Experiment, counted};
use tracing::info;

use crate::{
    animation::{AnimationWriter, animation_format},
    args::{Format, InterpolateArguments},
    asked_class::asked_class,
    ended::{Ended, UsageError},
    generate::{format, select},
    image_files::ImageWriter,
    jobs::{AskedClasses, GenerateJob, Latents},
    morph::Path,
    output::print_line,
    outputs::{is_stdout, is_stream},
    quoting::quoted,
    screen,
};

/// Where the images on the way go.
enum Writer {
    Animation(AnimationWriter),
    Images(ImageWriter),
}

pub fn interpolate(arguments: &InterpolateArguments) -> anyhow::Result<Ended> {
    let out = &arguments.out;
    let moving = animation_format(out);
    if is_stdout(out) || is_stream(out) {
        bail!(UsageError(format!(
            "--out {}: expected a file or a folder",
            quoted(out)
        )));
    }
    let path = Path {
        seeds: arguments.seeds.0.clone(),
        steps: arguments.steps,
        is_spherical: arguments.slerp,
        is_closed: moving.is_some(),
    };
    if path.seeds.len() < 2 {
        bail!(UsageError("--seeds: expected two seeds or more to go between".into()));
    }
    let format = match moving {
        Some(_) => Format::Png,
        None => format(out, None).map_err(|error| UsageError(format!("{}; .gif and .apng move", error.0)))?,
    };
    let checkpoint = Checkpoint::choose(&arguments.source, arguments.checkpoint)?;
    let experiment: Experiment = checkpoint.experiment()?;
    let (backend, selected) = select(arguments.backend.as_deref(), &experiment)?;
    let classes = match asked_class(arguments.class.as_deref(), "", &experiment, &checkpoint)? {
        Some(class) => AskedClasses::One(class),
        None => AskedClasses::Drawn,
    };
    let count = path.count();
    let mut writer = match moving {
        Some(format) => {
            let format = (format, arguments.milliseconds);
            Writer::Animation(AnimationWriter::open(
                out,
                format,
                count,
                checkpoint.image(),
                arguments.force,
            )?)
        }
        None => {
            let columns = (path.steps > 1).then_some(path.steps);
            Writer::Images(ImageWriter::open(
                out,
                format,
                (count, columns),
                checkpoint.image(),
                None,
                arguments.force,
            )?)
        }
    };
    let progress = screen::progress(count, "making images");
    let images = counted(count, "image");
    info!(
        "{images} from {} with backend {} on {}",
        quoted(checkpoint.path()),
        backend.kind,
        selected.info()
    );
    let mut made = 0;
    selected
        .run(GenerateJob {
            checkpoint: &checkpoint,
            networks: &experiment.model,
            weights: arguments.weights.into(),
            latents: &Latents::Path(path),
            truncation: 1.0,
            classes,
            take: &mut |part| {
                match &mut writer {
                    Writer::Animation(writer) => writer.write(part.images)?,
                    Writer::Images(writer) => writer.write(part.images)?,
                }
                made += (part.noise.len() / part.latent) as u64;
                progress.reach(made);
                Ok(())
            },
        })
        .with_context(|| format!("cannot write {}", quoted(out)))?;
    drop(progress);
    match writer {
        Writer::Animation(writer) => writer.finish()?,
        Writer::Images(writer) => writer.finish()?,
    }
    print_line!("{images}: {}", quoted(out));
    Ok(Ended::Done)
}
