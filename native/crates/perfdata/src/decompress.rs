//! Decompresses COMPRESSED and COMPRESSED2 records.
//!
//! All payloads of a stream form one endless zstd frame, which is flushed after each record. The decompressed bytes
//! are plain records, cut anywhere: a record may begin in one payload and end in the next.

use zstd_safe::{DCtx, InBuffer, OutBuffer};

use crate::buffer::Buffer;

/// Number of bytes decompressed at a time. This is more than the largest record, so each step completes a record.
const STEP: usize = 256 << 10;

/// A zstd stream.
pub(crate) struct Inflater {
    context: DCtx<'static>,
    input: Vec<u8>,
    consumed: usize,
    /// True if zstd may hold back output that had no room the last time.
    output_was_full: bool,
}

/// The error for a payload that does not continue the zstd stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotZstd;

impl Inflater {
    pub(crate) fn new() -> Self {
        Self {
            context: DCtx::create(),
            input: Vec::new(),
            consumed: 0,
            output_was_full: false,
        }
    }

    /// Takes the payload of the next record, which [`Inflater::step`] decompresses.
    pub(crate) fn feed(&mut self, payload: &[u8]) {
        self.input.drain(..self.consumed);
        self.consumed = 0;
        self.input.extend_from_slice(payload);
    }

    /// Returns true while [`Inflater::step`] has something to do.
    pub(crate) fn has_input(&self) -> bool {
        self.consumed < self.input.len() || self.output_was_full
    }

    /// Decompresses some more bytes, and appends them to the bytes in `buffer`.
    pub(crate) fn step(&mut self, buffer: &mut Buffer) -> Result<(), NotZstd> {
        let mut input = InBuffer::around(&self.input[self.consumed..]);
        let mut output = OutBuffer::around(buffer.room(STEP));
        let room = output.capacity();
        self.context
            .decompress_stream(&mut output, &mut input)
            .map_err(|_| NotZstd)?;
        let (produced, read) = (output.pos(), input.pos());
        // Without this error, a caller would call again for ever, because nothing advances.
        if produced == 0 && read == 0 && self.consumed < self.input.len() {
            return Err(NotZstd);
        }
        buffer.fill_room(produced);
        self.consumed += read;
        self.output_was_full = produced == room;
        Ok(())
    }
}
