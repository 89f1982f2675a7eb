//! Cuts records into chunks.

use std::ops::Range;

/// Usual size of a chunk in bytes: enough to keep a thread busy, and small enough to share the work evenly.
const CHUNK_SIZE: u64 = 1 << 20;

/// Collects consecutive records into chunks.
#[derive(Debug, Default)]
pub(crate) struct ChunkCutter {
    chunks: Vec<Range<u64>>,
    current: Range<u64>,
}

impl ChunkCutter {
    /// Adds the next record, or the next records. Bytes between these records and the one before are trace data, which
    /// chunks leave out. Records that are added together are in one chunk.
    #[inline]
    pub(crate) fn add(&mut self, position: u64, size: u64) {
        if position != self.current.end || self.current.end - self.current.start >= CHUNK_SIZE {
            self.cut();
            self.current = position..position;
        }
        self.current.end = position + size;
    }

    fn cut(&mut self) {
        if !self.current.is_empty() {
            self.chunks.push(self.current.clone());
        }
    }

    /// Returns the chunks, in order.
    pub(crate) fn finish(mut self) -> Vec<Range<u64>> {
        self.cut();
        self.chunks
    }
}
