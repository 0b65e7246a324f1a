//! MD5 sums of files and of what is compressed in them, by which published files are known.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::{Digest, Md5};

use crate::source::gzip::{Content, hexadecimal};
use crate::source::idx::LIMIT;
use crate::{DataError, DatasetName};

/// The data set as which a file is published, compressed in whatever way.
pub(crate) fn owner(path: &Path) -> Option<DatasetName> {
    DatasetName::of_sum(&md5_of(path).ok()?).or_else(|| {
        let (_, content_sum) = sums_inside(path).ok()??;
        DatasetName::of_sum(&content_sum)
    })
}

/// The sum of a gzip file without what follows its end, where it is one, and that of the content; `None` where it cannot be
/// decompressed.
pub(crate) fn sums_inside(path: &Path) -> Result<Option<(Option<String>, String)>, DataError> {
    let mut content = Content::open(path, true)?;
    // A gzip bomb must not keep this busy for long.
    let sum = md5_of_stream((&mut content).take(LIMIT + 1));
    Ok(sum.ok().map(|sum| (content.gzip_sum(), sum)))
}

/// The MD5 sum of a file, in lower-case hexadecimal digits.
pub(crate) fn md5_of(path: &Path) -> Result<String, DataError> {
    let sum = File::open(path).and_then(md5_of_stream);
    sum.map_err(|source| DataError::io("read", path, source))
}

/// The same of what a stream gives.
pub(crate) fn md5_of_stream(mut stream: impl Read) -> io::Result<String> {
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
    Ok(hexadecimal(md5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_rfc_1321() {
        assert_eq!(md5_of_stream(&b""[..]).unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(
            md5_of_stream(&b"message digest"[..]).unwrap(),
            "f96b697d7cb7938d525a2f31aaf161d0"
        );
    }
}
