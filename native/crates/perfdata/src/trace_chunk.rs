//! Samples that were made of a trace.

use spe::{Address, Record};

use crate::address::{Avma, Moment};
use crate::branch_stack::{BranchFlags, BranchStack, ENTRY_SIZE};
use crate::call_chain::CallChain;
use crate::record::CpuMode;
use crate::sample::Sample;
use crate::stats::TraceStats;

/// Number of samples that one thread counts at a time.
const CHUNK: usize = 1 << 15;

/// A branch of a trace, and where and when it was executed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampledBranch {
    pub(crate) pid: i32,
    pub(crate) tid: i32,
    /// Time in nanoseconds of the recording's clock; 0 if not known.
    pub(crate) time: u64,
    pub(crate) moment: Moment,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Target of the taken branch before.
    pub(crate) previous_target: Option<u64>,
    pub(crate) flags: BranchFlags,
    pub(crate) cpumode: CpuMode,
}

/// The samples of one buffer, in parts that threads count one by one.
#[derive(Debug, Default)]
pub(crate) struct SampledBranches(Vec<Vec<SampledBranch>>);

/// Facts about the samples of one buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkFacts {
    /// Number of the CPU; `u32::MAX` if the buffer belongs to a thread.
    pub(crate) cpu: u32,
    /// Index of the event that the samples belong to.
    pub(crate) event: u16,
    pub(crate) period: u64,
    /// Number of bytes of the trace that the chunk was made of.
    pub(crate) bytes: u64,
    pub(crate) stats: TraceStats,
}

/// Samples of one buffer.
#[derive(Debug)]
pub(crate) struct TraceChunk {
    branches: Vec<SampledBranch>,
    facts: ChunkFacts,
}

impl SampledBranches {
    pub(crate) fn push(&mut self, branch: SampledBranch) {
        match self.0.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(branch),
            _ => self.0.push(vec![branch]),
        }
    }
}

impl SampledBranch {
    /// Makes a sample of a record about a branch. `at` is the address of the branch, and `target` where it went.
    pub(crate) fn of(record: &Record, at: Address, target: Address) -> Self {
        Self {
            pid: -1,
            tid: -1,
            time: 0,
            moment: Moment::END,
            from: at.virtual_address,
            to: target.virtual_address,
            previous_target: record.previous_target.map(|previous| previous.virtual_address),
            flags: BranchFlags::of_one_branch(record.is_mispredicted(), record.is_not_taken()),
            cpumode: match at.exception_level {
                0 => CpuMode::User,
                1 | 2 => CpuMode::Kernel,
                _ => CpuMode::Unknown,
            },
        }
    }

    /// Returns a branch stack of the branch and, if it is known, the target of the branch before. The second entry has
    /// no source.
    fn entries(&self) -> ([[u8; ENTRY_SIZE]; 2], usize) {
        let entry = |from: u64, to: u64, flags: u64| {
            let mut bytes = [0; ENTRY_SIZE];
            for (place, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip([from, to, flags]) {
                *place = word.to_le_bytes();
            }
            bytes
        };
        let newest = entry(self.from, self.to, self.flags.0);
        match self.previous_target {
            Some(previous) => ([newest, entry(0, previous, 0)], 2),
            None => ([newest, [0; ENTRY_SIZE]], 1),
        }
    }
}

impl TraceChunk {
    /// Makes chunks of the samples of a buffer. The last one has the counts.
    pub(crate) fn of(branches: SampledBranches, facts: ChunkFacts) -> Vec<Self> {
        let mut chunks: Vec<Self> = branches
            .0
            .into_iter()
            .map(|branches| Self {
                branches,
                facts: ChunkFacts {
                    bytes: 0,
                    stats: TraceStats::default(),
                    ..facts
                },
            })
            .collect();
        match chunks.last_mut() {
            Some(last) => last.facts = facts,
            None => chunks.push(Self {
                branches: Vec::new(),
                facts,
            }),
        }
        chunks
    }

    /// Returns the number of bytes of the trace that are counted for the chunk.
    pub(crate) fn bytes(&self) -> u64 {
        self.facts.bytes
    }

    /// Calls `sink` with each sample.
    pub(crate) fn decode(&self, mut sink: impl FnMut(&Sample<'_>)) -> TraceStats {
        let facts = self.facts;
        for branch in &self.branches {
            let (entries, count) = branch.entries();
            sink(&Sample {
                event: facts.event,
                cpumode: branch.cpumode,
                pid: branch.pid,
                tid: branch.tid,
                time: branch.time,
                moment: branch.moment,
                cpu: facts.cpu,
                ip: Avma(branch.from),
                exact: true,
                period: facts.period,
                call_chain: CallChain::default(),
                branches: BranchStack::new(&entries.as_flattened()[..count * ENTRY_SIZE]),
                one_branch: true,
            });
        }
        facts.stats
    }
}
