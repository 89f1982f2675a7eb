//! Decompression of COMPRESSED and COMPRESSED2 records.
//!
//! All payloads of a stream form one zstd frame without end, flushed after each record. What comes out are plain
//! records, cut anywhere: the tail of one payload goes on in the next.

use zstd_safe::{DCtx, InBuffer, OutBuffer};

use crate::buffer::Buffer;

/// Bytes decompressed at a time; more than the largest record, so that a step always makes one whole.
const STEP: usize = 256 << 10;

/// A zstd stream.
pub(crate) struct Inflater {
    context: DCtx<'static>,
    input: Vec<u8>,
    consumed: usize,
    /// zstd may hold back output that did not fit the last time.
    output_was_full: bool,
}

/// The payload does not go on with the zstd stream.
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

    /// Takes the payload of the next record; what it holds comes out of [`Inflater::step`].
    pub(crate) fn feed(&mut self, payload: &[u8]) {
        self.input.drain(..self.consumed);
        self.consumed = 0;
        self.input.extend_from_slice(payload);
    }

    /// True while [`Inflater::step`] has something to do.
    pub(crate) fn has_input(&self) -> bool {
        self.consumed < self.input.len() || self.output_was_full
    }

    /// Decompresses some more, which goes on behind what `buffer` has.
    pub(crate) fn step(&mut self, buffer: &mut Buffer) -> Result<(), NotZstd> {
        let mut input = InBuffer::around(&self.input[self.consumed..]);
        let mut output = OutBuffer::around(buffer.room(STEP));
        let room = output.capacity();
        self.context
            .decompress_stream(&mut output, &mut input)
            .map_err(|_| NotZstd)?;
        let (produced, read) = (output.pos(), input.pos());
        // Without progress the caller would come again for ever.
        if produced == 0 && read == 0 && self.consumed < self.input.len() {
            return Err(NotZstd);
        }
        buffer.fill_room(produced);
        self.consumed += read;
        self.output_was_full = produced == room;
        Ok(())
    }
}
