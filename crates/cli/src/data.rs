//! `ganvas data`

use std::path::{Path, PathBuf};

use anyhow::bail;
use ganvas_data::{
    DATA_VARIABLE, DatasetName, FetchProgress, FileState, ImageSource, LoadOptions, compose_grid, data_folders,
    download_folder, fetch, find_data_set, near_square_columns, verify, write_png,
};
use ganvas_training::counted;
use tracing::{info, warn};

use crate::{
    args::DataCommand,
    exit::{Ended, UsageError},
    output::print_line,
    progress_line::{ProgressLine, Unit},
    screen,
    words::bytes,
};

/// Pictures of data are for looking at: each pixel becomes a square of this side.
const ENLARGEMENT: usize = 3;

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
        } => {
            check_folder(folder.data_dir.as_deref())?;
            let options = LoadOptions {
                data_dir: folder.data_dir.clone(),
                seed: *seed,
                count: Some(*count as usize),
                image_size: None,
            };
            let loading = screen::loading(*name);
            let images = ganvas_data::load(*name, (*split).into(), &options)?;
            drop(loading);
            let out = out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.png")));
            let columns = near_square_columns(images.len());
            let grid = compose_grid(images.pixels(), images.len(), images.shape(), columns)?;
            write_png(&grid.upscale(ENLARGEMENT), &out)?;
            print_line!("{}: {}", counted(images.len(), "image"), out.display());
        }
    }
    Ok(Ended::Done)
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
    let mut bar = screen::nothing();
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
                there => info!("{file} from {url}, going on after {}", bytes(there)),
            }
            bar = screen::show(ProgressLine::new(file, resumed_from, total, Unit::Bytes));
        }
        FetchProgress::Advanced { received, .. } => bar.update(|line| line.position = received),
        FetchProgress::Failed { file, url, reason } => {
            bar = screen::nothing();
            warn!("{file} from {url}: {reason}");
        }
        FetchProgress::Finished { file, bytes: size } => {
            bar = screen::nothing();
            info!("{file}: {}, checksum right", bytes(size));
        }
        _ => {}
    });
    drop(bar);
    result?;
    print_line!("{name}: {}", folder.join(name.to_string()).display());
    Ok(())
}

fn verify_set(name: DatasetName, explicit: Option<&Path>) -> anyhow::Result<()> {
    // The first folder that has the set is the one that training would read.
    let folders = data_folders(explicit);
    let folder = find_data_set(name, &folders).map_or_else(|| download_folder(explicit), Path::to_owned);
    let mut bad = 0_u32;
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
        let (files, are) = (counted(bad, "file"), if bad == 1 { "is" } else { "are" });
        bail!("{files} of {name} {are} missing or wrong; `ganvas data fetch {name}` gets what is missing");
    }
    Ok(())
}
