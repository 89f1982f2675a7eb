//! Records in memory, and the beginning of a record that is not complete.

use crate::error::Error;
use crate::source::Source;

/// Number of bytes of records that a segment of a stream holds.
pub(crate) const SEGMENT_SIZE: usize = 16 << 20;

/// Size in bytes of a buffer for a segment of a stream. A buffer that is nearly full may get another step of a stream.
const FULL_SIZE: usize = SEGMENT_SIZE + (1 << 20);

/// Bytes of a stream or file that are in memory.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Offset or position of the first byte.
    pub(crate) start: u64,
    /// Memory whose first `filled` bytes are records. The rest is not cleared when the memory is used again, because
    /// that would take long.
    memory: Vec<u8>,
    filled: usize,
    /// Number of bytes after the records that are the beginning of a record.
    begun: usize,
}

impl Buffer {
    /// Makes an empty buffer in memory that was used before.
    pub(crate) fn new(start: u64, memory: Vec<u8>) -> Self {
        Self {
            start,
            memory,
            filled: 0,
            begun: 0,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.memory[..self.filled]
    }

    /// Returns the bytes of the records from this offset or position on.
    pub(crate) fn from(&self, position: u64) -> &[u8] {
        &self.bytes()[(position - self.start) as usize..]
    }

    /// Returns the offset or position at which the records end.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.filled as u64
    }

    /// Reads `count` more bytes of records from `source`.
    pub(crate) fn read_on(&mut self, source: &Source, count: u64) -> Result<(), Error> {
        let (end, filled) = (self.end(), self.filled + count as usize);
        if self.memory.is_empty() {
            // The system hands out cleared memory. `resize` would clear it again.
            self.memory = vec![0; filled];
        } else if self.memory.len() < filled {
            self.memory.resize(filled, 0);
        }
        source.read_exact_at(&mut self.memory[self.filled..filled], end)?;
        self.filled = filled;
        Ok(())
    }

    /// Appends a record. The beginning of another record, if there is one, moves after it.
    pub(crate) fn push(&mut self, record: &[u8]) {
        let end = self.make_room(record.len());
        self.memory.copy_within(self.filled..end, self.filled + record.len());
        self.memory[self.filled..][..record.len()].copy_from_slice(record);
        self.filled += record.len();
    }

    /// Returns memory for `size` bytes that continue the record that has begun.
    pub(crate) fn room(&mut self, size: usize) -> &mut [u8] {
        let end = self.make_room(size);
        &mut self.memory[end..end + size]
    }

    /// Makes room for `size` bytes after the bytes in use, and returns the number of bytes in use.
    fn make_room(&mut self, size: usize) -> usize {
        let end = self.filled + self.begun;
        if self.memory.is_empty() {
            // The system hands out cleared memory here as well.
            self.memory = vec![0; size.max(FULL_SIZE)];
        } else if self.memory.len() - end < size {
            self.memory.resize(end + size, 0);
        }
        end
    }

    /// Adds the first `count` bytes of the room to the record that has begun.
    pub(crate) fn fill_room(&mut self, count: usize) {
        self.begun += count;
    }

    /// Returns the bytes after the last whole record.
    pub(crate) fn begun(&self) -> &[u8] {
        &self.memory[self.filled..self.filled + self.begun]
    }

    /// Makes a record of the first `size` bytes after the last whole record.
    pub(crate) fn end_record(&mut self, size: usize) {
        self.filled += size;
        self.begun -= size;
    }

    /// Removes the record that has begun from the buffer and returns its bytes.
    pub(crate) fn take_begun(&mut self) -> Vec<u8> {
        let begun = self.begun().to_vec();
        self.begun = 0;
        begun
    }

    /// Continues a record that has begun in another buffer.
    pub(crate) fn go_on_with(&mut self, begun: &[u8]) {
        if !begun.is_empty() {
            self.room(begun.len()).copy_from_slice(begun);
            self.fill_room(begun.len());
        }
    }

    /// Removes all whole records from the buffer. The record that has begun stays.
    pub(crate) fn let_go(&mut self) {
        let end = self.filled + self.begun;
        self.memory.copy_within(self.filled..end, 0);
        self.start += self.filled as u64;
        self.filled = 0;
    }
}

/// Memory of buffers that are no longer needed.
#[derive(Debug, Default)]
pub(crate) struct SpareMemory(Vec<Vec<u8>>);

impl SpareMemory {
    /// Returns memory of a former buffer, or an empty vector.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    pub(crate) fn give(&mut self, buffers: Vec<Buffer>) {
        self.0.extend(buffers.into_iter().map(|buffer| buffer.memory));
    }
}
