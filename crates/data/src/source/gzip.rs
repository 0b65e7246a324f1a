//! Files that are plain or compressed with gzip, and the MD5 sum of the compressed bytes on the way.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use md5::{Digest, Md5};

use crate::DataError;

/// The bytes that gzip files begin with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What is in a file, decompressed where it is a gzip file.
pub(crate) enum Content {
    /// A file that is no gzip file.
    Plain(Box<dyn Read>),
    /// What a gzip file holds.
    Gzip(Box<Gzip<FileStart>>),
}

/// The first bytes of a file, which were looked at, and the rest.
pub(crate) type FileStart = io::Chain<Cursor<Vec<u8>>, BufReader<File>>;

impl Content {
    /// Opens a file; gzip is known by its first bytes, not by the name. `summed` says whether
    /// [`gzip_sum`](Self::gzip_sum) will be asked for.
    pub(crate) fn open(path: &Path, summed: bool) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|error| DataError::io("open", path, error))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut first = Vec::with_capacity(MAGIC.len());
        (&mut file)
            .take(MAGIC.len() as u64)
            .read_to_end(&mut first)
            .map_err(|error| DataError::io("read", path, error))?;
        let compressed = first == MAGIC;
        let stream = Cursor::new(first).chain(file);
        Ok(match compressed {
            true => Self::Gzip(Box::new(Gzip::new(stream, summed))),
            false => Self::Plain(Box::new(stream)),
        })
    }

    /// Whether it came compressed.
    pub(crate) const fn is_gzip(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    /// The MD5 sum of the gzip file, once everything was read: that of its members, without zeros behind them. `None` for
    /// plain files.
    pub(crate) fn gzip_sum(self) -> Option<String> {
        match self {
            Self::Plain(_) => None,
            Self::Gzip(gzip) => gzip.sum(),
        }
    }
}

impl Read for Content {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(into),
            Self::Gzip(stream) => stream.read(into),
        }
    }
}

/// The content of a gzip file's members, one after another. Zeros may follow the last one, as `gzip` allows it for files
/// that were padded to whole blocks; anything else there is an error.
pub(crate) struct Gzip<R> {
    /// `None` after the last member.
    member: Option<GzDecoder<Summed<R>>>,
    sum: Option<Md5>,
}

impl<R: BufRead> Gzip<R> {
    fn new(stream: R, summed: bool) -> Self {
        let stream = Summed {
            stream,
            md5: summed.then(Md5::new),
        };
        Self {
            member: Some(GzDecoder::new(stream)),
            sum: None,
        }
    }

    fn sum(self) -> Option<String> {
        self.sum.map(hexadecimal)
    }

    /// What comes after a member: another one, or the end.
    fn after_member(&mut self, mut stream: Summed<R>) -> io::Result<()> {
        match stream.stream.fill_buf()?.first() {
            Some(byte) if *byte == MAGIC[0] => {
                self.member = Some(GzDecoder::new(stream));
                return Ok(());
            }
            None | Some(0) => {}
            Some(_) => return Err(trailing()),
        }
        self.sum = stream.md5.take();
        loop {
            let rest = stream.stream.fill_buf()?;
            if rest.iter().any(|&byte| byte != 0) {
                return Err(trailing());
            }
            let zeros = rest.len();
            if zeros == 0 {
                return Ok(());
            }
            stream.stream.consume(zeros);
        }
    }
}

fn trailing() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "after its end come bytes that are neither zeros nor gzip data",
    )
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let read = member.read(into)?;
            if read > 0 {
                return Ok(read);
            }
            if let Some(member) = self.member.take() {
                self.after_member(member.into_inner())?;
            }
        }
        Ok(0)
    }
}

/// A stream whose bytes are added to a sum as they are used up.
struct Summed<R> {
    stream: R,
    md5: Option<Md5>,
}

impl<R: BufRead> BufRead for Summed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if amount == 0 {
            return;
        }
        if let Some(md5) = &mut self.md5
            && let Ok(bytes) = self.stream.fill_buf()
        {
            md5.update(bytes.get(..amount).unwrap_or(bytes));
        }
        self.stream.consume(amount);
    }
}

impl<R: BufRead> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// The MD5 sum of `parts`, one behind the other.
pub(crate) fn sum_of(parts: &[&[u8]]) -> String {
    let mut md5 = Md5::new();
    parts.iter().for_each(|part| md5.update(part));
    hexadecimal(md5)
}

/// A sum in lower-case hexadecimal digits.
pub(crate) fn hexadecimal(md5: Md5) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    let bytes = md5.finalize();
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(digit).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What is read, and the sum.
    fn read(bytes: &[u8]) -> Result<(Vec<u8>, Option<String>), String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut content = Content::open(file.path(), true).unwrap();
        let mut data = Vec::new();
        content.read_to_end(&mut data).map_err(|error| error.to_string())?;
        Ok((data, content.gzip_sum()))
    }

    #[test]
    fn the_sum_is_that_of_the_compressed_bytes() {
        let compressed = gzip(&[7; 100_000]);
        assert_eq!(
            read(&compressed).unwrap(),
            (vec![7; 100_000], Some(sum_of(&[&compressed])))
        );
        assert_eq!(read(b"plain").unwrap(), (b"plain".to_vec(), None));
        assert_eq!(read(b"").unwrap(), (Vec::new(), None));
        assert_eq!(sum_of(&[b"message ", b"digest"]), "f96b697d7cb7938d525a2f31aaf161d0");
    }

    #[test]
    fn members_follow_each_other_and_zeros_the_last_one() {
        let members = [gzip(b"one, "), gzip(b"two")].concat();
        let sum = Some(sum_of(&[&members]));
        for zeros in [0, 1, 511, 200_000] {
            let padded = [members.clone(), vec![0; zeros]].concat();
            assert_eq!(read(&padded).unwrap(), (b"one, two".to_vec(), sum.clone()), "{zeros}");
        }
    }

    #[test]
    fn anything_else_behind_it_is_named() {
        for tail in [&b"x"[..], b"\0\0x", b"\0\x1f\x8b"] {
            let error = read(&[&gzip(b"one"), tail].concat()).unwrap_err();
            assert!(error.contains("neither zeros nor gzip data"), "{error}");
        }
        // A member that was cut off.
        assert!(read(&[&gzip(b"one"), &gzip(b"two")[..9]].concat()).is_err());
    }
}
