//! `ganvas generate`

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use ganvas_training::{Checkpoint, Experiment, RunLocation, counted};
use serde_json::json;
use tracing::info;

use crate::{
    args::{Format, GenerateArguments},
    backends,
    exit::{Ended, UsageError},
    image_files::ImageWriter,
    interrupt,
    jobs::GenerateJob,
    output::print_line,
    outputs::{Destination, check_distinct, is_stdout, is_stream},
    quoting::quoted,
    screen, shipped,
};

pub fn generate(arguments: &GenerateArguments) -> anyhow::Result<Ended> {
    let checkpoint = Checkpoint::choose(&arguments.source, arguments.checkpoint)?;
    let experiment: Experiment = checkpoint.experiment()?;
    let backend = match &arguments.backend {
        Some(name) => shipped::backend(name)?.backend,
        None => experiment.backend.clone(),
    };
    let seed = arguments.seed.unwrap_or(experiment.seed);
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => default_name(&arguments.source, &checkpoint, seed)?,
    };
    let format = format(&out, arguments.format)?;
    let outputs = [
        Some(("--out", out.as_path())),
        arguments.noise.as_deref().map(|noise| ("--noise", noise)),
    ];
    check_distinct(&outputs.into_iter().flatten().collect::<Vec<_>>())?;
    if is_stdout(&out) && arguments.json {
        bail!(UsageError(
            "--json and --out - both write to standard output; give one of them".into()
        ));
    }
    if let Some(noise) = arguments.noise.as_deref().filter(|noise| !is_npy(noise)) {
        bail!(UsageError(format!(
            "--noise {}: expected a name that ends in .npy",
            quoted(noise)
        )));
    }
    let selected = backends::select(&backend).map_err(|error| match &arguments.backend {
        Some(file) => UsageError(format!("{}: {error}", quoted(file))),
        None => UsageError(format!(
            "the run was trained on another backend than this program or machine has: {error}; `ganvas backends` lists \
             what is here, and `--backend ndarray` takes another"
        )),
    })?;
    let count = arguments.count;
    let mut writer = ImageWriter::open(&out, format, count, checkpoint.image(), arguments.force)?;
    let mut noise = match &arguments.noise {
        Some(path) => Some(Destination::open(path, arguments.force)?),
        None => None,
    };
    interrupt::watch()?;
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
        seed,
        count,
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
            made += (part.noise.len() / part.latent) as u64;
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
            "seed": seed,
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

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// `RUN-step-000500-seed-5.png`, or the checkpoint's folder in the place of the run's where it lies outside of one.
fn default_name(source: &Path, checkpoint: &Checkpoint, seed: u64) -> anyhow::Result<PathBuf> {
    let run = RunLocation::find(source)?.run;
    let folder = std::path::absolute(run.as_deref().unwrap_or(checkpoint.path()))?;
    let folder = folder.canonicalize().unwrap_or(folder);
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let step = checkpoint.state.step;
    Ok(PathBuf::from(format!("{name}-step-{step:06}-seed-{seed}.png")))
}

fn is_npy(path: &Path) -> bool {
    is_stream(path) || path.extension().is_some_and(|end| end.eq_ignore_ascii_case("npy"))
}

/// What a file's name and `--format` ask for together.
fn format(out: &Path, asked: Option<Format>) -> Result<Format, UsageError> {
    let name = out.to_string_lossy().to_lowercase();
    let by_name = match name.as_str() {
        _ if out.is_dir() || name.ends_with(std::path::MAIN_SEPARATOR) => Some(Format::Folder),
        name if name.ends_with(".png") => Some(Format::Png),
        name if name.ends_with(".npy") => Some(Format::Npy),
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
            "--out {}: expected a name that ends in .png, .npy, .idx or /; or --format",
            quoted(out)
        ))),
    }
}
