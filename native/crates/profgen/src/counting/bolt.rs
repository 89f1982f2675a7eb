//! Counts traces as BOLT does (LLVM: bolt/lib/Profile/DataAggregator.cpp). A trace is a branch entry, the run
//! after it, and how often the branch was mispredicted.
//!
//! The rules differ from those of a profile: each entry is paired with the next newer entry, wherever that
//! entry lies; addresses need not be instructions; and between entries of programs, entries of the kernel are
//! skipped.

use perfdata::{Avma, Branch};
use rustc_hash::FxHashMap;

use crate::account::ledger::{EntryClass, Ledger};
use crate::addresses::locate::{View, stronger};
use crate::binaries::code_space::{CodeOffset, CodeSpace, NO_END, OUTSIDE};
use crate::binaries::id::{BinaryId, ByBinary};
use crate::counting::stack::{EntryRules, is_wrong_path};
use crate::counting::trace_counts::Trace;
use elf::Svma;
use traceshard::KERNEL_START;

/// Stands for the source of the newer entry if the entry is the newest of its stack.
const NO_NEWER: u64 = u64::MAX;

/// Stands for the source of a run after a branch that was not recorded.
const NO_BRANCH: CodeOffset = NO_END;

/// What is known about a branch stack as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StackKind {
    pub rules: EntryRules,
    /// True if the stack is a record of Arm SPE: one sampled branch and, where the CPU records it, the target
    /// of the branch before, whose source is not known.
    pub one_branch: bool,
}

/// Number of slots of the cache, as in [`TraceTable`](crate::counting::trace::TraceTable).
const SLOTS: usize = 1 << 12;

/// Numbers of executions and of mispredictions of a branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub count: u64,
    pub mispredictions: u64,
}

impl Taken {
    pub(crate) fn add(&mut self, other: Self) {
        self.count = self.count.wrapping_add(other.count);
        self.mispredictions = self.mispredictions.wrapping_add(other.mispredictions);
    }
}

/// A branch of a binary, and the last instruction of the run after it, if that is known and in the same
/// binary. An end of the branch that is not in the binary is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BoltTrace {
    pub from: Option<Svma>,
    pub to: Option<Svma>,
    pub end: Option<Svma>,
    /// True if no branch was recorded, but only the run from `to` to `end`.
    pub is_run: bool,
}

/// The traces of a binary, in ascending order.
pub(crate) type TargetTraces = Vec<(BoltTrace, Taken)>;

#[derive(Clone, Copy)]
struct Slot {
    from: u64,
    to: u64,
    newer: u64,
    view: u16,
    count: u16,
    mispredictions: u16,
    found: Found,
}

#[derive(Clone, Copy)]
enum Found {
    Counted(Trace),
    /// A run after a branch that was not recorded, if the run is not in one target. It is no entry.
    NoRun,
    Lost(EntryClass),
}

const EMPTY: Slot = Slot {
    from: 0,
    to: 0,
    newer: 0,
    view: 0,
    count: 0,
    mispredictions: 0,
    found: Found::Lost(EntryClass::Unmapped),
};

/// Counts of traces, with a direct-mapped cache of raw addresses in front.
pub(crate) struct BoltTraces {
    slots: Box<[Slot; SLOTS]>,
    counts: FxHashMap<Trace, Taken>,
    ledger: Ledger,
}

impl BoltTraces {
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            counts: FxHashMap::default(),
            ledger: Ledger::default(),
        }
    }

    /// Counts the entries of a stack, the newest first. Their addresses belong to the view with this number.
    pub(crate) fn count(
        &mut self,
        branches: impl Iterator<Item = Branch>,
        view: &mut View<'_>,
        number: u16,
        kind: StackKind,
    ) {
        let rules = kind.rules;
        // The source of the newer entry: among all entries, and among those with no end in the kernel.
        let (mut newer_of_all, mut newer_of_programs) = (NO_NEWER, NO_NEWER);
        for branch in branches {
            if is_wrong_path(branch, rules) {
                self.ledger.add(EntryClass::WrongPath, 1);
                continue;
            }
            let (from, to) = (branch.from.0, branch.to.0);
            let mut newer = std::mem::replace(&mut newer_of_all, from);
            if from.max(to) < KERNEL_START {
                newer = std::mem::replace(&mut newer_of_programs, from);
            }
            let slot = &mut self.slots[slot_of(from, to, newer, number)];
            let holds = slot.from == from && slot.to == to && slot.newer == newer && slot.view == number;
            if !holds || slot.count.wrapping_sub(1) >= u16::MAX - 1 {
                let found = find(branch, newer, view, kind);
                let filled = Slot {
                    from,
                    to,
                    newer,
                    view: number,
                    count: 0,
                    mispredictions: 0,
                    found,
                };
                let replaced = std::mem::replace(slot, filled);
                settle(&mut self.counts, &mut self.ledger, replaced);
            }
            slot.count += 1;
            slot.mispredictions += u16::from(branch.flags.mispredicted());
        }
    }

    /// Counts a branch whose ends are already located, and the end of the run after it.
    pub(crate) fn add(&mut self, ends: [Result<CodeOffset, EntryClass>; 2], end: Option<CodeOffset>, taken: Taken) {
        book(&mut self.counts, &mut self.ledger, found(ends, end), taken);
    }

    /// Counts a run after a branch that was not recorded.
    pub(crate) fn add_run(&mut self, start: CodeOffset, end: CodeOffset, count: u64) {
        let trace = Trace {
            from: NO_BRANCH,
            to: start,
            end,
        };
        let taken = Taken {
            count,
            mispredictions: 0,
        };
        book(&mut self.counts, &mut self.ledger, Found::Counted(trace), taken);
    }

    /// Empties the cache. The caller does so before numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        for slot in self.slots.iter_mut() {
            let replaced = std::mem::replace(slot, EMPTY);
            settle(&mut self.counts, &mut self.ledger, replaced);
        }
    }

    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        self.ledger += &other.ledger;
        for (trace, taken) in other.counts {
            self.counts.entry(trace).or_default().add(taken);
        }
    }

    /// Returns the traces of each target, and the ledger of all entries.
    pub(crate) fn into_traces(mut self, space: &CodeSpace) -> (ByBinary<TargetTraces>, Ledger) {
        self.flush();
        let mut rows: ByBinary<FxHashMap<[u64; 3], (BoltTrace, Taken)>> = ByBinary::new();
        for (trace, taken) in self.counts {
            let owner = |offset: CodeOffset| (offset < NO_END).then(|| space.owner(offset));
            let (from, to, end) = (owner(trace.from), owner(trace.to), owner(trace.end));
            let owners = [from, to].map(|owner| owner.map(|region| region.binary));
            let distinct = owners.into_iter().enumerate().filter_map(|(index, owner)| {
                let is_first = index == 0 || owners[0] != owner;
                owner.filter(|_| is_first)
            });
            for binary in distinct {
                let own = |region: Option<&_>, offset| own_address(region, offset, binary);
                let to = own(to, trace.to);
                let row = BoltTrace {
                    from: own(from, trace.from),
                    to,
                    // A run that ends in another file does not count.
                    end: to.and_then(|_| own(end, trace.end)),
                    is_run: trace.from == NO_BRANCH,
                };
                if row.is_run && row.end.is_none() {
                    continue;
                }
                let mut key = [row.from, row.to, row.end].map(|end| end.map_or(u64::MAX, |end| end.0));
                if row.is_run {
                    key[0] = u64::MAX - 1;
                }
                let counted = rows
                    .entry(binary)
                    .or_default()
                    .entry(key)
                    .or_insert((row, Taken::default()));
                counted.1.add(taken);
            }
        }
        let sorted = rows.into_iter().map(|(binary, rows)| {
            let mut rows: TargetTraces = rows.into_values().collect();
            rows.sort_unstable_by_key(|(trace, _)| *trace);
            (binary, rows)
        });
        (sorted.collect(), self.ledger)
    }
}

fn own_address(
    region: Option<&crate::binaries::code_space::Region>,
    offset: CodeOffset,
    binary: BinaryId,
) -> Option<Svma> {
    region
        .filter(|region| region.binary == binary)
        .map(|region| region.svma(offset))
}

fn settle(counts: &mut FxHashMap<Trace, Taken>, ledger: &mut Ledger, slot: Slot) {
    if slot.count == 0 {
        return;
    }
    let taken = Taken {
        count: u64::from(slot.count),
        mispredictions: u64::from(slot.mispredictions),
    };
    book(counts, ledger, slot.found, taken);
}

fn book(counts: &mut FxHashMap<Trace, Taken>, ledger: &mut Ledger, found: Found, taken: Taken) {
    match found {
        Found::NoRun => {}
        Found::Counted(trace) => {
            if trace.from != NO_BRANCH {
                ledger.add(EntryClass::Used, taken.count);
            }
            counts.entry(trace).or_default().add(taken);
        }
        Found::Lost(class) => ledger.add(class, taken.count),
    }
}

#[cold]
fn find(branch: Branch, newer: u64, view: &mut View<'_>, kind: StackKind) -> Found {
    if kind.rules.is_unfilled(branch) {
        return Found::Lost(EntryClass::UnfilledSlot);
    }
    if kind.one_branch && branch.from.0 == 0 {
        return match (view.locate_byte(branch.to), view.locate_byte(Avma(newer))) {
            (Ok(to), Ok(end)) => Found::Counted(Trace {
                from: NO_BRANCH,
                to,
                end,
            }),
            _ => Found::NoRun,
        };
    }
    let touches_kernel = branch.from.0.max(branch.to.0) >= KERNEL_START;
    let mut locate = |end: Avma| {
        // A branch into or out of the kernel belongs to no program.
        if touches_kernel && end.0 < KERNEL_START {
            Err(EntryClass::OutsideBinary)
        } else {
            view.locate_byte(end)
        }
    };
    let ends = [locate(branch.from), locate(branch.to)];
    let end = (newer != NO_NEWER)
        .then(|| view.locate_byte(Avma(newer)).ok())
        .flatten();
    found(ends, end)
}

/// Returns a branch with these ends, and the end of the run after it.
fn found([from, to]: [Result<CodeOffset, EntryClass>; 2], end: Option<CodeOffset>) -> Found {
    match (from, to) {
        (Err(from), Err(to)) => Found::Lost(stronger(from, to)),
        _ => Found::Counted(Trace {
            from: from.unwrap_or(OUTSIDE),
            to: to.unwrap_or(OUTSIDE),
            end: end.unwrap_or(NO_END),
        }),
    }
}

#[inline]
fn slot_of(from: u64, to: u64, newer: u64, view: u16) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let mixed = from ^ to.rotate_left(23) ^ newer.rotate_left(41) ^ u64::from(view);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}
