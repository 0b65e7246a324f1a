//! Archives of one array of bytes, as evaluators of other tools take samples: `arr_0` in an `.npz` of NumPy.

use std::io::{self, Write};

use zip::{
    CompressionMethod, DateTime, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::npy;

/// Writes an array of bytes, `uint8` in C order, under the name `arr_0`, as `numpy.savez_compressed` does; in bounded memory, to what need not be a file.
pub struct NpzWriter<W: Write>(ZipWriter<StreamWriter<W>>);

impl<W: Write> NpzWriter<W> {
    /// Begins an array of this shape; its bytes are [written](Write) after it.
    ///
    /// # Errors
    /// Those of `out`, and of a shape of too many axes.
    pub fn new(out: W, shape: &[usize]) -> io::Result<Self> {
        let header =
            npy::header(npy::U8, shape).ok_or_else(|| io::Error::other("the array has too many axes for NPY"))?;
        let mut archive = ZipWriter::new_stream(out);
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
        Ok(self.0.finish()?.into_inner())
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
