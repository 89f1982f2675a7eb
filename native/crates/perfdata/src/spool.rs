//! Bytes of a stream that are needed again at its end.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use crate::error::Error;
use crate::source::Source;

/// A file without a name, in the folder for temporary files. The system removes the file when it is closed, even after
/// a crash.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    size: u64,
}

impl Spool {
    pub(crate) fn new() -> Result<Self, Error> {
        let file = tempfile::tempfile().map_err(failed)?;
        Ok(Self { file, size: 0 })
    }

    /// Returns the number of bytes in the file.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(failed)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Turns the file into a source that can be read.
    pub(crate) fn into_source(self) -> Result<Arc<Source>, Error> {
        Source::file(self.file, name()).map(Arc::new)
    }
}

fn name() -> String {
    format!("a temporary file in {}", std::env::temp_dir().display())
}

fn failed(source: io::Error) -> Error {
    Error::Io { name: name(), source }
}
