//! Bytes of a stream that are needed again later.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;

use tempfile::{SpooledData, SpooledTempFile};

use crate::error::Error;
use crate::source::Source;

/// Number of bytes of one part that are kept in memory. More are kept in a file.
const IN_MEMORY: usize = 4 << 20;

/// Bytes in the order in which they came, in parts. A long part is a file without a name, in the folder for temporary
/// files. The system removes the file when it is closed, even after a crash.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    /// Finished parts, each with the number of bytes before it.
    parts: VecDeque<(u64, Arc<Source>)>,
    open: Option<SpooledTempFile>,
    /// Number of bytes before the open part, and number of all bytes.
    open_at: u64,
    size: u64,
}

impl Spool {
    /// Returns the number of bytes that were ever appended.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let open = self.open.get_or_insert_with(|| SpooledTempFile::new(IN_MEMORY));
        open.write_all(bytes).map_err(failed)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Ends the open part, so that it can be read.
    pub(crate) fn end_part(&mut self) -> Result<(), Error> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let source = match open.into_inner() {
            SpooledData::InMemory(bytes) => Source::memory(0, bytes.into_inner(), name()),
            SpooledData::OnDisk(file) => Source::file(file, name())?,
        };
        self.parts.push_back((self.open_at, Arc::new(source)));
        self.open_at = self.size;
        Ok(())
    }

    /// Returns the finished part that has the byte at `at`, and the offset of this byte in the part.
    pub(crate) fn find(&self, at: u64) -> Option<(&Arc<Source>, u64)> {
        let behind = self.parts.partition_point(|(start, _)| *start <= at);
        let (start, source) = self.parts.get(behind.checked_sub(1)?)?;
        Some((source, at - start))
    }

    /// Removes the finished parts that end at or before `at`.
    pub(crate) fn forget_before(&mut self, at: u64) {
        while let Some((start, source)) = self.parts.front()
            && start + source.size() <= at
        {
            self.parts.pop_front();
        }
    }
}

fn name() -> String {
    format!("a temporary file in {}", std::env::temp_dir().display())
}

fn failed(source: io::Error) -> Error {
    Error::Io { name: name(), source }
}
