//! Finds the record boundaries of a plain file, on all cores.
//!
//! Each record tells only where the next one begins, so the chain of records can be followed from one end only. To
//! share the work, the data section is cut into pieces. In each piece, a thread guesses a boundary (a run of plausible
//! headers) and follows the chain from there. The chain from the start of the section then decides. If it arrives at
//! the guess, the thread did what following the chain would have done. If not, the piece is walked again from the
//! place at which the chain arrives. So the result is that of a single walk, whatever the bytes are.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use crate::buffer::{Buffer, SpareMemory};
use crate::byte_order::ByteOrder;
use crate::chunks::ChunkCutter;
use crate::error::{Error, check_cancelled};
use crate::record::{HEADER_SIZE, RecordHeader, Run, record_type};
use crate::recording::Recording;
use crate::segment::file_of;
use crate::side_record::SideRecord;
use crate::source::Source;
use crate::stats::{Damage, RecordStats};
use crate::trace::PayloadPlace;
use crate::walk::{Stretch, WalkEnd, end_of_records, walk_block};

/// Number of bytes that one thread scans at a time.
const PIECE_SIZE: u64 = 512 << 10;
/// Number of pieces that a thread scans before the results are used. With few pieces, a piece is still in the caches
/// when its samples are decoded. With many pieces, threads seldom wait for each other. (500 MB on two cores: 148 ms
/// with 2, 131 ms with 4 and 8, 149 ms with 16.)
const PIECES_A_THREAD: usize = 4;
/// Largest number of pieces in a wave, for any number of threads.
const MOST_PIECES: usize = 64;
/// Number of consecutive headers that must be valid to make a boundary plausible.
const PLAUSIBLE_HEADERS: usize = 6;
/// Number of bytes in which a boundary is searched for. The largest record is shorter.
const GUESS_WINDOW: usize = 64 << 10;

/// Reads the records in part of a plain file, a wave of pieces at a time.
#[derive(Debug)]
pub(crate) struct Scanner {
    source: Arc<Source>,
    range: Range<u64>,
    /// Number that is added to offsets in the file to make positions.
    position_base: u64,
    piece_size: u64,
    /// Offset up to which the chain of records has been followed.
    arrived: u64,
    end: Option<ScanEnd>,
}

/// The reason why a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanEnd {
    /// Everything has been read, or damage makes the rest unreadable.
    Done,
    /// A compressed record begins at this offset.
    Compressed(u64),
}

/// The result of scanning some pieces.
#[derive(Debug, Default)]
pub(crate) struct Wave {
    /// The bytes of each scanned piece.
    pub(crate) buffers: Vec<Buffer>,
    /// Chunks, each with the index of its buffer.
    pub(crate) chunks: Vec<(usize, Range<u64>)>,
    pub(crate) side_records: Vec<SideRecord>,
    pub(crate) stats: RecordStats,
}

impl Scanner {
    pub(crate) fn new(source: Arc<Source>, range: Range<u64>, position_base: u64) -> Self {
        Self {
            source,
            arrived: range.start,
            range,
            position_base,
            piece_size: PIECE_SIZE,
            end: None,
        }
    }

    /// Returns the reason why there are no more waves, or `None` while there are more.
    pub(crate) fn end(&self) -> Option<ScanEnd> {
        self.end
    }

    /// Scans the next pieces, and hands the records in them that are not samples to `recording`. Returns `None` at the
    /// end.
    pub(crate) fn next_wave(
        &mut self,
        recording: &mut Recording,
        spare: &mut SpareMemory,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Wave>, Error> {
        check_cancelled(cancel)?;
        if self.end.is_some() {
            return Ok(None);
        }
        let pieces = (PIECES_A_THREAD * rayon::current_num_threads()).min(MOST_PIECES) as u64;
        let wave_end = self
            .arrived
            .saturating_add(pieces * self.piece_size)
            .min(self.range.end);
        let pieces: Vec<Result<Piece, Error>> = piece_bounds(self.arrived..wave_end, self.piece_size)
            .into_iter()
            .map(|bounds| Piece::new(bounds, self.range.end, spare.take(), recording.order()))
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|mut piece| {
                check_cancelled(cancel)?;
                piece
                    .buffer
                    .read_on(&self.source, piece.bounds.end - piece.bounds.start)?;
                if let Some(start) = piece.guess_boundary(self.arrived) {
                    piece.walk(&self.source, start)?;
                }
                Ok(piece)
            })
            .collect();
        let mut wave = Wave::default();
        for piece in pieces {
            let mut piece = piece?;
            if self.arrived < piece.bounds.end && self.end.is_none() {
                if piece.walked_from != Some(self.arrived) {
                    check_cancelled(cancel)?;
                    piece.walk(&self.source, self.arrived)?;
                }
                self.take(&piece, &mut wave, recording);
            }
            wave.buffers.push(piece.buffer);
        }
        if self.arrived >= self.range.end {
            self.end.get_or_insert(ScanEnd::Done);
        }
        Ok(Some(wave))
    }

    /// Adds the result of a piece, which continues the results added before.
    fn take(&mut self, piece: &Piece, wave: &mut Wave, recording: &mut Recording) {
        wave.stats.add(&piece.stats);
        let buffer = wave.buffers.len();
        wave.chunks
            .extend(piece.chunks.iter().map(|chunk| (buffer, chunk.clone())));
        for &position in &piece.wanted {
            let bytes = piece.buffer.from(position);
            let Some(header) = RecordHeader::parse(bytes, recording.order()) else {
                break;
            };
            let record = &bytes[..usize::from(header.size)];
            let position = self.position_base + position;
            recording.absorb(position, header, record, &mut wave.stats, &mut wave.side_records);
            if header.record_type == record_type::AUXTRACE {
                let (file, offset) = file_of(position);
                let place = PayloadPlace {
                    file,
                    at: offset + record.len() as u64,
                    end: self.range.end,
                };
                recording.absorb_trace(position, place, record, &mut wave.stats);
            }
        }
        match piece.end {
            WalkEnd::Reached(position) => self.arrived = position,
            WalkEnd::Compressed(position) => self.end = Some(ScanEnd::Compressed(position)),
            WalkEnd::Damaged(_) => self.end = Some(ScanEnd::Done),
        }
    }
}

fn piece_bounds(range: Range<u64>, piece_size: u64) -> Vec<Range<u64>> {
    let mut bounds = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let end = start.saturating_add(piece_size).min(range.end);
        bounds.push(start..end);
        start = end;
    }
    bounds
}

/// The result of scanning one piece with one thread.
#[derive(Debug)]
struct Piece {
    /// Range of offsets in which the piece's records begin.
    bounds: Range<u64>,
    /// Offset beyond which no record reaches.
    limit: u64,
    order: ByteOrder,
    /// The bytes from the start of `bounds` to the end of the last record.
    buffer: Buffer,
    walked_from: Option<u64>,
    chunks: Vec<Range<u64>>,
    /// Offsets of the records that are not samples and have to be read.
    wanted: Vec<u64>,
    stats: RecordStats,
    end: WalkEnd,
}

impl Piece {
    fn new(bounds: Range<u64>, limit: u64, memory: Vec<u8>, order: ByteOrder) -> Self {
        let start = bounds.start;
        Self {
            bounds,
            limit,
            order,
            buffer: Buffer::new(start, memory),
            walked_from: None,
            chunks: Vec::new(),
            wanted: Vec::new(),
            stats: RecordStats::default(),
            end: WalkEnd::Reached(start),
        }
    }

    /// Searches for a record boundary at the start of the piece or later. The result may be wrong. A record is known
    /// to begin at `known`.
    fn guess_boundary(&self, known: u64) -> Option<u64> {
        let (start, bytes) = (self.buffer.start, self.buffer.bytes());
        if start == known {
            return Some(known);
        }
        // Records of plain files have sizes that are multiples of 8.
        let first = (known.wrapping_sub(start) % 8) as usize;
        (first..bytes.len().min(GUESS_WINDOW))
            .step_by(8)
            .find(|&at| is_plausible(bytes, at, self.order))
            .map(|at| start + at as u64)
    }

    /// Follows the chain of records from `start`, which lies in the piece.
    fn walk(&mut self, source: &Source, start: u64) -> Result<(), Error> {
        self.walked_from = Some(start);
        self.wanted.clear();
        self.stats = RecordStats::default();
        let mut chunks = ChunkCutter::default();
        let mut stretch = Stretch {
            start,
            stop: self.bounds.end,
            limit: self.limit,
        };
        self.end = loop {
            let visit = |position, Run { header, count, bytes }: Run<'_>| {
                chunks.add(position, bytes.len() as u64);
                self.stats.count_records(header, count);
                if header.record_type != record_type::SAMPLE && Recording::wants(header) {
                    self.wanted.push(position);
                }
            };
            let buffer = &self.buffer;
            if let Some(end) = walk_block(buffer.bytes(), buffer.start, self.order, &mut stretch, visit) {
                break end;
            }
            // The last record may reach beyond the piece, so its missing bytes are read.
            let missing = missing_bytes(buffer.from(stretch.start), self.order);
            let left = self.limit - self.buffer.end();
            self.buffer.read_on(source, missing.min(left))?;
            if missing > left {
                break end_of_records(stretch.start, self.limit, self.buffer.from(stretch.start), self.order);
            }
        };
        self.chunks = chunks.finish();
        let end = match self.end {
            WalkEnd::Reached(position) | WalkEnd::Compressed(position) => position,
            WalkEnd::Damaged(Damage { offset, .. }) => offset,
        };
        self.stats.bytes = end - start;
        if let WalkEnd::Damaged(damage) = self.end {
            self.stats.damage = Some(damage);
        }
        Ok(())
    }
}

/// Returns the number of bytes that `rest` lacks to hold a record header, or the record that it begins with.
fn missing_bytes(rest: &[u8], order: ByteOrder) -> u64 {
    let size = RecordHeader::parse(rest, order).map_or(HEADER_SIZE, |header| usize::from(header.size));
    size.saturating_sub(rest.len()) as u64
}

fn is_plausible(window: &[u8], mut at: usize, order: ByteOrder) -> bool {
    for _ in 0..PLAUSIBLE_HEADERS {
        let Some(header) = window.get(at..).and_then(|rest| RecordHeader::parse(rest, order)) else {
            // The section or the window ends here, so the boundary stays plausible.
            return true;
        };
        let size = usize::from(header.size);
        if !header.is_known_type() || size < HEADER_SIZE || size % 8 != 0 {
            return false;
        }
        at += size;
    }
    true
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
