//! Data sets by name: where they are, how they get here, and whether they are the published ones.

use std::path::{Path, PathBuf};

use anyhow::bail;
use ganvas_data::{
    DATA_VARIABLE, DataError, DatasetName, FetchProgress, FileState, data_folders, download_folder, fetch,
    find_data_set, verify,
};
use ganvas_training::counted;
use serde::Serialize;
use tracing::{info, warn};

use crate::{
    ended::UsageError,
    output::print_line,
    progress_line::{ProgressLine, Unit},
    quoting::quoted,
    screen,
    words::bytes,
};

/// Refuses a `--data-dir`, or a `GANVAS_DATA` that this data set would be looked for in, that is no folder: the user's cache
/// would silently take its place.
pub fn check_folder(explicit: Option<&Path>, name: DatasetName) -> Result<(), UsageError> {
    let variable = std::env::var_os(DATA_VARIABLE).map(PathBuf::from);
    let variable = variable.filter(|folder| !folder.as_os_str().is_empty() && name != DatasetName::Synthetic);
    let (source, folder) = match (explicit, &variable) {
        (Some(folder), _) => ("--data-dir", folder),
        (None, Some(folder)) => (DATA_VARIABLE, folder.as_path()),
        (None, None) => return Ok(()),
    };
    if folder.is_dir() {
        return Ok(());
    }
    let found = match folder.exists() {
        true => "which is no folder",
        false => "but there is no such folder",
    };
    Err(UsageError(format!(
        "{source} is `{}`, {found}; expected the folder that holds mnist/ and the like",
        folder.display()
    )))
}

/// A line of `ganvas data list --json`.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    /// `complete`, `incomplete`, `absent` or, for synthetic digits, `drawn`.
    state: &'static str,
    folder: Option<PathBuf>,
    missing: Vec<&'static str>,
}

impl Listed {
    fn new(name: DatasetName, folders: &[PathBuf]) -> Self {
        let found = find_data_set(name, folders);
        let missing = match &found {
            Some(found) => found.missing(),
            None => name.files().iter().map(|file| file.name).collect(),
        };
        Self {
            name: name.as_str(),
            state: match (&found, missing.is_empty()) {
                (None, true) => "drawn",
                (None, false) => "absent",
                (Some(_), true) => "complete",
                (Some(_), false) => "incomplete",
            },
            folder: found.map(|found| found.folder),
            missing,
        }
    }

    fn print(&self, data_dir: Option<&Path>) {
        let fetch = fetch_command(self.name, data_dir);
        let (name, folder) = (self.name, self.folder.as_deref().unwrap_or(Path::new("")).display());
        match self.state {
            "drawn" => print_line!("{name:<15} drawn by the program, any number of images"),
            "absent" => print_line!("{name:<15} not here; get it with: {fetch}"),
            "complete" => print_line!("{name:<15} complete: {folder}"),
            _ => {
                print_line!("{name:<15} incomplete: {folder}");
                for file in &self.missing {
                    print_line!("{:<15}   {file} is missing", "");
                }
                print_line!("{:<15}   get the rest with: {fetch}", "");
            }
        }
    }
}

pub fn list(explicit: Option<&Path>, json: bool) -> anyhow::Result<()> {
    check_folder(explicit, DatasetName::Mnist)?;
    let folders = data_folders(explicit);
    let sets = DatasetName::ALL.map(|name| Listed::new(name, &folders));
    if json {
        let list = serde_json::json!({ "data_sets": sets, "looked_in": folders });
        print_line!("{list}");
        return Ok(());
    }
    print_line!("{:<15} where", "data set");
    sets.iter().for_each(|set| set.print(explicit));
    let places: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    print_line!("\nlooked in {}", places.join(", "));
    Ok(())
}

pub fn fetch_set(name: DatasetName, explicit: Option<&Path>, mirrors: &[String]) -> anyhow::Result<()> {
    if name.files().is_empty() {
        return Err(DataError::NoFiles { name }.into());
    }
    if let Some(mirror) = mirrors.iter().find(|mirror| !is_web_address(mirror)) {
        let message = format!("--mirror {mirror}: expected an address that begins with https:// or http://");
        return Err(UsageError(message).into());
    }
    // A folder that was typed is made where it is not there yet.
    if explicit.is_none_or(Path::exists) {
        check_folder(explicit, name)?;
    }
    let folder = download_folder(explicit);
    info!("fetching {name} into {}", folder.display());
    let mut bar = screen::nothing();
    // Where no mirror has a file, the error has all of this; else it explains the wait.
    let mut failed: Vec<String> = Vec::new();
    let result = fetch(name, &folder, mirrors, &mut |event| match event {
        FetchProgress::Whole { file } => info!("{file}: already here and whole"),
        FetchProgress::Started {
            file,
            url,
            resumed_from,
            total,
        } => {
            failed.drain(..).for_each(|failure| warn!("{failure}"));
            match resumed_from {
                0 => info!("{file} from {url}"),
                there => info!("{file} from {url}, going on after {}", bytes(there)),
            }
            bar = screen::show(ProgressLine::new(file, resumed_from, total, Unit::Bytes));
        }
        FetchProgress::Advanced { received, .. } => bar.update(|line| line.position = received),
        FetchProgress::Failed { url, reason, .. } => {
            bar = screen::nothing();
            failed.push(format!("{url}: {reason}"));
        }
        FetchProgress::Finished { file, bytes: size } => {
            bar = screen::nothing();
            info!("{file}: {}, checksum ok", bytes(size));
        }
        _ => {}
    });
    drop(bar);
    print_line!("{name}: {}", result?.folder.display());
    Ok(())
}

/// What gets a data set into the folder that it was looked for in.
pub fn fetch_command(name: &str, data_dir: Option<&Path>) -> String {
    match data_dir {
        Some(folder) => format!("ganvas data fetch {name} --data-dir {}", quoted(folder)),
        None => format!("ganvas data fetch {name}"),
    }
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

pub fn verify_set(name: DatasetName, explicit: Option<&Path>) -> anyhow::Result<()> {
    check_folder(explicit, name)?;
    let mut bad = 0_u32;
    for status in verify(name, &data_folders(explicit))? {
        let state = match status.state {
            FileState::Ok => "ok".to_owned(),
            FileState::Uncompressed => "there without .gz; there is no published checksum to compare with".to_owned(),
            FileState::Missing => {
                bad += 1;
                "missing".to_owned()
            }
            FileState::WrongChecksum {
                expected,
                found,
                published_as,
            } => {
                bad += 1;
                let expected = expected.map(|sum| format!("expected MD5 {sum}, ")).unwrap_or_default();
                let owner = match published_as {
                    Some(other) if other == name => format!(", which is another file of {name}"),
                    Some(other) => format!(", which is {other}'s"),
                    None => String::new(),
                };
                format!("wrong: {expected}found {found}{owner}")
            }
        };
        print_line!("{}: {state}", status.path.display());
    }
    if bad > 0 {
        let (files, are) = (counted(bad, "file"), if bad == 1 { "is" } else { "are" });
        let fetch = fetch_command(name.as_str(), explicit);
        bail!("{files} of {name} {are} missing or wrong; `{fetch}` gets what is missing");
    }
    Ok(())
}
