//! Archives of one array of bytes, as evaluators of other tools take samples: `arr_0` in an `.npz` of NumPy.

use std::io::{self, Write};

use zip::{
    CompressionMethod, DateTime, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::npy;

/// Writes an array of bytes, `uint8` in C order, under the name `arr_0`, as `numpy.savez_compressed` does; in bounded memory, to what need not be a file.
pub struct NpzWriter<W: Write>(ZipWriter<StreamWriter<Once<W>>>);

/// Fails once: an archive that is dropped ends itself, and prints where that fails, too.
struct Once<W> {
    out: W,
    has_failed: bool,
}

impl<W: Write> Once<W> {
    fn noticed<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.has_failed |= result
            .as_ref()
            .is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl<W: Write> Write for Once<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.has_failed {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.noticed(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.has_failed {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.noticed(flushed)
    }
}

impl<W: Write> NpzWriter<W> {
    /// Begins an array of this shape; its bytes are [written](Write) after it.
    ///
    /// # Errors
    /// Those of `out`, and of a shape of too many axes.
    pub fn new(out: W, shape: &[usize]) -> io::Result<Self> {
        let header =
            npy::header(npy::U8, shape).ok_or_else(|| io::Error::other("the array has too many axes for NPY"))?;
        let mut archive = ZipWriter::new_stream(Once { out, has_failed: false });
        // The same images make the same file, whenever it is written.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(true);
        archive.start_file("arr_0.npy", options)?;
        archive.write_all(&header)?;
        Ok(Self(archive))
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(self) -> io::Result<W> {
        Ok(self.0.finish()?.into_inner().out)
    }
}

impl<W: Write> Write for NpzWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has room for so many bytes, and counts what is tried after it failed.
    struct Full {
        room: usize,
        late: usize,
    }

    impl Write for &mut Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                self.late += 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            let written = bytes.len().min(self.room);
            self.room -= written;
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failure_is_reported_once_and_nothing_is_written_after_it() {
        for room in [0, 20, 60, 300] {
            let mut full = Full { room, late: 0 };
            let result = NpzWriter::new(&mut full, &[40, 9]).and_then(|mut archive| {
                archive.write_all(&(0..360_u32).map(|number| (number * 97 % 251) as u8).collect::<Vec<_>>())?;
                archive.finish().map(drop)
            });
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull, "{room}");
            assert_eq!(full.late, 1, "{room}");
        }
    }
}
