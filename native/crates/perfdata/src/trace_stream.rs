//! Makes samples of the trace in one buffer.

use std::collections::HashMap;
use std::sync::Arc;

use spe::{Address, Decoder, Record};

use crate::address::{Avma, Moment};
use crate::branch_stack::{BranchFlags, BranchStack, ENTRY_SIZE};
use crate::call_chain::CallChain;
use crate::error::Error;
use crate::record::CpuMode;
use crate::sample::Sample;
use crate::source::Source;
use crate::stats::TraceStats;
use crate::trace_clock::TraceClock;

/// Number of bytes that are read at once.
const BLOCK_SIZE: u64 = 256 << 10;

/// Bytes that were next to each other in the buffer.
#[derive(Debug)]
pub(crate) struct TracePart {
    pub(crate) source: Arc<Source>,
    /// Offset of the bytes in the source.
    pub(crate) at: u64,
    pub(crate) size: u64,
    /// Offset of the bytes in the buffer, which is taken for endless.
    pub(crate) offset: u64,
}

/// A stretch of the buffer that the CPU wrote without being stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceSection {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// True if the last record of the stretch may be cut off.
    pub(crate) has_gap: bool,
    /// Process that ran when the stretch ended; -1 if not recorded.
    pub(crate) pid: i32,
    pub(crate) tid: i32,
}

/// Facts that all buffers of a recording share.
#[derive(Debug)]
pub(crate) struct TraceContext {
    /// CPU, time, and the thread that began to run there; ascending.
    pub(crate) switches: Vec<(u32, u64, i32)>,
    /// Process id by thread id, for threads that are not the first thread of their process.
    pub(crate) processes: HashMap<i32, i32>,
    pub(crate) clock: Option<TraceClock>,
    /// Index of the event that the samples belong to.
    pub(crate) event: u16,
    pub(crate) period: u64,
    /// True if times order the changes of address spaces.
    pub(crate) timed: bool,
}

/// All bytes that the recording has of one buffer.
#[derive(Debug)]
pub(crate) struct TraceStream {
    pub(crate) parts: Vec<TracePart>,
    /// Stretches of the buffer, ascending.
    pub(crate) sections: Vec<TraceSection>,
    /// Number of the CPU; `u32::MAX` if the buffer belongs to a thread.
    pub(crate) cpu: u32,
    pub(crate) tid: Option<i32>,
    /// Position of the buffer's first record.
    pub(crate) position: u64,
    pub(crate) context: Arc<TraceContext>,
}

impl TraceStream {
    /// Returns the number of bytes of the buffer.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts
            .iter()
            .fold(0, |sum: u64, part| sum.saturating_add(part.size))
    }

    /// Decodes the trace and calls `sink` with a sample for each branch.
    pub(crate) fn decode(&self, block: &mut Vec<u8>, mut sink: impl FnMut(&Sample<'_>)) -> Result<TraceStats, Error> {
        let mut decoder = Decoder::new();
        let mut stats = TraceStats {
            pieces: self.parts.len() as u64,
            ..TraceStats::default()
        };
        let gaps: Vec<u64> = self
            .sections
            .iter()
            .filter(|section| section.has_gap)
            .map(|section| section.end)
            .collect();
        let mut next: u64 = 0;
        for part in &self.parts {
            // A snapshot may repeat bytes that the snapshot before had.
            let mut done = next.saturating_sub(part.offset).min(part.size);
            if part.offset > next {
                decoder.note_gap();
            }
            while done < part.size {
                let offset = part.offset.saturating_add(done);
                let gap = gaps.partition_point(|gap| *gap <= offset);
                let to_gap = gaps.get(gap).map_or(u64::MAX, |gap| gap - offset);
                let wanted = (part.size - done).min(BLOCK_SIZE).min(to_gap);
                block.resize(block.len().max(wanted as usize), 0);
                let bytes = &mut block[..wanted as usize];
                part.source.read_exact_at(bytes, part.at + done)?;
                decoder.feed(bytes, offset, |record, end| {
                    self.sample(record, end, &mut stats, &mut sink)
                });
                if wanted == to_gap {
                    decoder.note_gap();
                }
                done += wanted;
            }
            next = part.offset.saturating_add(part.size).max(next);
        }
        decoder.note_gap();
        stats.packets = decoder.stats();
        Ok(stats)
    }

    /// Makes a sample of a record, if the record is about a branch that was executed.
    fn sample(&self, record: &Record, end: u64, stats: &mut TraceStats, sink: &mut impl FnMut(&Sample<'_>)) {
        if !record.is_branch() {
            stats.other_operations += 1;
            return;
        }
        if !record.is_retired() {
            stats.not_retired += 1;
            return;
        }
        let (Some(pc), Some(target)) = (record.pc, record.target) else {
            stats.incomplete += 1;
            return;
        };
        stats.branches += 1;
        stats.not_taken += u64::from(record.is_not_taken());
        stats.with_previous_target += u64::from(record.previous_target.is_some());
        let context = &self.context;
        let time = context
            .clock
            .zip(record.timestamp)
            .map(|(clock, timer)| clock.time(timer));
        let (pid, tid) = self.thread(record, end, time);
        let (entries, count) = entries(record, pc, target);
        sink(&Sample {
            event: context.event,
            cpumode: match pc.exception_level {
                0 => CpuMode::User,
                1 | 2 => CpuMode::Kernel,
                _ => CpuMode::Unknown,
            },
            pid,
            tid,
            time: time.unwrap_or(0),
            moment: match (context.timed, time) {
                (false, _) => Moment(self.position),
                (true, Some(time)) => Moment(time),
                (true, None) => Moment::END,
            },
            cpu: self.cpu,
            ip: Avma(pc.virtual_address),
            exact: true,
            period: context.period,
            call_chain: CallChain::default(),
            branches: BranchStack::new(&entries.as_flattened()[..count * ENTRY_SIZE]),
            one_branch: true,
        });
    }

    /// Returns process and thread of a record. The sources, in this order: the record itself, the owner of the buffer,
    /// the thread that ran at that time, and the thread that ran when the stretch ended.
    fn thread(&self, record: &Record, end: u64, time: Option<u64>) -> (i32, i32) {
        let said = record.context.map(u32::cast_signed).or(self.tid);
        let tid = said.or_else(|| self.context.running(self.cpu, time?));
        if let Some(tid) = tid {
            return (self.context.processes.get(&tid).copied().unwrap_or(tid), tid);
        }
        let section = self.sections.partition_point(|section| section.end < end);
        match self.sections.get(section) {
            Some(section) if section.start < end => (section.pid, section.tid),
            _ => (-1, -1),
        }
    }
}

impl TraceContext {
    /// Returns the thread that ran on a CPU at a time.
    fn running(&self, cpu: u32, time: u64) -> Option<i32> {
        let behind = self
            .switches
            .partition_point(|(on, when, _)| (*on, *when) <= (cpu, time));
        let (on, _, tid) = self.switches[..behind].last()?;
        (*on == cpu).then_some(*tid)
    }
}

/// Makes a branch stack of the branch and, if it is known, the target of the branch before. The second entry has no
/// source.
fn entries(record: &Record, pc: Address, target: Address) -> ([[u8; ENTRY_SIZE]; 2], usize) {
    let flags = BranchFlags::of_one_branch(record.is_mispredicted(), record.is_not_taken());
    let entry = |from: u64, to: u64, flags: u64| {
        let mut bytes = [0; ENTRY_SIZE];
        for (place, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip([from, to, flags]) {
            *place = word.to_le_bytes();
        }
        bytes
    };
    let newest = entry(pc.virtual_address, target.virtual_address, flags.0);
    match record.previous_target {
        Some(previous) => ([newest, entry(0, previous.virtual_address, 0)], 2),
        None => ([newest, [0; ENTRY_SIZE]], 1),
    }
}
