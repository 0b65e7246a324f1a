//! `ganvas generate`

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use ganvas_backend::Selected;
use ganvas_data::npy;
use ganvas_model::NetworkSettings;
use ganvas_training::{BackendSection, Checkpoint, Experiment, RunLocation, counted};
use serde_json::json;
use tracing::info;

use crate::{
    args::{Format, GenerateArguments, MOST_GENERATED},
    asked_class::asked_classes,
    backends,
    ended::{Ended, UsageError},
    image_files::ImageWriter,
    jobs::{AskedClasses, GenerateJob, Latents},
    output::print_line,
    outputs::{Destination, check_distinct, is_stdout, is_stream},
    quoting::quoted,
    screen, shipped,
};

pub fn generate(arguments: &GenerateArguments) -> anyhow::Result<Ended> {
    let checkpoint = Checkpoint::choose(&arguments.source, arguments.checkpoint)?;
    let experiment: Experiment = checkpoint.experiment()?;
    let seed = arguments.seed.unwrap_or(experiment.seed);
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => default_name(&arguments.source, &checkpoint, &made_of(arguments, seed))?,
    };
    let format = format(&out, arguments.format)?;
    let outputs = [
        Some(("--out", out.as_path())),
        arguments.save_noise.as_deref().map(|noise| ("--save-noise", noise)),
    ];
    check_distinct(&outputs.into_iter().flatten().collect::<Vec<_>>())?;
    if is_stdout(&out) && arguments.json {
        bail!(UsageError(
            "--json and --out - both write to standard output; give one of them".into()
        ));
    }
    if let Some(noise) = arguments.save_noise.as_deref().filter(|noise| !is_npy(noise)) {
        bail!(UsageError(format!(
            "--save-noise {}: expected a name that ends in .npy",
            quoted(noise)
        )));
    }
    if arguments.grid.is_some() && format != Format::Png {
        bail!(UsageError(
            "--grid is the shape of a .png; leave it out for other formats".into()
        ));
    }
    if arguments.captions && format != Format::Png {
        bail!(UsageError(
            "--captions are for a .png; leave it out for other formats".into()
        ));
    }
    let (backend, selected) = select(arguments.backend.as_deref(), &experiment)?;
    let classes = asked_classes(arguments, &experiment, &checkpoint)?;
    let latents = latents(arguments, seed, classes, &experiment, &checkpoint)?;
    let count = latents.count();
    let columns = match (arguments.grid, classes) {
        (Some((columns, rows)), _) if count > (columns * rows) as u64 => bail!(UsageError(format!(
            "--grid {columns}x{rows}: expected room for {}",
            counted(count, "image")
        ))),
        (Some((columns, _)), _) => Some(columns),
        (None, AskedClasses::Each(images)) => Some(images as usize),
        _ => None,
    };
    let names = match &latents {
        Latents::Seeds(seeds) => Some(seeds.as_slice()),
        _ => None,
    };
    // Before the images, which may take the place of others in a folder.
    let mut noise = match &arguments.save_noise {
        Some(path) => Some(Destination::open(path, arguments.force)?),
        None => None,
    };
    let mut writer = ImageWriter::open(
        &out,
        format,
        (count, columns),
        checkpoint.image(),
        names,
        arguments.force,
    )?;
    let progress = screen::progress(count, "making images");
    let mut made = 0;
    info!(
        "{} from {} with backend {} on {}",
        counted(count, "image"),
        quoted(checkpoint.path()),
        backend.kind,
        selected.info()
    );

    let mut header = noise.is_some();
    let made_all = selected.run(GenerateJob {
        checkpoint: &checkpoint,
        networks: &experiment.model,
        weights: arguments.weights.into(),
        latents: &latents,
        truncation: arguments.truncation,
        classes,
        take: &mut |part| {
            if let Some(noise) = &mut noise {
                if std::mem::take(&mut header) {
                    noise.write_all(&crate::image_files::npy_header(&[count as usize, part.latent])?)?;
                }
                for value in part.noise {
                    noise.write_all(&value.to_le_bytes())?;
                }
            }
            writer.write(part.images)?;
            let first = made;
            made += (part.noise.len() / part.latent) as u64;
            if arguments.captions {
                writer.caption((first..made).map(|number| match (names, part.classes) {
                    (Some(seeds), _) => seeds[number as usize].to_string(),
                    (None, Some(classes)) => class_name(&checkpoint, classes[(number - first) as usize]),
                    (None, None) => number.to_string(),
                }));
            }
            progress.reach(made);
            Ok(())
        },
    });
    // Whoever reads standard output may have had enough.
    if is_stdout(&out) && made_all.as_ref().is_err_and(is_broken_pipe) {
        return Ok(Ended::Done);
    }
    made_all.with_context(|| format!("cannot write {}", quoted(&out)))?;
    drop(progress);
    match writer.finish() {
        Err(error) if is_stdout(&out) && is_broken_pipe(&error) => return Ok(Ended::Done),
        finished => finished.with_context(|| format!("cannot write {}", quoted(&out)))?,
    }
    if let Some(noise) = noise {
        noise.finish()?;
    }
    if arguments.json {
        let report = json!({
            "count": count,
            "out": out.to_string_lossy(),
            "noise": arguments.noise.as_ref().map(|noise| noise.to_string_lossy()),
            "save_noise": arguments.save_noise.as_ref().map(|noise| noise.to_string_lossy()),
            "seed": arguments.seeds.is_none().then_some(seed),
            "seeds": arguments.seeds.as_ref().map(|seeds| &seeds.0),
            "class": arguments.class,
            "checkpoint": checkpoint.path().to_string_lossy(),
            "step": checkpoint.state.step,
            "shape": checkpoint.image().dims(),
            "backend": selected.kind().name(),
        });
        print_line!("{report}");
    } else if !is_stdout(&out) && !is_stream(&out) {
        print_line!("{}: {}", counted(count, "image"), quoted(&out));
    }
    Ok(Ended::Done)
}

/// What a class is called, or its number where the letters of captions have no such name.
fn class_name(checkpoint: &Checkpoint, class: u32) -> String {
    let classes = checkpoint.state.images.classes.as_ref();
    let name = classes.and_then(|classes| classes.names.get(class as usize));
    let is_written = |name: &&String| name.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic());
    name.filter(is_written).cloned().unwrap_or_else(|| class.to_string())
}

/// The backend that is asked for, or else that of the run.
pub fn select(asked: Option<&Path>, experiment: &Experiment) -> anyhow::Result<(BackendSection, Selected)> {
    let backend = match asked {
        Some(name) => shipped::backend(name)?.backend,
        None => experiment.backend.clone(),
    };
    let selected = backends::select(&backend).map_err(|error| match asked {
        Some(file) => UsageError(format!("{}: {error}", quoted(file))),
        None => UsageError(format!(
            "the run was trained on another backend than this program or machine has: {error}; `ganvas backends` lists \
             what is here, and `--backend ndarray` takes another"
        )),
    })?;
    Ok((backend, selected))
}

/// Images where the user does not say how many.
const COUNT: u64 = 64;

/// What the images are made of.
fn latents(
    arguments: &GenerateArguments,
    seed: u64,
    classes: AskedClasses,
    experiment: &Experiment,
    checkpoint: &Checkpoint,
) -> anyhow::Result<Latents> {
    let each = match classes {
        AskedClasses::Each(images) => Some((images, checkpoint.state.images.data_shape().classes as u64)),
        _ => None,
    };
    if let Some((_, classes)) = each
        && (arguments.seeds.is_some() || arguments.noise.is_some())
    {
        let message = format!(
            "--class all makes --count images of each of {classes} classes, from one seed; name a class, or leave --seeds and --noise out"
        );
        bail!(UsageError(message));
    }
    if let Some(seeds) = &arguments.seeds {
        return Ok(Latents::Seeds(seeds.0.clone()));
    }
    if let Some(path) = &arguments.noise {
        if experiment.model.is_conditional() && classes == AskedClasses::Drawn && arguments.seed.is_none() {
            let message = "--noise says nothing of classes: name one with `--class`, or with `--seed` the seed that they are drawn by";
            bail!(UsageError(message.into()));
        }
        let (shape, z) = npy::read_f32(path)?;
        // Every family has the key.
        let model = serde_json::to_value(&experiment.model)?;
        let latent = model["latent_size"].as_u64().unwrap_or_default() as usize;
        return match shape[..] {
            [count, width] if count > 0 && width == latent => Ok(Latents::Given { z, width, seed }),
            _ => bail!(UsageError(format!(
                "--noise {}: expected an array of the shape [count, {latent}], as this generator takes it, found {shape:?}",
                quoted(path)
            ))),
        };
    }
    let count = match (each, arguments.grid) {
        (Some((images, classes)), _) => {
            let all = images.checked_mul(classes).filter(|&all| all <= MOST_GENERATED);
            all.ok_or_else(|| {
                UsageError(format!(
                    "--count {images}: expected at most {} of each of {classes} classes",
                    MOST_GENERATED / classes.max(1)
                ))
            })?
        }
        (None, Some((columns, rows))) => arguments.count.unwrap_or((columns * rows) as u64),
        (None, None) => arguments.count.unwrap_or(COUNT),
    };
    Ok(Latents::Seed(seed, count))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// What the images are made of, as a part of a name.
fn made_of(arguments: &GenerateArguments, seed: u64) -> String {
    match (&arguments.seeds, &arguments.noise) {
        (Some(seeds), _) => match seeds.0[..] {
            [only] => format!("seed-{only}"),
            [first, ..] => format!("seeds-{first}-and-{}-more", seeds.0.len() - 1),
            [] => "seeds".to_owned(),
        },
        (None, Some(noise)) => format!("noise-{}", noise.file_stem().unwrap_or_default().to_string_lossy()),
        (None, None) => format!("seed-{seed}"),
    }
}

/// The name of the run's folder, or of the checkpoint's where it lies outside of one.
pub fn run_name(source: &Path, checkpoint: &Checkpoint) -> anyhow::Result<String> {
    let run = RunLocation::find(source)?.run;
    let folder = std::path::absolute(run.as_deref().unwrap_or(checkpoint.path()))?;
    let folder = folder.canonicalize().unwrap_or(folder);
    Ok(folder.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// `RUN-step-000500-seed-5.png`, or the checkpoint's folder in the place of the run's where it lies outside of one.
fn default_name(source: &Path, checkpoint: &Checkpoint, made_of: &str) -> anyhow::Result<PathBuf> {
    let name = run_name(source, checkpoint)?;
    let step = checkpoint.state.step;
    Ok(PathBuf::from(format!("{name}-step-{step:06}-{made_of}.png")))
}

fn is_npy(path: &Path) -> bool {
    is_stream(path) || path.extension().is_some_and(|end| end.eq_ignore_ascii_case("npy"))
}

/// What a file's name and `--format` ask for together.
pub fn format(out: &Path, asked: Option<Format>) -> Result<Format, UsageError> {
    let name = out.to_string_lossy().to_lowercase();
    let by_name = match name.as_str() {
        _ if out.is_dir() || name.ends_with(std::path::MAIN_SEPARATOR) => Some(Format::Folder),
        name if name.ends_with(".png") => Some(Format::Png),
        name if name.ends_with(".npy") => Some(Format::Npy),
        name if name.ends_with(".npz") => Some(Format::Npz),
        name if name.ends_with(".idx") || name.ends_with(".idx.gz") || name.contains("-ubyte") => Some(Format::Idx),
        _ => None,
    };
    match (by_name, asked) {
        (Some(format), None) => Ok(format),
        (Some(format), Some(asked)) if format == asked => Ok(format),
        (Some(_), Some(asked)) => Err(UsageError(format!(
            "--out {}: its name is of another format than --format {}",
            quoted(out),
            format!("{asked:?}").to_lowercase()
        ))),
        (None, Some(asked)) => Ok(asked),
        (None, None) if is_stdout(out) || is_stream(out) => Ok(Format::Png),
        (None, None) => Err(UsageError(format!(
            "--out {}: expected a name that ends in .png, .npy, .npz, .idx or /; or --format",
            quoted(out)
        ))),
    }
}
