//! Whether the files of a data set are the published ones.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use md5::{Digest, Md5};

use crate::source::idx::LIMIT;
use crate::source::locate::present;
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
    /// same content compressed in another way.
    Ok,
    /// It is not there.
    Missing,
    /// It is there with another content than published.
    WrongChecksum {
        /// The MD5 sum of the published file.
        expected: String,
        /// The MD5 sum of the file that is there.
        found: String,
    },
    /// It is there without `.gz`; where the sum of its content is known, it is right.
    Uncompressed,
}

/// Compares the files of a data set with the published MD5 sums.
///
/// `folder` is the folder above the data set's own, as in [`data_folders`](crate::data_folders).
/// The answer has the published order.
///
/// # Errors
///
/// [`DataError::Io`] if a file is there but cannot be read, and [`DataError::NoFiles`] for
/// synthetic digits.
pub fn verify(name: DatasetName, folder: &Path) -> Result<Vec<FileStatus>, DataError> {
    if name.files().is_empty() {
        return Err(DataError::NoFiles { name });
    }
    let folder = folder.join(name.folder());
    let status = |file: &DataFile| {
        let published = folder.join(file.name);
        let (path, state) = match present(&folder, file.name) {
            None => (published, FileState::Missing),
            Some(path) if path == published => {
                let state = compare(&path, file)?;
                (path, state)
            }
            Some(path) => {
                let state = compare_uncompressed(&path, file)?;
                (path, state)
            }
        };
        Ok(FileStatus {
            file: file.name,
            path,
            state,
        })
    };
    name.files().iter().map(status).collect()
}

/// Whether a gzip file is the published one, or holds the same.
pub(crate) fn compare(path: &Path, file: &DataFile) -> Result<FileState, DataError> {
    let found = md5_of(path)?;
    if found == file.md5 || file.content_md5.is_some_and(|sum| content_is(path, sum)) {
        return Ok(FileState::Ok);
    }
    Ok(FileState::WrongChecksum {
        expected: file.md5.to_owned(),
        found,
    })
}

fn compare_uncompressed(path: &Path, file: &DataFile) -> Result<FileState, DataError> {
    let Some(expected) = file.content_md5 else {
        return Ok(FileState::Uncompressed);
    };
    let found = md5_of(path)?;
    if found == expected {
        return Ok(FileState::Uncompressed);
    }
    Ok(FileState::WrongChecksum {
        expected: expected.to_owned(),
        found,
    })
}

/// Whether the content of a gzip file has this sum; a file that is broken has not.
fn content_is(path: &Path, sum: &str) -> bool {
    let content = File::open(path).and_then(|file| {
        let decoder = MultiGzDecoder::new(BufReader::new(file));
        // A gzip bomb must not keep this busy for long.
        md5_of_stream(decoder.take(LIMIT + 1))
    });
    content.is_ok_and(|found| found == sum)
}

/// The MD5 sum of a file, in lower-case hexadecimal digits.
pub(crate) fn md5_of(path: &Path) -> Result<String, DataError> {
    let sum = File::open(path).and_then(md5_of_stream);
    sum.map_err(|source| DataError::io("read", path, source))
}

fn md5_of_stream(mut stream: impl Read) -> io::Result<String> {
    let mut md5 = Md5::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => md5.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut text = String::with_capacity(32);
    for byte in md5.finalize() {
        write!(text, "{byte:02x}").map_err(io::Error::other)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn sums_are_those_of_rfc_1321() {
        assert_eq!(md5_of_stream(&b""[..]).unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(
            md5_of_stream(&b"message digest"[..]).unwrap(),
            "f96b697d7cb7938d525a2f31aaf161d0"
        );
    }

    #[test]
    fn every_state_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("kmnist");
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("train-images-idx3-ubyte.gz"), "message digest").unwrap();
        std::fs::write(place.join("train-labels-idx1-ubyte"), "").unwrap();
        let files = verify(DatasetName::Kmnist, folder.path()).unwrap();
        let states: Vec<&FileState> = files.iter().map(|file| &file.state).collect();
        let wrong = FileState::WrongChecksum {
            expected: "bdb82020997e1d708af4cf47b453dcf7".to_owned(),
            found: "f96b697d7cb7938d525a2f31aaf161d0".to_owned(),
        };
        let missing = FileState::Missing;
        assert_eq!(states, [&wrong, &FileState::Uncompressed, &missing, &missing]);
        assert!(files[1].path.ends_with("kmnist/train-labels-idx1-ubyte"));
        assert!(verify(DatasetName::Synthetic, folder.path()).is_err());
    }

    #[test]
    fn the_content_counts_where_its_sum_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.gz");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"message digest").unwrap();
        let compressed = encoder.finish().unwrap();
        std::fs::write(&path, &compressed).unwrap();
        let file = |content_md5| DataFile {
            name: "file.gz",
            md5: "0",
            content_md5,
        };
        let known = file(Some("f96b697d7cb7938d525a2f31aaf161d0"));
        let wrong = |state| matches!(state, Ok(FileState::WrongChecksum { .. }));
        assert_eq!(compare(&path, &known).unwrap(), FileState::Ok);
        assert!(wrong(compare(&path, &file(Some("1")))));
        assert!(wrong(compare(&path, &file(None))));
        assert!(wrong(compare_uncompressed(&path, &known)));
        std::fs::write(&path, &compressed[..compressed.len() - 1]).unwrap();
        assert!(wrong(compare(&path, &known)));
        std::fs::write(&path, "message digest").unwrap();
        assert_eq!(compare_uncompressed(&path, &known).unwrap(), FileState::Uncompressed);
    }

    /// The sums in the registry are those of real files, where GANVAS_DATA names a folder with
    /// MNIST.
    #[test]
    fn real_files_are_whole() {
        let Some(folder) = std::env::var_os("GANVAS_DATA").map(PathBuf::from) else {
            eprintln!("GANVAS_DATA is not set: no real files to check");
            return;
        };
        let files = verify(DatasetName::Mnist, &folder).unwrap();
        let wrong = |file: &FileStatus| matches!(file.state, FileState::WrongChecksum { .. });
        assert!(!files.iter().any(wrong), "{files:?}");
    }
}
