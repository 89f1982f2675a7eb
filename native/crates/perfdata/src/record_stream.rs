//! Records that can only be read one after the other: pipes, and compressed parts of files.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::buffer::{Buffer, SEGMENT_SIZE};
use crate::byte_order::ByteOrder;
use crate::chunks::ChunkCutter;
use crate::decompress::Inflater;
use crate::error::{Error, check_cancelled};
use crate::record::{HEADER_SIZE, RecordHeader, TRAILER_PEEK, peeks_behind, record_type, trailing_payload};
use crate::recording::Recording;
use crate::segment::Segment;
use crate::spool::Spool;
use crate::stats::{Damage, DamageKind, RecordStats};
use crate::trace::{PayloadPlace, TraceBytes, Wanted};
use crate::waiting::Waiting;
use crate::walk::{cut_off, is_perf_chatter};

/// Number of bytes read ahead. This is more than the largest record of any kind.
const WINDOW_SIZE: usize = 256 << 10;
/// Size in bytes of a COMPRESSED2 record before its payload: record header and u64 data_size.
const COMPRESSED2_HEADER: usize = 16;
/// Size in bytes of the longest payload that perf puts into one COMPRESSED2 record (perf: builtin-record.c,
/// zstd_compress).
const COMPRESSED2_MAX_PAYLOAD: usize = 65519;

/// Number of kept records above which they must take at least 4 compressed bytes each. Records such as maps are kept
/// in some form, and a few compressed bytes may stand for thousands of them. Real records differ in addresses and
/// times and take more than 10 bytes each. Records that take fewer than 4 bytes were made to fill the memory.
const MAX_FREE_KEPT: u64 = 1 << 16;

/// A stream of records, which are decompressed if necessary.
pub(crate) struct RecordStream {
    input: Box<dyn Read + Send>,
    /// Number of bytes of the input that belong to the stream and have not been read.
    left: u64,
    name: String,
    order: ByteOrder,
    window: Vec<u8>,
    start: usize,
    filled: usize,
    /// Offset in the input of the window's first unread byte, for messages.
    offset: u64,
    /// Number of bytes of trace data that are still to be skipped.
    skip: u64,
    /// True if the trace data that is skipped is needed later, and so has to be copied.
    keeps: bool,
    /// Copy of the trace data that is needed later. `None` if the input can be read again.
    spool: Option<Spool>,
    /// True if rounds make parts of the trace ripe.
    has_rounds: bool,
    inflater: Option<Inflater>,
    /// The beginning of a decompressed record whose rest belongs to the next segment.
    begun: Vec<u8>,
    /// Number of bytes left of a COMPRESSED2 record whose size did not fit into its header.
    oversized_left: u64,
    /// Number of decompressed records that are kept in some form.
    kept: u64,
    ended: Option<Progress>,
    /// Time after which a segment ends at its next record, even if it is not full.
    patience: Option<Duration>,
    /// True if a cancelled stream still hands out the records that were read.
    ends_when_cancelled: bool,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There may be more records.
    More,
    /// No bytes came for a moment.
    Idle,
    /// The stream has ended. With damage, it ended early.
    End(Option<Damage>),
}

/// The next item in the window.
enum Next {
    /// A record that is not compressed, with its size in bytes.
    Plain(RecordHeader, usize),
    /// A compressed record, with the place of its payload and its size in bytes.
    Compressed {
        payload: std::ops::Range<usize>,
        len: usize,
    },
    /// The end of the stream.
    End(Option<Damage>),
}

impl fmt::Debug for RecordStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordStream")
            .field("name", &self.name)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl RecordStream {
    /// Reads records from the first `len` bytes of `input` (`u64::MAX`: all bytes). These bytes begin at `offset` of
    /// the input that the user knows as `name`.
    pub(crate) fn new(input: Box<dyn Read + Send>, len: u64, name: String, order: ByteOrder, offset: u64) -> Self {
        Self {
            input,
            left: len,
            name,
            order,
            window: vec![0; WINDOW_SIZE],
            start: 0,
            filled: 0,
            offset,
            skip: 0,
            keeps: false,
            spool: None,
            has_rounds: false,
            inflater: None,
            begun: Vec::new(),
            oversized_left: 0,
            kept: 0,
            ended: None,
            patience: None,
            ends_when_cancelled: false,
        }
    }

    /// Returns the stream, set up for an input that cannot be read again: the trace is copied. If `has_rounds`, the
    /// rounds of the input make parts of the trace ripe. Otherwise the whole trace is decoded in the end.
    pub(crate) fn spooling(mut self, has_rounds: bool) -> Self {
        self.spool = Some(Spool::default());
        self.has_rounds = has_rounds;
        self
    }

    /// Takes the copy of the trace.
    pub(crate) fn take_spool(&mut self) -> Spool {
        self.spool.take().unwrap_or_default()
    }

    /// Returns a segment with the next part of the trace that is ripe. Returns `None` if there is no such part.
    pub(crate) fn ripe_trace(&mut self, recording: &mut Recording) -> Result<Option<Segment>, Error> {
        let Some(spool) = self.spool.as_mut().filter(|_| self.has_rounds) else {
            return Ok(None);
        };
        spool.end_part()?;
        let segment = recording.take_trace(TraceBytes::Copied(spool), Wanted::Ripe)?;
        recording.forget_past_of_trace();
        spool.forget_before(recording.first_trace_byte().unwrap_or(u64::MAX));
        Ok(segment)
    }

    /// Ends segments after `patience`, even if they are not full.
    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.patience = Some(patience);
    }

    /// Ends segments after `patience`, even if no bytes come any more, and ends the stream when it is cancelled.
    pub(crate) fn set_patience_with_input(&mut self, patience: Duration) -> Result<(), Error> {
        self.set_patience(patience);
        let input = std::mem::replace(&mut self.input, Box::new(io::empty()));
        let waiting = Waiting::new(input).map_err(|source| Error::Io {
            name: self.name.clone(),
            source,
        })?;
        self.input = Box::new(waiting);
        self.ends_when_cancelled = true;
        Ok(())
    }

    /// Returns true if a cancelled stream still hands out the records that were read.
    pub(crate) fn ends_when_cancelled(&self) -> bool {
        self.ends_when_cancelled
    }

    /// Returns true after a compressed record was read.
    pub(crate) fn is_compressed(&self) -> bool {
        self.inflater.is_some()
    }

    /// Returns the number of bytes of the stream that are missing, and the input, which continues after the stream.
    pub(crate) fn into_rest(mut self) -> io::Result<(u64, Box<dyn Read + Send>)> {
        if self.left > 0 {
            self.left -= io::copy(&mut self.input.by_ref().take(self.left), &mut io::sink())?;
        }
        Ok((self.left, self.input))
    }

    /// Reads the records of one segment into `memory`, the first of them at the given position. Hands the records that
    /// are not samples to `recording`. The segment's statistics tell how the stream ended, if it did.
    pub(crate) fn read_segment(
        &mut self,
        position: u64,
        memory: Vec<u8>,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<(Segment, Progress), Error> {
        let mut buffer = self.buffer(position, memory);
        let mut chunks = ChunkCutter::default();
        let mut stats = RecordStats::default();
        let mut side_records = Vec::new();
        let mut progress = Progress::More;
        let begun = Instant::now();
        let patience = self.patience;
        let has_rounds = self.has_rounds;
        let is_late = |progress: Progress, bytes: &[u8]| {
            let may_end = progress == Progress::Idle || !bytes.is_empty();
            may_end && patience.is_some_and(|patience| begun.elapsed() >= patience)
        };
        while !matches!(progress, Progress::End(_))
            && buffer.bytes().len() < SEGMENT_SIZE
            && !is_late(progress, buffer.bytes())
            && !recording.has_trace_batch()
        {
            progress = self.advance(&mut buffer, cancel, |position, header, record, behind| {
                stats.count_record(header);
                if Recording::wants(header) {
                    recording.absorb(position, header, record, &mut stats, &mut side_records);
                }
                if has_rounds && header.record_type == record_type::FINISHED_ROUND {
                    recording.end_round();
                }
                chunks.add(position, record.len() as u64);
                let place = PayloadPlace {
                    file: 0,
                    at: behind,
                    end: u64::MAX,
                };
                header.record_type == record_type::AUXTRACE
                    && recording.absorb_trace(position, place, record, &mut stats)
            })?;
        }
        self.keep_begun(&mut buffer);
        stats.bytes = buffer.bytes().len() as u64;
        if let Progress::End(damage) = progress {
            stats.damage = damage;
        }
        let mut segment = Segment::in_memory(buffer, chunks, recording.table());
        segment.side_records = side_records;
        segment.stats = stats;
        segment.trace_to_come = recording.trace_to_come();
        Ok((segment, progress))
    }

    /// Returns a buffer for the next records of the stream, the first of them at `position`.
    pub(crate) fn buffer(&mut self, position: u64, memory: Vec<u8>) -> Buffer {
        let mut buffer = Buffer::new(position, memory);
        buffer.go_on_with(&std::mem::take(&mut self.begun));
        buffer
    }

    /// Takes the beginning of a record out of a buffer, for the next buffer.
    pub(crate) fn keep_begun(&mut self, buffer: &mut Buffer) {
        self.begun = buffer.take_begun();
    }

    /// Advances by a bounded amount. Appends each record that is neither compressed nor trace data to `buffer`, and
    /// calls `emit` with its position and with the place of the trace data after it. `emit` returns true if this
    /// trace data is needed.
    pub(crate) fn advance(
        &mut self,
        buffer: &mut Buffer,
        cancel: Option<&AtomicBool>,
        emit: impl FnMut(u64, RecordHeader, &[u8], u64) -> bool,
    ) -> Result<Progress, Error> {
        if let Some(end) = self.ended {
            return Ok(end);
        }
        match check_cancelled(cancel) {
            Err(_) if self.ends_when_cancelled => return Ok(*self.ended.insert(Progress::End(None))),
            other => other?,
        }
        match self.step(buffer, emit) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::TimedOut && self.patience.is_some() => {
                Ok(Progress::Idle)
            }
            Ok(Progress::End(damage)) => Ok(*self.ended.insert(Progress::End(damage))),
            Err(Error::Cancelled) if self.ends_when_cancelled => Ok(*self.ended.insert(Progress::End(None))),
            progress => progress,
        }
    }

    fn step(
        &mut self,
        buffer: &mut Buffer,
        mut emit: impl FnMut(u64, RecordHeader, &[u8], u64) -> bool,
    ) -> Result<Progress, Error> {
        if let Some(inflater) = self.inflater.as_mut().filter(|inflater| inflater.has_input()) {
            let end = emit_inflated(inflater, buffer, self.order, &mut |position, header, record: &[u8]| {
                self.kept += u64::from(Recording::wants(header));
                emit(position, header, record, u64::MAX);
            });
            let too_many = self.kept > MAX_FREE_KEPT + self.offset / 4;
            return Ok(match end.or(too_many.then_some(DamageKind::InflatedTooFar)) {
                Some(kind) => Progress::End(Some(Damage {
                    offset: self.offset,
                    kind,
                })),
                None => Progress::More,
            });
        }
        if self.skip > 0 {
            return self.pass_over();
        }
        // Reads all the records in the window, until one must be decompressed.
        loop {
            match self.next()? {
                Next::Plain(header, len) => {
                    if peeks_behind(header) {
                        // The input may end before that number of bytes, so the result does not matter.
                        let _ = self.fill(len + TRAILER_PEEK)?;
                    }
                    let payload_at = match &self.spool {
                        Some(spool) => spool.size(),
                        None => self.offset + len as u64,
                    };
                    let (record, behind) = self.rest().split_at(len);
                    let is_needed = emit(buffer.end(), header, record, payload_at);
                    buffer.push(record);
                    self.skip = trailing_payload(header, record, behind, self.order);
                    self.keeps = is_needed;
                    self.consume(len);
                    // If segments end after some time, the caller looks at the clock after every record.
                    if self.skip > 0 || self.filled - self.start < HEADER_SIZE || self.patience.is_some() {
                        return Ok(Progress::More);
                    }
                }
                Next::Compressed { payload, len } => {
                    let inflater = self.inflater.get_or_insert_with(Inflater::new);
                    inflater.feed(&self.window[payload]);
                    self.consume(len);
                    return Ok(Progress::More);
                }
                Next::End(damage) => return Ok(Progress::End(damage.or_else(|| self.unfinished(buffer)))),
            }
        }
    }

    fn unfinished(&self, buffer: &Buffer) -> Option<Damage> {
        (!buffer.begun().is_empty() || self.oversized_left > 0).then_some(Damage {
            offset: self.offset,
            kind: DamageKind::CompressedRecordCutOff,
        })
    }

    fn next(&mut self) -> Result<Next, Error> {
        if !self.fill(HEADER_SIZE)? {
            return Ok(self.end_of_input());
        }
        let Some(header) = RecordHeader::parse(self.rest(), self.order) else {
            return Ok(self.end_of_input());
        };
        if header.record_type == record_type::COMPRESSED2 || self.oversized_left > 0 {
            return self.next_compressed2(header);
        }
        let len = usize::from(header.size);
        if len < HEADER_SIZE {
            return Ok(self.damaged(DamageKind::RecordTooSmall { size: header.size }));
        }
        if !self.fill(len)? {
            return Ok(self.end_of_input());
        }
        Ok(if header.record_type == record_type::COMPRESSED {
            Next::Compressed {
                payload: self.start + HEADER_SIZE..self.start + len,
                len,
            }
        } else {
            Next::Plain(header, len)
        })
    }

    /// Reads COMPRESSED2: u64 data_size, `data_size` bytes, zeros up to a multiple of 8.
    ///
    /// perf 6.16 writes the padded size into the header even if this size does not fit into 16 bits, and then writes
    /// no padding. The data size is right. If the data is longer than one record can hold, further records without a
    /// right data size follow inside of the data. The first of these records is the present one, which has the largest
    /// possible payload.
    fn next_compressed2(&mut self, header: RecordHeader) -> Result<Next, Error> {
        if self.oversized_left > 0 {
            let len = usize::from(header.size);
            let fits = header.record_type == record_type::COMPRESSED2
                && len >= COMPRESSED2_HEADER
                && len as u64 <= self.oversized_left;
            if !fits {
                return Ok(self.damaged(DamageKind::BadCompression));
            }
            if !self.fill(len)? {
                return Ok(self.end_of_input());
            }
            self.oversized_left -= len as u64;
            return Ok(Next::Compressed {
                payload: self.start + COMPRESSED2_HEADER..self.start + len,
                len,
            });
        }
        if !self.fill(COMPRESSED2_HEADER)? {
            return Ok(self.end_of_input());
        }
        let data_size = self.order.u64(self.rest(), HEADER_SIZE).unwrap_or(0);
        let unpadded = data_size.saturating_add(COMPRESSED2_HEADER as u64);
        let size_is_right = unpadded
            .checked_next_multiple_of(8)
            .is_some_and(|size| size <= u64::from(header.size));
        let data_len = data_size.min(COMPRESSED2_MAX_PAYLOAD as u64) as usize;
        let len = if size_is_right {
            usize::from(header.size)
        } else {
            COMPRESSED2_HEADER + data_len
        };
        if !self.fill(len)? {
            return Ok(self.end_of_input());
        }
        self.oversized_left = data_size - data_len as u64;
        let payload = self.start + COMPRESSED2_HEADER;
        Ok(Next::Compressed {
            payload: payload..payload + data_len,
            len,
        })
    }

    fn rest(&self) -> &[u8] {
        &self.window[self.start..self.filled]
    }

    fn consume(&mut self, len: usize) {
        self.start += len;
        self.offset += len as u64;
    }

    fn damaged(&self, kind: DamageKind) -> Next {
        Next::End(Some(Damage {
            offset: self.offset,
            kind,
        }))
    }

    /// Returns the end of a stream whose input ends in or before the record that begins here.
    fn end_of_input(&self) -> Next {
        let rest = self.rest();
        let clean = rest.is_empty() || is_perf_chatter(rest);
        Next::End((!clean).then(|| cut_off(self.offset, rest, self.order)))
    }

    /// Reads until `wanted` bytes are in the window. Returns false if the input ends before.
    fn fill(&mut self, wanted: usize) -> Result<bool, Error> {
        while self.filled - self.start < wanted {
            if self.window.len() - self.start < wanted || self.start == self.filled {
                self.window.copy_within(self.start..self.filled, 0);
                self.filled -= self.start;
                self.start = 0;
            }
            let room = &mut self.window[self.filled..];
            let wanted = room.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            match self.input.read(&mut room[..wanted]) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.filled += count;
                    self.left -= count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::of_read(error, &self.name)),
            }
        }
        Ok(true)
    }

    /// Skips trace data, and copies it if necessary.
    fn pass_over(&mut self) -> Result<Progress, Error> {
        if !self.fill(1)? {
            let kind = DamageKind::PayloadCutOff {
                size: self.skip,
                left: 0,
            };
            return Ok(Progress::End(Some(Damage {
                offset: self.offset,
                kind,
            })));
        }
        let passed = self.skip.min((self.filled - self.start) as u64);
        if let Some(spool) = self.spool.as_mut().filter(|_| self.keeps) {
            spool.append(&self.window[self.start..self.start + passed as usize])?;
        }
        self.skip -= passed;
        self.consume(passed as usize);
        Ok(Progress::More)
    }
}

/// Emits the records that one step of decompression completes. Returns the damage if there is any.
fn emit_inflated(
    inflater: &mut Inflater,
    buffer: &mut Buffer,
    order: ByteOrder,
    emit: &mut impl FnMut(u64, RecordHeader, &[u8]),
) -> Option<DamageKind> {
    if inflater.step(buffer).is_err() {
        return Some(DamageKind::BadCompression);
    }
    while let Some(header) = RecordHeader::parse(buffer.begun(), order) {
        let len = usize::from(header.size);
        if len < HEADER_SIZE {
            return Some(DamageKind::RecordTooSmall { size: header.size });
        }
        let Some(record) = buffer.begun().get(..len) else {
            break;
        };
        emit(buffer.end(), header, record);
        buffer.end_record(len);
    }
    None
}
