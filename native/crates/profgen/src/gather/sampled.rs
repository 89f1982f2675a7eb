//! Counts samples without a branch stack: sampled addresses, the calls on their call chains, and branches that
//! were sampled by themselves (Arm SPE).

use perfdata::{Avma, Sample};
use rustc_hash::FxHashMap;
use traceshard::{KERNEL_START, Loss};

use crate::gather::files::FileId;
use crate::gather::rows::{Counts, EventId, Place, Tally};
use crate::gather::spots::{Spot, Spots};

/// Number of slots of the cache. The same addresses are sampled again and again.
const SLOTS: usize = 1 << 12;

/// The kind of fact that a row states, with the keys that only this kind has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fact {
    /// A sampled address. `exact` is true if it is the sampled instruction itself.
    Address { exact: bool },
    /// A call on a call chain.
    Call,
    /// A branch that was sampled by itself.
    Branch {
        taken: bool,
        /// True if the CPU did not record where the branch before went.
        newest: bool,
        /// Target of the branch before, if it is in the file that the sampled branch is in.
        run_start: Place,
        /// True if one end of the branch is in the kernel, and the other is not.
        crosses_kernel: bool,
    },
}

/// A row without a branch stack. The columns of the shard document the meaning of the places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SampledKey {
    pub file: FileId,
    pub event: EventId,
    pub fact: Fact,
    pub from: Place,
    pub to: Place,
}

/// Rows without branch stacks, each once.
#[derive(Debug, Default)]
pub(crate) struct SampledRows(FxHashMap<SampledKey, Counts>);

impl SampledRows {
    fn add(&mut self, key: SampledKey, counts: Counts) {
        self.0.entry(key).or_default().add(counts);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets the sampled addresses and the calls on their call chains.
    pub(crate) fn forget_addresses(&mut self) {
        self.0.retain(|key, _| matches!(key.fact, Fact::Branch { .. }));
    }

    /// Moves the rows of `other` to these rows.
    pub(crate) fn take(&mut self, other: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, other);
        }
        for (key, counts) in other.0.drain() {
            self.add(key, counts);
        }
    }

    /// Returns the file of each row, and its count.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (FileId, u64)> {
        self.0.iter().map(|(key, counts)| (key.file, counts.count))
    }

    /// Returns all rows, in no particular order.
    pub(crate) fn into_rows(self) -> Vec<(SampledKey, Counts)> {
        self.0.into_iter().collect()
    }
}

/// A slot of the cache.
#[derive(Clone, Copy)]
struct Slot {
    address: u64,
    spot: Spot,
    count: u32,
    event: EventId,
    /// Number of the view of the address space.
    view: u16,
    exact: bool,
}

const EMPTY: Slot = Slot {
    address: 0,
    spot: Spot::Elsewhere(Loss::Unmapped),
    count: 0,
    event: 0,
    view: 0,
    exact: false,
};

/// Counts of samples without a branch stack, with a direct-mapped cache of raw addresses in front.
#[derive(Default)]
pub(crate) struct SampledTable {
    /// The cache. It is made on first use, because most recordings have branch stacks.
    slots: Box<[Slot]>,
    rows: SampledRows,
    tally: Tally,
}

impl SampledTable {
    /// Counts the address of a sample, and the calls of its call chain. `view` is the number of the view `spots`.
    pub(crate) fn add_address(&mut self, sample: &Sample<'_>, event: EventId, spots: &mut Spots, view: u16) {
        if self.slots.is_empty() {
            self.slots = vec![EMPTY; SLOTS].into_boxed_slice();
        }
        self.tally.add(Loss::Addresses, 1);
        let (address, exact) = (sample.ip.0, sample.exact);
        let slot = &mut self.slots[slot_of(address, exact, event, view)];
        let holds = slot.address == address && slot.view == view && slot.event == event && slot.exact == exact;
        if holds && slot.count.wrapping_sub(1) < u32::MAX - 1 {
            slot.count += 1;
        } else {
            let filled = Slot {
                address,
                spot: spots.find(sample.ip),
                count: 1,
                event,
                view,
                exact,
            };
            let replaced = std::mem::replace(slot, filled);
            self.settle(replaced);
        }
        let mut inside = None;
        for address in sample.call_chain.addresses() {
            let spot = spots.find(Avma(address));
            if let Some(Spot::In((file, _), inside)) = inside {
                self.add_call(file, event, spot, inside);
            }
            inside = Some(spot);
        }
    }

    fn add_call(&mut self, file: FileId, event: EventId, returns_to: Spot, inside: u64) {
        let from = match returns_to {
            Spot::In((of_caller, _), address) if of_caller == file => Some(address),
            _ => None,
        };
        let key = SampledKey {
            file,
            event,
            fact: Fact::Call,
            from: Place::new(from),
            to: Place::new(Some(inside)),
        };
        self.rows.add(key, Counts::times(1));
    }

    /// Counts a sample that is one branch.
    pub(crate) fn add_branch(&mut self, sample: &Sample<'_>, event: EventId, spots: &mut Spots) {
        let Some(branch) = sample.branches.get(0) else { return };
        let before = sample.branches.get(1);
        let taken = !branch.flags.not_taken();
        if !taken && before.is_some() {
            self.tally.add(Loss::NotTaken, 1);
            return;
        }
        let (from, to) = (spots.find(branch.from), spots.find(branch.to));
        let start = before.map(|before| spots.find(before.to));
        let [low, high] = [branch.from.0.min(branch.to.0), branch.from.0.max(branch.to.0)];
        let counts = Counts {
            count: 1,
            mispredicted: u64::from(branch.flags.mispredicted()),
        };
        let mut add = |file: FileId, from: Option<u64>, to: Option<u64>| {
            let run_start = match start {
                Some(Spot::In((of_start, _), address)) if of_start == file && from.is_some() => Some(address),
                _ => None,
            };
            let key = SampledKey {
                file,
                event,
                fact: Fact::Branch {
                    taken,
                    newest: before.is_none(),
                    run_start: Place::new(run_start),
                    crosses_kernel: low < KERNEL_START && high >= KERNEL_START,
                },
                from: Place::new(from),
                to: Place::new(to),
            };
            self.rows.add(key, counts);
        };
        match (from, to) {
            (Spot::In((file, _), from), Spot::In((other, _), to)) if file == other => add(file, Some(from), Some(to)),
            (Spot::In((file, _), from), Spot::In((other, _), to)) => {
                add(file, Some(from), None);
                add(other, None, Some(to));
            }
            (Spot::In((file, _), from), Spot::Elsewhere(_)) => add(file, Some(from), None),
            (Spot::Elsewhere(_), Spot::In((file, _), to)) => add(file, None, Some(to)),
            (Spot::Elsewhere(Loss::OtherMemory), Spot::Elsewhere(_)) => self.tally.add(Loss::OtherMemory, 1),
            (Spot::Elsewhere(_), Spot::Elsewhere(loss)) => self.tally.add(loss, 1),
        }
    }

    /// Counts the address of a sample as lost for a reason that does not depend on the address.
    pub(crate) fn lose_address(&mut self, what: Loss) {
        self.tally.add(Loss::Addresses, 1);
        self.tally.add(what, 1);
    }

    /// Empties the cache. The caller does so before numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        for index in 0..self.slots.len() {
            let replaced = std::mem::replace(&mut self.slots[index], EMPTY);
            self.settle(replaced);
        }
    }

    fn settle(&mut self, slot: Slot) {
        let count = u64::from(slot.count);
        if count == 0 {
            return;
        }
        match slot.spot {
            Spot::In((file, _), address) => {
                let key = SampledKey {
                    file,
                    event: slot.event,
                    fact: Fact::Address { exact: slot.exact },
                    from: Place::new(Some(address)),
                    to: Place::new(None),
                };
                self.rows.add(key, Counts::times(count));
            }
            Spot::Elsewhere(Loss::OtherMemory) => self.tally.add(Loss::AddressesInOtherMemory, count),
            Spot::Elsewhere(_) => self.tally.add(Loss::AddressesUnmapped, count),
        }
    }

    /// Returns the number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Takes all rows and the numbers of the ledger out of the table.
    pub(crate) fn drain(&mut self) -> (SampledRows, Tally) {
        self.flush();
        (std::mem::take(&mut self.rows), std::mem::take(&mut self.tally))
    }
}

/// Returns the only slot that may have an address.
#[inline]
fn slot_of(address: u64, exact: bool, event: EventId, view: u16) -> usize {
    let other = u64::from(view) << 48 ^ u64::from(exact) << 47 ^ u64::from(event) << 31;
    let mixed = (address ^ other).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}
