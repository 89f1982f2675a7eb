//! Decodes the trace of one buffer.

use spe::{Decoder, Record};

use crate::address::Moment;
use crate::error::Error;
use crate::source::Source;
use crate::stats::TraceStats;
use crate::trace_chunk::{SampledBranch, SampledBranches};
use crate::trace_facts::TraceFacts;
use crate::trace_sections::Owner;

/// Number of bytes that are read at once.
const BLOCK_SIZE: u64 = 256 << 10;

/// Bytes that were next to each other in the buffer.
#[derive(Debug)]
pub(crate) struct TracePart<'a> {
    pub(crate) source: &'a Source,
    /// Offset of the bytes in the source.
    pub(crate) at: u64,
    pub(crate) size: u64,
    /// Offset of the bytes in the buffer, which is taken for endless.
    pub(crate) offset: u64,
}

/// A buffer, decoded up to some offset.
#[derive(Debug)]
pub(crate) struct TraceBuffer {
    decoder: Decoder,
    /// Offset in the buffer of the first byte that is not decoded.
    pub(crate) next: u64,
    /// Position of the buffer's first record.
    position: u64,
    /// Time up to which the buffer is decoded, in nanoseconds of the recording's clock.
    pub(crate) reached: u64,
}

/// How samples are made of a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoding<'a> {
    pub(crate) owner: Owner,
    pub(crate) facts: &'a TraceFacts,
    /// True if times order the changes of address spaces.
    pub(crate) timed: bool,
}

impl TraceBuffer {
    pub(crate) fn new(position: u64) -> Self {
        Self {
            decoder: Decoder::new(),
            next: 0,
            position,
            reached: 0,
        }
    }

    /// Decodes the next parts of the buffer. Returns a sample for each branch.
    pub(crate) fn decode(
        &mut self,
        parts: &[TracePart<'_>],
        how: Decoding<'_>,
        stats: &mut TraceStats,
    ) -> Result<SampledBranches, Error> {
        let mut branches = SampledBranches::default();
        let mut block = Vec::new();
        let (owner, sections) = (how.owner, &how.facts.sections);
        for part in parts {
            // A snapshot may repeat bytes that the snapshot before had.
            let mut done = self.next.saturating_sub(part.offset).min(part.size);
            if part.offset > self.next {
                self.decoder.note_gap();
            }
            while done < part.size {
                let offset = part.offset.saturating_add(done);
                let to_gap = sections.next_gap(owner, offset).map_or(u64::MAX, |gap| gap - offset);
                let wanted = (part.size - done).min(BLOCK_SIZE).min(to_gap);
                block.resize(block.len().max(wanted as usize), 0);
                let bytes = &mut block[..wanted as usize];
                part.source.read_exact_at(bytes, part.at + done)?;
                let (reached, position) = (&mut self.reached, self.position);
                self.decoder.feed(bytes, offset, |record, end| {
                    if let Some(branch) = counted(record, stats) {
                        branches.push(placed(branch, record, end, position, how, reached));
                    }
                });
                if wanted == to_gap {
                    self.decoder.note_gap();
                }
                done += wanted;
            }
            self.next = part.offset.saturating_add(part.size).max(self.next);
        }
        // The next records are of later stretches.
        let done = sections.last_before(owner, self.next);
        self.reached = done.map_or(0, |stretch| stretch.time).max(self.reached);
        stats.packets.add(self.decoder.take_stats());
        Ok(branches)
    }

    /// Ends the buffer. A record that has begun has no end.
    pub(crate) fn end(mut self, stats: &mut TraceStats) {
        self.decoder.note_gap();
        stats.packets.add(self.decoder.take_stats());
    }

    /// Returns the earliest moment of a sample that is still to come.
    pub(crate) fn earliest(&self, timed: bool) -> Moment {
        Moment(if timed { self.reached } else { self.position })
    }
}

/// Counts a record. Returns a sample if the record is about a branch that was executed.
fn counted(record: &Record, stats: &mut TraceStats) -> Option<SampledBranch> {
    if !record.is_branch() {
        stats.other_operations += 1;
        return None;
    }
    if !record.is_retired() {
        stats.not_retired += 1;
        return None;
    }
    let (Some(pc), Some(target)) = (record.pc, record.target) else {
        stats.incomplete += 1;
        return None;
    };
    stats.branches += 1;
    stats.not_taken += u64::from(record.is_not_taken());
    stats.with_previous_target += u64::from(record.previous_target.is_some());
    Some(SampledBranch::of(record, pc, target))
}

/// Adds the thread and the moment of a sample. A record without a time was made before the end of its stretch.
fn placed(
    branch: SampledBranch,
    record: &Record,
    end: u64,
    position: u64,
    how: Decoding<'_>,
    reached: &mut u64,
) -> SampledBranch {
    let facts = how.facts;
    let time = record.timestamp.and_then(|timer| facts.time(timer));
    let stretch = facts.sections.of_record(how.owner, end);
    let latest = time.or(stretch.map(|stretch| stretch.time).filter(|time| *time > 0));
    *reached = time.unwrap_or(0).max(*reached);
    // The sources of the thread, in this order: the record itself, the owner of the buffer, the thread that ran at that
    // time, and the thread that ran when the stretch ended.
    let said = record.context.map(u32::cast_signed).or(how.owner.thread());
    let running = || match how.owner {
        Owner::Cpu(cpu) => facts.running(cpu, time?),
        Owner::Thread(_) => None,
    };
    let (pid, tid) = match (said.or_else(running), stretch) {
        (Some(tid), _) => (facts.process_of(tid, latest.unwrap_or(u64::MAX)), tid),
        (None, Some(stretch)) => (stretch.pid, stretch.tid),
        (None, None) => (-1, -1),
    };
    SampledBranch {
        pid,
        tid,
        time: time.unwrap_or(0),
        moment: match (how.timed, latest) {
            (false, _) => Moment(position),
            (true, Some(latest)) => Moment(latest),
            (true, None) => Moment::END,
        },
        ..branch
    }
}
