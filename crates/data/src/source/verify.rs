//! Whether the files of a data set are the published ones.

use std::path::{Path, PathBuf};

use crate::source::layout::find_data_set;
use crate::source::published::{Mismatch, Verdict};
use crate::source::sums::{md5_of, sums_inside};
use crate::{DataError, DataFile, DatasetName};

/// A file of a data set and its state on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStatus {
    /// The name under which the file is published, with `.gz`.
    pub file: &'static str,
    /// Where the file is or should be.
    pub path: PathBuf,
    /// How it is.
    pub state: FileState,
}

/// The state of a file on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// It is there as published: byte for byte, or, where the sum of its content is known, with the
    /// same content compressed in another way or not at all.
    Ok,
    /// It is not there.
    Missing,
    /// It is there with another content than published.
    WrongChecksum {
        /// The MD5 sum of the published file or, for a copy without `.gz`, of its content, where that is known.
        expected: Option<&'static str>,
        /// The MD5 sum of the file that is there.
        found: String,
        /// The data set as which it is published, where it is a file of one.
        published_as: Option<DatasetName>,
    },
    /// It is there without `.gz`, and the sum of its content is not known.
    Uncompressed,
}

/// Compares the files of a data set with the published MD5 sums.
///
/// `folders` are those that [`data_folders`](crate::data_folders) gives; the files are those of
/// [`find_data_set`], in the published order.
///
/// # Errors
///
/// [`DataError::Io`] if a file is there but cannot be read, and [`DataError::NoFiles`] for
/// synthetic digits.
pub fn verify(name: DatasetName, folders: &[PathBuf]) -> Result<Vec<FileStatus>, DataError> {
    if name.files().is_empty() {
        return Err(DataError::NoFiles { name });
    }
    let found = find_data_set(name.stored(), folders);
    let folder = match (&found, folders) {
        (Some(found), _) => found.folder.clone(),
        (None, [first, ..]) => first.join(name.folder()),
        (None, []) => PathBuf::from(name.folder()),
    };
    let mut paths = found.into_iter().flat_map(|found| found.files).map(|(_, path)| path);
    let status = |file: &DataFile| {
        let path = paths.next().flatten();
        Ok(FileStatus {
            file: file.name,
            state: match &path {
                Some(path) => compare(path, file)?,
                None => FileState::Missing,
            },
            path: path.unwrap_or_else(|| folder.join(file.name)),
        })
    };
    name.files().iter().map(status).collect()
}

/// Whether a file is the published one, or holds the same.
pub(crate) fn compare(path: &Path, file: &DataFile) -> Result<FileState, DataError> {
    let found = md5_of(path)?;
    if found == file.md5 {
        return Ok(FileState::Ok);
    }
    let verdict = match sums_inside(path)? {
        Some((gzip_sum, content_sum)) => Verdict::of(path, file, gzip_sum, || content_sum),
        // What cannot be decompressed is judged by the sum of the file alone.
        None => Verdict::of(path, file, Some(found), String::new),
    };
    Ok(match verdict {
        Verdict::Published => FileState::Ok,
        Verdict::Unjudged { .. } => FileState::Uncompressed,
        Verdict::Other(Mismatch {
            expected,
            found,
            published_as,
            ..
        }) => FileState::WrongChecksum {
            expected,
            found,
            published_as,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::source::sums::md5_of_stream;

    fn wrong(expected: &'static str, found: &str) -> FileState {
        FileState::WrongChecksum {
            expected: Some(expected),
            found: found.to_owned(),
            published_as: None,
        }
    }

    const DIGEST: &str = "f96b697d7cb7938d525a2f31aaf161d0";

    #[test]
    fn every_state_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        let place = folder.path().join("KMNIST/raw");
        std::fs::create_dir_all(&place).unwrap();
        let (bytes, sum) = gzip(b"message digest");
        std::fs::write(place.join("train-images-idx3-ubyte.gz"), bytes).unwrap();
        std::fs::write(place.join("train-labels.idx1-ubyte"), "").unwrap();
        let files = verify(DatasetName::Kmnist, &folders).unwrap();
        let states: Vec<&FileState> = files.iter().map(|file| &file.state).collect();
        let wrong = wrong("bdb82020997e1d708af4cf47b453dcf7", &sum);
        let missing = FileState::Missing;
        assert_eq!(states, [&wrong, &FileState::Uncompressed, &missing, &missing]);
        assert!(files[1].path.ends_with("KMNIST/raw/train-labels.idx1-ubyte"));
        assert!(files[2].path.ends_with("KMNIST/raw/t10k-images-idx3-ubyte.gz"));
        assert!(verify(DatasetName::Synthetic, &folders).is_err());
        let nowhere = verify(DatasetName::Mnist, &folders).unwrap();
        assert!(nowhere.iter().all(|file| file.state == FileState::Missing));
        assert!(nowhere[0].path.ends_with("mnist/train-images-idx3-ubyte.gz"));
    }

    fn gzip(content: &[u8]) -> (Vec<u8>, String) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        let bytes = encoder.finish().unwrap();
        let sum = md5_of_stream(&bytes[..]).unwrap();
        (bytes, sum)
    }

    #[test]
    fn the_content_counts_where_its_sum_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.gz");
        let (compressed, sum) = gzip(b"message digest");
        std::fs::write(&path, &compressed).unwrap();
        let file = |content_md5| DataFile {
            name: "file.gz",
            md5: "0",
            content_md5,
        };
        let known = file(Some(DIGEST));
        assert_eq!(compare(&path, &known).unwrap(), FileState::Ok);
        assert_eq!(compare(&path, &file(Some("1"))).unwrap(), wrong("0", &sum));
        assert_eq!(compare(&path, &file(None)).unwrap(), wrong("0", &sum));
        let cut = &compressed[..compressed.len() - 1];
        std::fs::write(&path, cut).unwrap();
        let of_cut = md5_of_stream(cut).unwrap();
        assert_eq!(compare(&path, &known).unwrap(), wrong("0", &of_cut));
        std::fs::write(&path, "message digest").unwrap();
        assert_eq!(compare(&path, &known).unwrap(), FileState::Ok);
        // What is called .gz should be the published gzip file, whatever is in it; a plain copy should have its content.
        assert_eq!(compare(&path, &file(Some("1"))).unwrap(), wrong("0", DIGEST));
        assert_eq!(compare(&path, &file(None)).unwrap(), wrong("0", DIGEST));
        let plain = folder.path().join("file");
        std::fs::rename(&path, &plain).unwrap();
        assert_eq!(compare(&plain, &known).unwrap(), FileState::Ok);
        assert_eq!(compare(&plain, &file(Some("1"))).unwrap(), wrong("1", DIGEST));
        assert_eq!(compare(&plain, &file(None)).unwrap(), FileState::Uncompressed);
    }

    #[test]
    fn zeros_behind_a_gzip_file_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.gz");
        let (compressed, sum) = gzip(b"message digest");
        std::fs::write(&path, [compressed, vec![0; 100]].concat()).unwrap();
        let file = DataFile {
            name: "file.gz",
            md5: sum.leak(),
            content_md5: None,
        };
        assert_eq!(compare(&path, &file).unwrap(), FileState::Ok);
    }

    /// The sums in the registry are those of real files, where GANVAS_DATA names a folder with
    /// MNIST.
    #[test]
    fn real_files_are_whole() {
        let Some(folder) = std::env::var_os("GANVAS_DATA").map(PathBuf::from) else {
            eprintln!("GANVAS_DATA is not set: no real files to check");
            return;
        };
        let files = verify(DatasetName::Mnist, &[folder]).unwrap();
        let wrong = |file: &FileStatus| matches!(file.state, FileState::WrongChecksum { .. });
        assert!(!files.iter().any(wrong), "{files:?}");
    }
}
