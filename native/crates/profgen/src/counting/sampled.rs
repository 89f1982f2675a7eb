//! Counts sampled addresses.

use perfdata::Avma;
use rustc_hash::FxHashMap;

use crate::account::ledger::{EntryClass, Ledger};
use crate::addresses::locate::{Place, View};
use crate::binaries::code_space::{CodeOffset, CodeSpace, OUTSIDE};
use crate::binaries::id::ByBinary;
use elf::Svma;

/// Number of slots of the cache. The same addresses are sampled again and again.
const SLOTS: usize = 1 << 12;

/// Number of samples of an instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hits {
    /// Number of samples of the instruction itself.
    pub exact: u64,
    /// Number of samples that name the instruction because it was to be executed next.
    pub skidded: u64,
}

impl Hits {
    fn of(exact: bool, count: u64) -> Self {
        let (exact, skidded) = if exact { (count, 0) } else { (0, count) };
        Self { exact, skidded }
    }

    /// Returns the number of all samples.
    pub(crate) fn sum(self) -> u64 {
        self.exact + self.skidded
    }
}

/// The sampled instructions of a binary, in ascending order.
pub(crate) type TargetAddresses = Vec<(Svma, Hits)>;

/// A slot of the cache. It has 24 bytes, so that all slots fit into the cache of a CPU.
#[derive(Clone, Copy)]
struct Slot {
    address: u64,
    count: u32,
    /// Offset of the address, if `class` is [`EntryClass::Used`].
    offset: CodeOffset,
    view: u16,
    exact: bool,
    class: EntryClass,
}

const EMPTY: Slot = Slot {
    address: 0,
    count: 0,
    offset: OUTSIDE,
    view: 0,
    exact: false,
    class: EntryClass::Unmapped,
};

/// Counts of sampled addresses, behind a direct-mapped cache of raw addresses.
#[derive(Default)]
pub(crate) struct AddressCounts {
    /// The cache. It is made on first use, because most jobs sample no addresses.
    slots: Box<[Slot]>,
    counts: FxHashMap<CodeOffset, Hits>,
    ledger: Ledger,
}

impl AddressCounts {
    /// Counts a sample at `address` in the view with this number.
    pub(crate) fn add(&mut self, address: Avma, exact: bool, view: &mut View<'_>, number: u16) {
        if self.add_known(address, exact, number) {
            return;
        }
        if self.slots.is_empty() {
            self.slots = vec![EMPTY; SLOTS].into_boxed_slice();
        }
        self.ledger.read(1);
        let place = view.locate_source(address);
        let filled = Slot {
            address: address.0,
            count: 1,
            offset: match place {
                Place::Code(offset, _) => offset,
                _ => OUTSIDE,
            },
            view: number,
            exact,
            class: place.class(),
        };
        let replaced = std::mem::replace(&mut self.slots[slot_of(address, exact, number)], filled);
        settle(&mut self.counts, &mut self.ledger, replaced);
    }

    /// Counts a sample as [`AddressCounts::add`] does, if the cache has the address. Returns false, and
    /// counts nothing, if the cache does not have it.
    #[inline]
    pub(crate) fn add_known(&mut self, address: Avma, exact: bool, number: u16) -> bool {
        let Some(slot) = self.slots.get_mut(slot_of(address, exact, number)) else {
            return false;
        };
        let holds = slot.address == address.0 && slot.view == number && slot.exact == exact;
        if !holds || slot.count.wrapping_sub(1) >= u32::MAX - 1 {
            return false;
        }
        slot.count += 1;
        self.ledger.read(1);
        true
    }

    /// Returns true if any sample was counted or lost.
    pub(crate) fn has_samples(&self) -> bool {
        self.ledger.entries() > 0
    }

    /// Returns true if a sample of an instruction was counted.
    pub(crate) fn has_used(&self) -> bool {
        let is_used = |slot: &Slot| slot.count > 0 && slot.class == EntryClass::Used;
        !self.counts.is_empty() || self.slots.iter().any(is_used)
    }

    /// Counts samples at a place, without the cache.
    pub(crate) fn add_times(&mut self, place: Place, exact: bool, count: u64) {
        self.add_lost(place.class(), count);
        if let Place::Code(offset, _) = place {
            add(&mut self.counts, offset, Hits::of(exact, count));
        }
    }

    /// Counts samples that are lost for a reason that does not depend on their address.
    pub(crate) fn add_lost(&mut self, class: EntryClass, count: u64) {
        self.ledger.read(count);
        self.ledger.add(class, count);
    }

    /// Empties the cache. The caller does so before numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        for slot in &mut self.slots {
            let replaced = std::mem::replace(slot, EMPTY);
            settle(&mut self.counts, &mut self.ledger, replaced);
        }
    }

    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        self.ledger += &other.ledger;
        for (offset, hits) in other.counts {
            add(&mut self.counts, offset, hits);
        }
    }

    /// Returns the sampled instructions of each target, and the ledger of the samples.
    pub(crate) fn into_addresses(mut self, space: &CodeSpace) -> (ByBinary<TargetAddresses>, Ledger) {
        self.flush();
        let mut offsets: Vec<(CodeOffset, Hits)> = self.counts.into_iter().collect();
        offsets.sort_unstable_by_key(|(offset, _)| *offset);
        let mut found: ByBinary<TargetAddresses> = ByBinary::new();
        for (offset, hits) in offsets {
            let owner = space.owner(offset);
            found.entry(owner.binary).or_default().push((owner.svma(offset), hits));
        }
        (found, self.ledger)
    }
}

/// Returns the only slot that may have an address.
#[inline]
fn slot_of(address: Avma, exact: bool, number: u16) -> usize {
    let mixed = (address.0 ^ u64::from(number) << 48 ^ u64::from(exact) << 47).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

fn settle(counts: &mut FxHashMap<CodeOffset, Hits>, ledger: &mut Ledger, slot: Slot) {
    let count = u64::from(slot.count);
    if count == 0 {
        return;
    }
    ledger.add(slot.class, count);
    if slot.class == EntryClass::Used {
        add(counts, slot.offset, Hits::of(slot.exact, count));
    }
}

fn add(counts: &mut FxHashMap<CodeOffset, Hits>, offset: CodeOffset, hits: Hits) {
    let known = counts.entry(offset).or_default();
    known.exact = known.exact.wrapping_add(hits.exact);
    known.skidded = known.skidded.wrapping_add(hits.skidded);
}
