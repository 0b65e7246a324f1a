//! `ganvas data`

use std::path::{Path, PathBuf};

use anyhow::bail;
use ganvas_data::{
    DATA_VARIABLE, DatasetName, FetchProgress, FileState, ImageSource, LoadOptions, compose_grid, data_folders,
    download_folder, fetch, find_data_set, near_square_columns, verify,
};
use indicatif::{HumanBytes, ProgressBar};
use tracing::{info, warn};

use crate::{
    args::DataCommand,
    exit::{Ended, UsageError},
    image_files::ENLARGEMENT,
    output::print_line,
    outputs::{Destination, is_stdout, is_stream},
    quoting::quoted,
    screen,
    train::counted,
};

pub fn data(command: &DataCommand) -> anyhow::Result<Ended> {
    match command {
        DataCommand::List(folder) => list(folder.data_dir.as_deref()),
        DataCommand::Fetch { name, folder, mirror } => fetch_set(*name, folder.data_dir.as_deref(), mirror)?,
        DataCommand::Verify { name, folder } => verify_set(*name, folder.data_dir.as_deref())?,
        DataCommand::Preview {
            name,
            folder,
            count,
            split,
            seed,
            out,
            force,
        } => {
            check_folder(folder.data_dir.as_deref())?;
            let out = out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.png")));
            let mut writer = picture(&out, *force)?;
            let options = LoadOptions {
                data_dir: folder.data_dir.clone(),
                seed: *seed,
                count: Some(*count as usize),
                image_size: None,
            };
            let images = ganvas_data::load(*name, (*split).into(), &options)?;
            let columns = near_square_columns(images.len());
            let grid = compose_grid(images.pixels(), images.len(), images.shape(), columns)?;
            grid.upscale(ENLARGEMENT).encode_png(&mut writer)?;
            writer.finish()?;
            if !is_stdout(&out) && !is_stream(&out) {
                print_line!("{}: {}", counted(images.len() as u64, "image"), quoted(&out));
            }
        }
    }
    Ok(Ended::Done)
}

/// Opens a picture to be written, whose name says that it is one.
fn picture(out: &Path, force: bool) -> anyhow::Result<Destination> {
    let is_png = out.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    if !is_png && !is_stdout(out) && !is_stream(out) {
        bail!(UsageError(format!(
            "--out {}: expected a name that ends in .png",
            quoted(out)
        )));
    }
    Destination::open(out, force)
}

/// Refuses a `GANVAS_DATA` that names no folder: the cache would silently take its place.
pub fn check_folder(explicit: Option<&Path>) -> Result<(), UsageError> {
    match std::env::var_os(DATA_VARIABLE).map(PathBuf::from) {
        Some(folder) if explicit.is_none() && !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(UsageError(format!(
                "{DATA_VARIABLE} is {}, which is no folder; expected the folder above mnist/",
                folder.display()
            )))
        }
        _ => Ok(()),
    }
}

fn list(explicit: Option<&Path>) {
    let folders = data_folders(explicit);
    print_line!("{:<15} where", "data set");
    for name in DatasetName::ALL {
        if name == DatasetName::Synthetic {
            print_line!("{:<15} drawn by the program, any number of images", name.to_string());
            continue;
        }
        match find_data_set(name, &folders) {
            Some(folder) => print_line!("{:<15} {}", name.to_string(), folder.join(name.folder()).display()),
            None => print_line!(
                "{:<15} not here; get it with: ganvas data fetch {name}",
                name.to_string()
            ),
        }
    }
    let places: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    print_line!("\nlooked in {}", places.join(", "));
}

fn fetch_set(name: DatasetName, explicit: Option<&Path>, mirrors: &[String]) -> anyhow::Result<()> {
    let folder = download_folder(explicit);
    info!("fetching {name} into {}", folder.display());
    let mut bar: Option<ProgressBar> = None;
    let result = fetch(name, &folder, mirrors, &mut |event| match event {
        FetchProgress::Whole { file } => info!("{file}: already here and whole"),
        FetchProgress::Started {
            file,
            url,
            resumed_from,
            total,
        } => {
            match resumed_from {
                0 => info!("{file} from {url}"),
                bytes => info!("{file} from {url}, going on after {}", HumanBytes(bytes)),
            }
            let new = ProgressBar::new(total.unwrap_or(0)).with_position(resumed_from);
            new.set_style(screen::style(
                "{prefix} {bar:24.cyan/dim} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
            ));
            new.set_prefix(file.to_owned());
            screen::show(&new);
            bar = Some(new);
        }
        FetchProgress::Advanced { received, .. } => {
            if let Some(bar) = &bar {
                bar.set_position(received);
            }
        }
        FetchProgress::Failed { file, url, reason } => {
            screen::hide();
            warn!("{file} from {url}: {reason}");
        }
        FetchProgress::Finished { file, bytes } => {
            screen::hide();
            info!("{file}: {}, checksum right", HumanBytes(bytes));
        }
        _ => {}
    });
    screen::hide();
    result?;
    print_line!("{name}: {}", folder.join(name.to_string()).display());
    Ok(())
}

fn verify_set(name: DatasetName, explicit: Option<&Path>) -> anyhow::Result<()> {
    // The first folder that has the set is the one that training would read.
    let folders = data_folders(explicit);
    let folder = find_data_set(name, &folders).map_or_else(|| download_folder(explicit), Path::to_owned);
    let mut bad = 0;
    for status in verify(name, &folder)? {
        let state = match status.state {
            FileState::Ok => "right".to_owned(),
            FileState::Uncompressed => "there without .gz; there is no published checksum to compare with".to_owned(),
            FileState::Missing => {
                bad += 1;
                "missing".to_owned()
            }
            FileState::WrongChecksum { expected, found } => {
                bad += 1;
                format!("wrong: expected MD5 {expected}, found {found}")
            }
        };
        print_line!("{}: {state}", status.path.display());
    }
    if bad > 0 {
        bail!("{bad} files of {name} are missing or wrong; get them with `ganvas data fetch {name}`");
    }
    Ok(())
}
