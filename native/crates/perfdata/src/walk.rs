//! Walks over the records of a file in blocks.

use crate::byte_order::ByteOrder;
use crate::error::Error;
use crate::record::{HEADER_SIZE, RecordHeader, Run, TRAILER_PEEK, peeks_behind, record_type, trailing_payload};
use crate::source::Source;
use crate::stats::{Damage, DamageKind};

/// Number of bytes read at once: large enough to make system calls rare, small enough to stay in a core's L2 cache
/// until the records have been read. Must exceed the size of the largest record (64 KiB).
const BLOCK_SIZE: usize = 256 << 10;

/// A stretch of a file to walk over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// Offset of the first record that has not been visited.
    pub(crate) start: u64,
    /// Offset from which on records are not visited.
    pub(crate) stop: u64,
    /// Offset beyond which no record reaches.
    pub(crate) limit: u64,
}

/// The end of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalkEnd {
    /// The next record would begin at this offset, which is `stop` or later.
    Reached(u64),
    /// A compressed record begins at this offset. The walk cannot pass it, because the size in its header may be
    /// wrong.
    Compressed(u64),
    /// Damage hides where the next record begins.
    Damaged(Damage),
}

/// Visits the records that lie in `block` as a whole, from `position` on, in runs. `block` holds the bytes from
/// `block_start` on. Moves `position` after the visited records. Returns `None` if more bytes are needed.
#[inline]
pub(crate) fn walk_block(
    block: &[u8],
    block_start: u64,
    order: ByteOrder,
    Stretch {
        start: position,
        stop,
        limit,
    }: &mut Stretch,
    mut visit: impl FnMut(u64, Run<'_>),
) -> Option<WalkEnd> {
    loop {
        if *position >= *stop {
            return Some(WalkEnd::Reached(*position));
        }
        let rest = block.get((*position - block_start) as usize..)?;
        let header = RecordHeader::parse(rest, order)?;
        // Most records are samples with equal headers, and the walk needs only the size of a sample.
        let is_sample = header.record_type == record_type::SAMPLE;
        if !is_sample && header.is_compressed() {
            return Some(WalkEnd::Compressed(*position));
        }
        if usize::from(header.size) < HEADER_SIZE {
            let kind = DamageKind::RecordTooSmall { size: header.size };
            return Some(WalkEnd::Damaged(Damage {
                offset: *position,
                kind,
            }));
        }
        let (record, behind) = rest.split_at_checked(usize::from(header.size))?;
        if is_sample {
            let run = Run::at_start(header, rest, *stop - *position);
            visit(*position, run);
            *position += run.bytes.len() as u64;
            continue;
        }
        let after = *position + u64::from(header.size);
        if peeks_behind(header) && (behind.len() as u64) < (TRAILER_PEEK as u64).min(*limit - after) {
            return None;
        }
        visit(*position, Run::of_one(header, record));
        let behind = &behind[..behind.len().min(usize::try_from(*limit - after).unwrap_or(usize::MAX))];
        let payload = trailing_payload(header, record, behind, order);
        if payload > *limit - after {
            let kind = DamageKind::PayloadCutOff {
                size: payload,
                left: *limit - after,
            };
            return Some(WalkEnd::Damaged(Damage { offset: after, kind }));
        }
        *position = after + payload;
    }
}

/// Returns the end of a walk whose input ends at or before `limit`, with the bytes `rest` after the last whole
/// record.
pub(crate) fn end_of_records(position: u64, limit: u64, rest: &[u8], order: ByteOrder) -> WalkEnd {
    if is_perf_chatter(rest) {
        WalkEnd::Reached(limit)
    } else {
        WalkEnd::Damaged(cut_off(position, rest, order))
    }
}

/// Calls `visit` with position and bytes of each run of records, and returns how the walk ended.
pub(crate) fn walk_records(
    source: &Source,
    order: ByteOrder,
    mut stretch: Stretch,
    block: &mut Vec<u8>,
    mut visit: impl FnMut(u64, Run<'_>),
) -> Result<WalkEnd, Error> {
    let Stretch { start, limit, .. } = stretch;
    let block_len = usize::try_from(limit - start).unwrap_or(usize::MAX).min(BLOCK_SIZE);
    block.resize(block.len().max(block_len), 0);
    // The block holds the file's bytes from `block_start` on, `filled` bytes in all.
    let mut block_start = start;
    let mut filled = 0;
    loop {
        if let Some(end) = walk_block(&block[..filled], block_start, order, &mut stretch, &mut visit) {
            return Ok(end);
        }
        let position = stretch.start;
        let at = usize::try_from(position - block_start).unwrap_or(usize::MAX);
        if block_start + filled as u64 >= limit {
            let rest = block[..filled].get(at..).unwrap_or(&[]);
            return Ok(end_of_records(position, limit, rest, order));
        }
        // The part of a record at the end of the block is kept, and its rest is read after it.
        let kept = filled.saturating_sub(at);
        if kept > 0 {
            block.copy_within(at..filled, 0);
        }
        block_start = position;
        let wanted = usize::try_from(limit - position).unwrap_or(usize::MAX).min(block_len);
        source.read_exact_at(&mut block[kept..wanted], block_start + kept as u64)?;
        filled = wanted;
    }
}

/// Returns true for the message that perf prints to its user at the end. `perf record -o - 2>&1` puts this message
/// after the records. No record is missing then.
pub(crate) fn is_perf_chatter(rest: &[u8]) -> bool {
    rest.starts_with(b"[ perf record:")
}

/// Returns the damage for bytes at the end that are not a whole record.
pub(crate) fn cut_off(offset: u64, rest: &[u8], order: ByteOrder) -> Damage {
    let left = rest.len() as u64;
    let kind = match RecordHeader::parse(rest, order) {
        Some(header) => DamageKind::RecordCutOff {
            size: u64::from(header.size),
            left,
        },
        None => DamageKind::HeaderCutOff { left },
    };
    Damage { offset, kind }
}
