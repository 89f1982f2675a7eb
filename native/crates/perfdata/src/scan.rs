//! Finding the record boundaries of a plain file, on all cores.
//!
//! Each record tells only where the next one begins, so the chain can be followed from one end only. To share the
//! work, the data section is cut into pieces, and in each piece a thread guesses a boundary (a run of plausible
//! headers) and follows the chain from there. The chain from the start of the section then decides: if it arrives at
//! the guess, all the piece's thread did is what following the chain would have done; if not, the piece is walked
//! again from where the chain arrives. So the result is that of a single walk, whatever the bytes are.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use crate::byte_order::ByteOrder;
use crate::chunks::ChunkCutter;
use crate::error::{Error, check_cancelled};
use crate::record::{HEADER_SIZE, RecordHeader};
use crate::recording::Recording;
use crate::side_record::SideRecord;
use crate::source::Source;
use crate::stats::{Damage, RecordStats};
use crate::walk::{Stretch, WalkEnd, walk_records};

/// Bytes that one thread scans at a time.
const PIECE_SIZE: u64 = 4 << 20;
/// Pieces a thread scans before the results are taken in, which bounds the memory that waiting results take.
const PIECES_A_THREAD: u64 = 4;
/// Headers that must follow each other to make a boundary plausible.
const PLAUSIBLE_HEADERS: usize = 6;
/// Where to look for a boundary; the largest record is shorter.
const GUESS_WINDOW: usize = 64 << 10;

/// What a scan found.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) chunks: Vec<Range<u64>>,
    pub(crate) side_records: Vec<SideRecord>,
    pub(crate) stats: RecordStats,
    /// Where the first compressed record begins; nothing from there on was scanned.
    pub(crate) compressed_from: Option<u64>,
}

/// Scans the records in `range`, and takes those that are not samples into `recording`.
pub(crate) fn scan(
    source: &Source,
    range: Range<u64>,
    position_base: u64,
    recording: &mut Recording,
    cancel: Option<&AtomicBool>,
) -> Result<Scan, Error> {
    scan_in_pieces(source, range, position_base, PIECE_SIZE, recording, cancel)
}

fn scan_in_pieces(
    source: &Source,
    range: Range<u64>,
    position_base: u64,
    piece_size: u64,
    recording: &mut Recording,
    cancel: Option<&AtomicBool>,
) -> Result<Scan, Error> {
    let order = recording.order();
    let mut scan = Scan {
        chunks: Vec::new(),
        side_records: Vec::new(),
        stats: RecordStats::default(),
        compressed_from: None,
    };
    // The chain of records has been followed to here.
    let mut arrived = range.start;
    let wave_size = PIECES_A_THREAD * rayon::current_num_threads() as u64 * piece_size;
    while arrived < range.end {
        let wave_end = arrived.saturating_add(wave_size).min(range.end);
        let bounds = piece_bounds(arrived..wave_end, piece_size);
        let guesses: Vec<Result<Option<Piece>, Error>> = bounds
            .par_iter()
            .enumerate()
            .map(|(index, bounds)| {
                check_cancelled(cancel)?;
                let mut block = Vec::new();
                let start = if index == 0 {
                    Some(bounds.start)
                } else {
                    guess_boundary(source, order, bounds.start, range.clone(), &mut block)?
                };
                start
                    .filter(|start| bounds.contains(start))
                    .map(|start| {
                        scan_piece(
                            source,
                            order,
                            Stretch {
                                start,
                                stop: bounds.end,
                                limit: range.end,
                            },
                            &mut block,
                        )
                    })
                    .transpose()
            })
            .collect();
        for (bounds, guess) in bounds.iter().zip(guesses) {
            if arrived >= bounds.end {
                continue;
            }
            let piece = match guess? {
                Some(piece) if piece.start == arrived => piece,
                _ => {
                    check_cancelled(cancel)?;
                    let stretch = Stretch {
                        start: arrived,
                        stop: bounds.end,
                        limit: range.end,
                    };
                    scan_piece(source, order, stretch, &mut Vec::new())?
                }
            };
            scan.take(&piece, position_base, recording);
            match piece.end {
                WalkEnd::Reached(position) => arrived = position,
                WalkEnd::Compressed(position) => {
                    scan.compressed_from = Some(position);
                    return Ok(scan);
                }
                WalkEnd::Damaged(_) => return Ok(scan),
            }
        }
    }
    Ok(scan)
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

/// What one thread found in one piece.
#[derive(Debug)]
struct Piece {
    start: u64,
    chunks: Vec<Range<u64>>,
    /// Records to be taken in: their positions, and their bytes one after the other.
    wanted: Vec<u64>,
    wanted_bytes: Vec<u8>,
    stats: RecordStats,
    end: WalkEnd,
}

fn scan_piece(source: &Source, order: ByteOrder, stretch: Stretch, block: &mut Vec<u8>) -> Result<Piece, Error> {
    let mut piece = Piece {
        start: stretch.start,
        chunks: Vec::new(),
        wanted: Vec::new(),
        wanted_bytes: Vec::new(),
        stats: RecordStats::default(),
        end: WalkEnd::Reached(stretch.start),
    };
    let mut chunks = ChunkCutter::default();
    piece.end = walk_records(source, order, stretch, block, |position, header, record| {
        chunks.add(position, u64::from(header.size));
        piece.stats.count_record(header);
        if Recording::wants(header) {
            piece.wanted.push(position);
            piece.wanted_bytes.extend_from_slice(record);
        }
    })?;
    piece.chunks = chunks.finish();
    let end = match piece.end {
        WalkEnd::Reached(position) | WalkEnd::Compressed(position) => position,
        WalkEnd::Damaged(Damage { offset, .. }) => offset,
    };
    piece.stats.bytes = end - stretch.start;
    if let WalkEnd::Damaged(damage) = piece.end {
        piece.stats.damage = Some(damage);
    }
    Ok(piece)
}

impl Scan {
    /// Takes in what a piece found, which follows on what was taken before.
    fn take(&mut self, piece: &Piece, position_base: u64, recording: &mut Recording) {
        self.stats.add(&piece.stats);
        self.chunks.extend_from_slice(&piece.chunks);
        let mut rest = piece.wanted_bytes.as_slice();
        for position in &piece.wanted {
            let Some(header) = RecordHeader::parse(rest, recording.order()) else {
                break;
            };
            let (record, after) = rest.split_at(usize::from(header.size));
            recording.absorb(
                position_base + position,
                header,
                record,
                &mut self.stats,
                &mut self.side_records,
            );
            rest = after;
        }
    }
}

/// Looks for a record boundary at `from` or later in `range`; it may be wrong.
fn guess_boundary(
    source: &Source,
    order: ByteOrder,
    from: u64,
    range: Range<u64>,
    block: &mut Vec<u8>,
) -> Result<Option<u64>, Error> {
    let len = usize::try_from(range.end - from)
        .unwrap_or(usize::MAX)
        .min(2 * GUESS_WINDOW);
    block.resize(len.max(block.len()), 0);
    source.read_exact_at(&mut block[..len], from)?;
    let window = &block[..len];
    // Records of plain files have sizes that are multiples of 8.
    let first = (range.start.wrapping_sub(from) % 8) as usize;
    Ok((first..len.min(GUESS_WINDOW))
        .step_by(8)
        .find(|&at| is_plausible(window, at, order))
        .map(|at| from + at as u64))
}

fn is_plausible(window: &[u8], mut at: usize, order: ByteOrder) -> bool {
    for _ in 0..PLAUSIBLE_HEADERS {
        let Some(header) = window.get(at..).and_then(|rest| RecordHeader::parse(rest, order)) else {
            // At the end of the section or beyond the window: nothing speaks against it.
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
