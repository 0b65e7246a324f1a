//! Downloads of the published data sets.
//!
//! A file is received into `NAME.part` beside its place and moved there only when its MD5 sum is
//! right, so what bears a data file's name is whole. What an interrupted run leaves in `NAME.part`
//! is taken up again.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use ureq::Agent;

use crate::disk::{self, sync_folder};
use crate::error::FetchFailure;
use crate::source::layout::{find_data_set, present};
use crate::source::registry::DataFile;
use crate::source::sums::md5_of;
use crate::source::transfer::{Failure, Transfer};
use crate::source::verify::{FileState, compare};
use crate::{DataError, DatasetName};

/// How often one mirror is asked for one file, as long as it makes progress.
const TRIES: usize = 3;

/// What happens during [`fetch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchProgress<'a> {
    /// A file was there already, and [`FileState::Ok`].
    Whole {
        /// The file's name.
        file: &'a str,
    },
    /// A server has begun to send a file.
    Started {
        /// The file's name.
        file: &'a str,
        /// The address it comes from.
        url: &'a str,
        /// The bytes that an earlier try left and that need not be sent again.
        resumed_from: u64,
        /// The size of the whole file in bytes, where the server says it.
        total: Option<u64>,
    },
    /// More of a file has come.
    Advanced {
        /// The file's name.
        file: &'a str,
        /// The bytes that are there now, resumed ones included.
        received: u64,
        /// The size of the whole file in bytes, where the server says it.
        total: Option<u64>,
    },
    /// A mirror has failed; the next one, if there is one, comes on.
    Failed {
        /// The file's name.
        file: &'a str,
        /// The address that was asked.
        url: &'a str,
        /// Why it failed.
        reason: &'a str,
    },
    /// A file was checked and stands in its place.
    Finished {
        /// The file's name.
        file: &'a str,
        /// Its size in bytes.
        bytes: u64,
    },
}

/// What [`fetch`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchReport {
    /// The folder in which the files lie, such as `…/mnist`.
    pub folder: PathBuf,
    /// The files that were put there now.
    pub downloaded: Vec<String>,
    /// The files that were there already.
    pub already_whole: Vec<String>,
    /// How many bytes the servers sent, broken transfers included.
    pub bytes: u64,
}

/// Downloads the files of a data set that are not there yet.
///
/// `folder` is the folder above the data set's own, as [`download_folder`](crate::download_folder)
/// gives it; where files of the set are below it already, or in it, the others join them. `mirrors` are addresses to which `/` and a file name are appended; if there are none,
/// those of the [registry](DatasetName::mirrors) are used. Each file is asked for at the mirrors in
/// turn until its MD5 sum is right. Every transfer has time limits: 15 seconds to connect, 30 for
/// an answer and for each further piece.
///
/// # Errors
///
/// [`DataError::Fetch`] if no mirror had a file, with the reason of each and what to do by hand;
/// [`DataError::Io`] if a file cannot be written; and [`DataError::NoFiles`] for synthetic digits.
pub fn fetch(
    name: DatasetName,
    folder: &Path,
    mirrors: &[String],
    progress: &mut dyn FnMut(FetchProgress<'_>),
) -> Result<FetchReport, DataError> {
    if name.files().is_empty() {
        return Err(DataError::NoFiles { name });
    }
    let known: Vec<String>;
    let mirrors = if mirrors.is_empty() {
        known = name.mirrors().iter().map(|&mirror| mirror.to_owned()).collect();
        &known
    } else {
        mirrors
    };
    let name = name.stored();
    let found = find_data_set(name, &[folder.to_owned()]);
    let folder = found.map_or_else(|| folder.join(name.folder()), |found| found.folder);
    let job = Job {
        name: name.as_str(),
        files: name.files(),
        folder: &folder,
        mirrors,
        agent: agent(Duration::from_secs(15), Duration::from_secs(30)),
    };
    job.run(progress)
}

fn agent(connect: Duration, answer: Duration) -> Agent {
    Agent::config_builder()
        .user_agent(concat!("ganvas/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .timeout_resolve(Some(connect))
        .timeout_connect(Some(connect))
        .timeout_recv_response(Some(answer))
        .timeout_per_read(Some(answer))
        .build()
        .into()
}

/// A download of some files into one folder.
struct Job<'a> {
    name: &'a str,
    files: &'a [DataFile],
    folder: &'a Path,
    mirrors: &'a [String],
    agent: Agent,
}

impl Job<'_> {
    fn run(&self, progress: &mut dyn FnMut(FetchProgress<'_>)) -> Result<FetchReport, DataError> {
        disk::create_folders(self.folder).map_err(|source| DataError::io("create the folder", self.folder, source))?;
        let mut report = FetchReport {
            folder: self.folder.to_owned(),
            ..FetchReport::default()
        };
        for file in self.files {
            self.fetch_file(file, &mut report, progress)?;
        }
        Ok(report)
    }

    fn fetch_file(
        &self,
        file: &DataFile,
        report: &mut FetchReport,
        progress: &mut dyn FnMut(FetchProgress<'_>),
    ) -> Result<(), DataError> {
        let target = self.folder.join(file.name);
        let there = present(self.folder, file.name);
        if let Some(there) = there
            && compare(&there, file)? == FileState::Ok
        {
            progress(FetchProgress::Whole { file: file.name });
            report.already_whole.push(file.name.to_owned());
            return Ok(());
        }
        let part = self.folder.join(format!("{}.part", file.name));
        // A run that was stopped between the last byte and the check left nothing to download.
        let mut whole = part.is_file() && md5_of(&part)? == file.md5;
        let mut tried = Vec::new();
        let mut offline = true;
        for mirror in self.mirrors {
            if whole {
                break;
            }
            let url = format!("{}/{}", mirror.trim_end_matches('/'), file.name);
            match self.fetch_from(&url, file, &part, report, progress) {
                Ok(()) => whole = true,
                Err(Failure::Here(error)) => return Err(error),
                Err(Failure::There { reason, reached, .. }) => {
                    progress(FetchProgress::Failed {
                        file: file.name,
                        url: &url,
                        reason: &reason,
                    });
                    offline &= !reached;
                    tried.push((url, reason));
                }
            }
        }
        if !whole {
            let offline = offline && !tried.is_empty();
            return Err(self.failure(file, tried, offline));
        }
        let bytes =
            move_into_place(&part, &target, self.folder).map_err(|source| DataError::io("write", &target, source))?;
        progress(FetchProgress::Finished { file: file.name, bytes });
        report.downloaded.push(file.name.to_owned());
        Ok(())
    }

    /// Receives `file` from one address into `part`, with further tries as long as they make
    /// progress.
    fn fetch_from(
        &self,
        url: &str,
        file: &DataFile,
        part: &Path,
        report: &mut FetchReport,
        progress: &mut dyn FnMut(FetchProgress<'_>),
    ) -> Result<(), Failure> {
        let transfer = Transfer {
            agent: &self.agent,
            url,
            file: file.name,
            part,
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let left = tries < TRIES;
            match transfer.run(progress) {
                Ok(done) => {
                    report.bytes += done.received;
                    let found = md5_of(part).map_err(Failure::Here)?;
                    if found == file.md5 {
                        return Ok(());
                    }
                    let removed = fs::remove_file(part);
                    removed.map_err(|source| Failure::Here(DataError::io("remove", part, source)))?;
                    // The wrong bytes may be those that an earlier run or another mirror left.
                    if !(done.resumed && left) {
                        let reason = format!("wrong checksum: expected MD5 {}, found {found}", file.md5);
                        return Err(Failure::There {
                            reason,
                            reached: true,
                            received: done.received,
                        });
                    }
                }
                Err(Failure::There { received, .. }) if received > 0 && left => report.bytes += received,
                Err(failure) => {
                    if let Failure::There { received, .. } = &failure {
                        report.bytes += received;
                    }
                    return Err(failure);
                }
            }
        }
    }

    fn failure(&self, file: &DataFile, tried: Vec<(String, String)>, offline: bool) -> DataError {
        let files = self.files.iter().map(|file| file.name.to_owned());
        DataError::Fetch(Box::new(FetchFailure {
            name: self.name.to_owned(),
            file: file.name.to_owned(),
            tried,
            offline,
            files: files.collect(),
            folder: self.folder.to_owned(),
        }))
    }
}

/// Renames the finished part and gives the file's size.
fn move_into_place(part: &Path, target: &Path, folder: &Path) -> io::Result<u64> {
    let bytes = fs::metadata(part)?.len();
    disk::rename(part, target)?;
    sync_folder(folder)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
