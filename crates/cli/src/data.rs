//! `ganvas data`

mod sets;

use std::path::{Path, PathBuf};

use anyhow::bail;
use ganvas_data::{
    DataError, ImageSet, ImageSource, LoadOptions, check_own, compose_grid, load_own, near_square_columns,
};
use ganvas_training::counted;
use tracing::{info, warn};

use crate::{
    args::{DataCommand, OwnArguments, SetOrPath, SplitArgument, data_set},
    ended::{Ended, UsageError},
    image_files::ENLARGEMENT,
    memory,
    output::print_line,
    outputs::{Destination, is_stdout, is_stream},
    quoting::quoted,
    screen,
};

pub use sets::{check_folder, fetch_command};
use sets::{fetch_set, list, verify_set};

pub fn data(command: &DataCommand) -> anyhow::Result<Ended> {
    match command {
        DataCommand::List { folder, json } => list(folder.data_dir.as_deref(), *json)?,
        DataCommand::Fetch { name, folder, mirror } => fetch_set(*name, folder.data_dir.as_deref(), mirror)?,
        DataCommand::Verify { name, folder } => verify_set(*name, folder.data_dir.as_deref())?,
        DataCommand::Check { path, own, json } => check(path, own, *json)?,
        DataCommand::Preview {
            images,
            folder,
            own,
            count,
            split,
            seed,
            out,
            force,
        } => {
            let name = match images {
                SetOrPath::Set(name) => {
                    if let Some(flag) = own.given() {
                        let message = format!("{flag} is for images of one's own, and {name} is a data set");
                        return Err(UsageError(message).into());
                    }
                    check_folder(folder.data_dir.as_deref(), *name)?;
                    name.to_string()
                }
                SetOrPath::Path(path) => {
                    if !path.exists() {
                        // A name that was mistyped, as likely as not.
                        let error = data_set(&path.to_string_lossy()).err().unwrap_or_default();
                        return Err(UsageError(format!("{error}, and there is no such file or folder")).into());
                    }
                    let of_sets = [
                        ("--split", split.is_some()),
                        ("--seed", seed.is_some()),
                        ("--data-dir", folder.data_dir.is_some()),
                    ];
                    if let Some((flag, _)) = of_sets.into_iter().find(|(_, is_given)| *is_given) {
                        let message = format!("{flag} is for data sets, and {} is none", quoted(path));
                        return Err(UsageError(message).into());
                    }
                    let stem = path.file_stem().unwrap_or(path.as_os_str());
                    stem.to_string_lossy().trim_matches('.').to_owned()
                }
            };
            let name = if name.is_empty() { "preview" } else { &name };
            let out = out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.png")));
            let mut writer = picture("--out", &out, *force)?;
            let count = *count as usize;
            let images = match images {
                SetOrPath::Set(name) => {
                    let options = LoadOptions {
                        data_dir: folder.data_dir.clone(),
                        seed: seed.unwrap_or_default(),
                        count: Some(count),
                        image_size: None,
                    };
                    let _loading = screen::loading(*name);
                    ganvas_data::load(*name, split.unwrap_or(SplitArgument::Train).into(), &options)?
                }
                SetOrPath::Path(path) => evenly(own_images(path, own)?, count)?,
            };
            let columns = near_square_columns(images.len());
            let grid = compose_grid(images.pixels(), images.len(), images.shape(), columns)?;
            grid.upscale(ENLARGEMENT).encode_png(&mut writer)?;
            writer.finish()?;
            if !is_stdout(&out) && !is_stream(&out) {
                print_line!("{}: {}", counted(images.len(), "image"), quoted(&out));
            }
        }
    }
    Ok(Ended::Done)
}

/// Decodes images of one's own, without those that cannot be used; says what was done.
fn own_images(path: &Path, arguments: &OwnArguments) -> anyhow::Result<ImageSet> {
    let options = arguments.options(path.to_owned(), memory::limit().map(|(most, _)| most));
    let decoding = screen::spinner(format!("decoding {}", options.name()));
    let (images, report) = load_own(&options, &|done, all| decoding.reach_of(done as u64, all as u64))?;
    drop(decoding);
    info!("{report}");
    if !report.bad.is_empty() {
        let bad = counted(report.bad.len(), "picture");
        warn!(
            "{bad} cannot be used: `ganvas data check {}` says which and why",
            quoted(path)
        );
    }
    Ok(images)
}

/// So many of all, from all parts.
fn evenly(images: ImageSet, count: usize) -> Result<ImageSet, DataError> {
    let all = images.len();
    if all <= count {
        return Ok(images);
    }
    let length = images.image_len();
    let of = |number: usize| number * all / count * length;
    let pixels = (0..count).flat_map(|number| images.pixels()[of(number)..][..length].iter().copied());
    ImageSet::new(images.name(), pixels.collect(), None, images.shape())
}

/// Says what of images of one's own can be used, and names every file that cannot.
fn check(path: &Path, arguments: &OwnArguments, json: bool) -> anyhow::Result<()> {
    let options = arguments.options(path.to_owned(), memory::limit().map(|(most, _)| most));
    let decoding = screen::spinner(format!("decoding {}", options.name()));
    let report = check_own(&options, &|done, all| decoding.reach_of(done as u64, all as u64))?;
    drop(decoding);
    if json {
        print_line!("{}", serde_json::to_string(&report)?);
    } else {
        report.bad.iter().for_each(|bad| print_line!("{bad}"));
        print_line!("{report}");
        if report.ignored > 0 {
            print_line!(
                "{} beside them are no pictures by their names",
                counted(report.ignored, "file")
            );
        }
    }
    match report.bad.len() {
        0 => Ok(()),
        count => bail!("{} cannot be used", counted(count, "picture")),
    }
}

/// Opens a picture to be written, whose name says that it is one.
pub fn picture(argument: &str, out: &Path, force: bool) -> anyhow::Result<Destination> {
    let is_png = out.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    if !is_png && !is_stdout(out) && !is_stream(out) {
        bail!(UsageError(format!(
            "{argument} {}: expected a name that ends in .png",
            quoted(out)
        )));
    }
    Destination::open(out, force)
}
