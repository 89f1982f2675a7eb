//! Walking over the records of a file in blocks.

use crate::byte_order::ByteOrder;
use crate::error::Error;
use crate::record::{HEADER_SIZE, RecordHeader, trailing_payload};
use crate::source::Source;
use crate::stats::{Damage, DamageKind};

/// Bytes read at once: large enough to make system calls rare, small enough to stay in a core's L2 cache until the
/// records have been looked at. Must exceed the largest record (64 KiB).
const BLOCK_SIZE: usize = 256 << 10;

/// A stretch of a file to walk over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// Where the first record begins.
    pub(crate) start: u64,
    /// Records that begin here or later are not visited.
    pub(crate) stop: u64,
    /// No record reaches beyond.
    pub(crate) limit: u64,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalkEnd {
    /// The next record would begin here, at `stop` or later.
    Reached(u64),
    /// A compressed record begins here, which this walk cannot pass: its header's size may be wrong.
    Compressed(u64),
    /// There is no telling where the next record begins.
    Damaged(Damage),
}

/// Calls `visit` with position, header and bytes of each record, and says how far it came.
pub(crate) fn walk_records(
    source: &Source,
    order: ByteOrder,
    stretch: Stretch,
    block: &mut Vec<u8>,
    mut visit: impl FnMut(u64, RecordHeader, &[u8]),
) -> Result<WalkEnd, Error> {
    let Stretch { start, stop, limit } = stretch;
    let block_len = usize::try_from(limit - start).unwrap_or(usize::MAX).min(BLOCK_SIZE);
    block.resize(block.len().max(block_len), 0);
    let mut position = start;
    // The block holds the file's bytes from `block_start` on, `filled` of them.
    let mut block_start = start;
    let mut filled = 0;
    loop {
        // Visit the records that lie in the block as a whole.
        loop {
            if position >= stop {
                return Ok(WalkEnd::Reached(position));
            }
            let at = (position - block_start) as usize;
            let Some(rest) = block[..filled].get(at..) else { break };
            let Some(header) = RecordHeader::parse(rest, order) else {
                break;
            };
            if header.is_compressed() {
                return Ok(WalkEnd::Compressed(position));
            }
            if usize::from(header.size) < HEADER_SIZE {
                let kind = DamageKind::RecordTooSmall { size: header.size };
                return Ok(WalkEnd::Damaged(Damage { offset: position, kind }));
            }
            let Some(record) = rest.get(..usize::from(header.size)) else {
                break;
            };
            visit(position, header, record);
            let payload = trailing_payload(header, record, order);
            let after = position + u64::from(header.size);
            if payload > limit - after {
                let kind = DamageKind::PayloadCutOff {
                    size: payload,
                    left: limit - after,
                };
                return Ok(WalkEnd::Damaged(Damage { offset: after, kind }));
            }
            position = after + payload;
        }
        let at = usize::try_from(position - block_start).unwrap_or(usize::MAX);
        if block_start + filled as u64 >= limit {
            let rest = block[..filled].get(at..).unwrap_or(&[]);
            if is_perf_chatter(rest) {
                return Ok(WalkEnd::Reached(limit));
            }
            return Ok(WalkEnd::Damaged(cut_off(position, rest, order)));
        }
        // Keep the record that is only partly there, and read on behind it.
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

/// True for what perf tells its user at the end, which `perf record -o - 2>&1` puts behind the records. Nothing is
/// missing then.
pub(crate) fn is_perf_chatter(rest: &[u8]) -> bool {
    rest.starts_with(b"[ perf record:")
}

/// What is wrong with a rest that is no whole record.
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
