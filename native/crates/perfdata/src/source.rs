//! Reads at given positions. Files are read and never mapped, so a file that is cut during reading gives an error, not
//! a SIGBUS.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use crate::error::Error;

/// Bytes that several threads read, each at its own position.
#[derive(Debug)]
pub(crate) struct Source {
    backing: Backing,
    name: String,
    /// End of the bytes.
    size: u64,
}

#[derive(Debug)]
enum Backing {
    File(File),
    /// Bytes that were read ahead of a stream, from this offset on.
    Memory {
        offset: u64,
        bytes: Vec<u8>,
    },
}

impl Source {
    pub(crate) fn file(file: File, name: String) -> Result<Self, Error> {
        match file.metadata() {
            Ok(metadata) => Ok(Self {
                backing: Backing::File(file),
                name,
                size: metadata.len(),
            }),
            Err(source) => Err(Error::Io { name, source }),
        }
    }

    /// Makes a source of a part of a stream. The part begins at `offset`.
    pub(crate) fn memory(offset: u64, bytes: Vec<u8>, name: String) -> Self {
        let size = offset + bytes.len() as u64;
        Self {
            backing: Backing::Memory { offset, bytes },
            name,
            size,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the end of the bytes. For a file, this was its size in bytes when it was opened.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Fills `buffer` with the bytes from `offset` on.
    pub(crate) fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> Result<(), Error> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => {
                    return Err(Error::FileShrank {
                        name: self.name.clone(),
                        found: offset,
                        expected: self.size,
                    });
                }
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(Error::Io {
                        name: self.name.clone(),
                        source,
                    });
                }
            }
        }
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.backing {
            Backing::File(file) => read_file_at(file, buffer, offset),
            Backing::Memory { offset: first, bytes } => {
                let at = offset.checked_sub(*first).and_then(|at| usize::try_from(at).ok());
                let mut rest = at.and_then(|at| bytes.get(at..)).unwrap_or(&[]);
                rest.read(buffer)
            }
        }
    }

    /// Reads `size` bytes at `offset` into a new buffer. Returns `None` if some of the bytes are not there.
    pub(crate) fn read_section(&self, offset: u64, size: u64) -> Result<Option<Vec<u8>>, Error> {
        let first = match self.backing {
            Backing::File(_) => 0,
            Backing::Memory { offset, .. } => offset,
        };
        // The offset of an empty section does not matter.
        let inside = size == 0 || (offset >= first && offset.checked_add(size).is_some_and(|end| end <= self.size));
        let Some(size) = usize::try_from(size).ok().filter(|_| inside) else {
            return Ok(None);
        };
        let mut section = vec![0; size];
        self.read_exact_at(&mut section, offset)?;
        Ok(Some(section))
    }
}

/// A reader of a part of a source, from the start of the part to its end.
pub(crate) struct SourceReader {
    pub(crate) source: Arc<Source>,
    pub(crate) range: Range<u64>,
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let count = self.source.read_at(&mut buffer[..wanted], self.range.start)?;
        if count == 0 && wanted > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file got shorter while it was being read",
            ));
        }
        self.range.start += count as u64;
        Ok(count)
    }
}

#[cfg(unix)]
fn read_file_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_file_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
