//! Samples of events.

use crate::address::{Avma, Moment};
use crate::branch_stack::{BranchStack, ENTRY_SIZE, normalise_entries};
use crate::byte_order::ByteOrder;
use crate::call_chain::CallChain;
use crate::record::{CpuMode, RecordHeader, misc};
use crate::sample_layout::SampleLayout;

/// One sample, with the fields that a branch profile needs.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Index of the sample's event in [`crate::Metadata::attrs`].
    pub event: u16,
    /// Mode of the CPU at `ip`. Entries of the branch stack may belong to another mode.
    pub cpumode: CpuMode,
    /// Process id; -1 if not recorded.
    pub pid: i32,
    /// Thread id; -1 if not recorded.
    pub tid: i32,
    /// Time of the sample, in nanoseconds of the recording's clock; 0 if not recorded.
    pub time: u64,
    /// Place of the sample among the changes of the address spaces.
    pub moment: Moment,
    /// Number of the CPU; `u32::MAX` if not recorded.
    pub cpu: u32,
    /// Instruction pointer; 0 if not recorded.
    pub ip: Avma,
    /// True if `ip` is the sampled instruction itself (PEBS, IBS). Otherwise `ip` may be an instruction that was
    /// executed later.
    pub exact: bool,
    /// Number of events that the sample stands for: the sample's own period, or that of its event.
    pub period: u64,
    /// The call chain; empty if the event has none.
    pub call_chain: CallChain<'a>,
    /// The branch stack; empty if the event has none.
    pub branches: BranchStack<'a>,
    /// True if the branch stack is one sampled branch and not a history of branches, as in Arm SPE. The sampled branch
    /// is the first entry, which need not have been [taken](crate::BranchFlags::not_taken). A second entry has the
    /// source 0. Its target is the beginning of the straight-line range that ends with the sampled branch.
    pub one_branch: bool,
}

impl<'a> Sample<'a> {
    /// Decodes a SAMPLE record by the layout of its event. Returns `None` if the record is too short for the layout.
    ///
    /// Entries of a big-endian file are converted into `scratch`. Other entries are used where they are.
    #[inline]
    pub(crate) fn decode(
        record: &'a [u8],
        header: RecordHeader,
        event: u16,
        layout: &SampleLayout,
        order: ByteOrder,
        scratch: &'a mut Vec<u8>,
    ) -> Option<Self> {
        if record.len() < layout.fixed_end {
            return None;
        }
        let word = |at: Option<usize>, absent: u64| at.and_then(|at| order.u64(record, at)).unwrap_or(absent);
        let half = |at: Option<usize>, half: usize| at.and_then(|at| order.u32(record, at + half)).unwrap_or(u32::MAX);
        let branches = if layout.branch_stack {
            let entries = branch_entries(record, layout, order)?;
            match order {
                ByteOrder::Little => BranchStack::new(entries),
                ByteOrder::Big => {
                    scratch.clear();
                    normalise_entries(entries, order, scratch);
                    BranchStack::new(scratch)
                }
            }
        } else {
            BranchStack::default()
        };
        Some(Self {
            event,
            cpumode: CpuMode::of(header.misc),
            pid: half(layout.tid, 0) as i32,
            tid: half(layout.tid, 4) as i32,
            time: word(layout.time, 0),
            moment: Moment::END,
            cpu: half(layout.cpu, 0),
            ip: Avma(word(layout.ip, 0)),
            exact: header.misc & misc::EXACT_IP != 0,
            period: word(layout.period, layout.default_period),
            call_chain: layout.call_chain(record, order)?,
            branches,
            one_branch: layout.made_of_trace && is_one_branch(branches),
        })
    }
}

/// Returns true for a branch stack that perf 6.16 and later make of a record of Arm SPE. If the CPU does not record
/// the target of the branch before, a taken branch looks like the beginning of a history.
fn is_one_branch(branches: BranchStack<'_>) -> bool {
    let Some(newest) = branches.get(0) else { return false };
    match branches.get(1) {
        None => newest.flags.not_taken(),
        Some(before) => branches.len() == 2 && before.from.0 == 0 && before.to.0 != 0,
    }
}

/// Returns the bytes of the entries. The record has u64 nr, u64 hw_idx if the event asks for it, and nr entries.
#[inline]
fn branch_entries<'a>(record: &'a [u8], layout: &SampleLayout, order: ByteOrder) -> Option<&'a [u8]> {
    let at = layout.branch_stack_at(record, order)?;
    let count = order.u64(record, at)?;
    if count == 0 {
        // A kernel whose PMU delivered nothing writes only a zero, without hw_idx.
        return Some(&[]);
    }
    let rest = record.get(at + if layout.hw_index { 16 } else { 8 }..)?;
    let count = usize::try_from(count)
        .ok()
        .filter(|&count| count <= rest.len() / ENTRY_SIZE)?;
    Some(&rest[..count * ENTRY_SIZE])
}
