//! Positional reading. Files are read, never mapped: one that is cut while it is read gives an error, not a SIGBUS.

use std::fs::File;
use std::io;

use crate::error::Error;

/// A file that threads read at positions of their own.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    name: String,
    size: u64,
}

impl Source {
    pub(crate) fn new(file: File, name: String) -> Result<Self, Error> {
        match file.metadata() {
            Ok(metadata) => Ok(Self {
                file,
                name,
                size: metadata.len(),
            }),
            Err(source) => Err(Error::Io { name, source }),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file when it was opened.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Fills `buffer` from `offset` on.
    pub(crate) fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> Result<(), Error> {
        while !buffer.is_empty() {
            match read_at(&self.file, buffer, offset) {
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

    /// Reads `size` bytes at `offset` into a new buffer; `None` if they do not lie inside the file.
    pub(crate) fn read_section(&self, offset: u64, size: u64) -> Result<Option<Vec<u8>>, Error> {
        let inside = offset.checked_add(size).is_some_and(|end| end <= self.size);
        let Some(size) = usize::try_from(size).ok().filter(|_| inside) else {
            return Ok(None);
        };
        let mut section = vec![0; size];
        self.read_exact_at(&mut section, offset)?;
        Ok(Some(section))
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
