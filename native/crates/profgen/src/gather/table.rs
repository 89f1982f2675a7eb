//! Counted rows of branches.

use perfdata::{Branch, Speculation};
use rustc_hash::FxHashMap;
use traceshard::Loss;

use crate::gather::chain::{NO_TAIL, Stack, TailId, Tails, is_near};
use crate::gather::files::FileId;
use crate::gather::spots::{Spot, Spots};

/// The number of an event, with the machine that it was recorded on.
pub(crate) type EventId = u16;

/// A branch of a file, and what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub file: FileId,
    pub event: EventId,
    pub tail: TailId,
    pub from: Option<u64>,
    pub to: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub count: u64,
    pub mispredicted: u64,
}

/// How often each thing of the ledger was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally([u64; Loss::ALL.len()]);

impl Tally {
    pub(crate) fn add(&mut self, what: Loss, count: u64) {
        let sum = &mut self.0[what as usize];
        *sum = sum.saturating_add(count);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (what, count) in other.counts() {
            self.add(what, count);
        }
    }

    /// What was met at all.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Loss, u64)> {
        Loss::ALL
            .into_iter()
            .map(|what| (what, self.0[what as usize]))
            .filter(|(_, count)| *count > 0)
    }
}

/// Slots of the cache, about as many bytes as a core's second-level cache has room for beside the rest.
const SLOTS: usize = 1 << 12;

/// A branch within a file. What is behind it depends on the next newer branch and on what is behind that.
#[derive(Debug, Clone, Copy)]
struct Slot {
    branch: Raw,
    newer: Raw,
    newer_tails: [TailId; 2],
    view: u16,
    event: EventId,
    file: FileId,
    tail: TailId,
    count: u32,
    mispredicted: u32,
    /// In the file: source and destination.
    offsets: [u64; 2],
}

/// The addresses of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Raw {
    from: u64,
    to: u64,
}

/// Before the newest branch of a stack there is none. A slot that the CPU had not filled is never added to a stack.
const NOTHING: Raw = Raw { from: 0, to: 0 };

const EMPTY: Slot = Slot {
    branch: NOTHING,
    newer: NOTHING,
    newer_tails: [NO_TAIL; 2],
    view: 0,
    event: 0,
    file: 0,
    tail: NO_TAIL,
    count: 0,
    mispredicted: 0,
    offsets: [0; 2],
};

/// A sample, as far as its rows depend on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of {
    pub event: EventId,
    /// Number of the view of its address space.
    pub view: u16,
}

/// What a table had.
pub(crate) struct Drained {
    pub rows: Vec<(Key, Counts)>,
    pub tails: Tails,
}

/// Rows and their counts.
pub(crate) struct Table {
    slots: Box<[Slot; SLOTS]>,
    rows: FxHashMap<Key, Counts>,
    tails: Tails,
    pub tally: Tally,
    stack: Stack,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            // Made on the heap: it would not fit into every stack.
            slots: vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            rows: FxHashMap::default(),
            tails: Tails::default(),
            tally: Tally::default(),
            stack: Stack::default(),
        }
    }
}

impl Table {
    /// Counts the branches of a stack, the newest first.
    #[inline]
    pub(crate) fn count(&mut self, branches: impl Iterator<Item = Branch>, of: Of, spots: &mut Spots) {
        self.stack.begin();
        for branch in branches {
            if branch.flags.speculation() == Speculation::WrongPath {
                self.tally.add(Loss::WrongPath, 1);
                continue;
            }
            let mispredicted = u32::from(branch.flags.mispredicted());
            let raw = Raw {
                from: branch.from.0,
                to: branch.to.0,
            };
            let (newer, newer_tails) = self.stack.last().map_or((NOTHING, [NO_TAIL; 2]), |last| {
                let ends_long_run = matches!(last.from_spot, Spot::In(..)) && !is_near(raw.to, last.from);
                // A long run ends at the source of the next newer branch, wherever that goes.
                let (to, tails) = if ends_long_run {
                    (0, [NO_TAIL; 2])
                } else {
                    (last.to, last.tails)
                };
                (Raw { from: last.from, to }, tails)
            });
            let index = slot_of(raw, newer, newer_tails, of);
            let slot = &mut self.slots[index];
            if slot.branch == raw
                && slot.newer == newer
                && slot.newer_tails == newer_tails
                && (slot.view, slot.event) == (of.view, of.event)
                && slot.count.wrapping_sub(1) < u32::MAX - 1
            {
                slot.count += 1;
                slot.mispredicted += mispredicted;
                let source = Spot::In(slot.file, slot.offsets[0]);
                let destination = Spot::In(slot.file, slot.offsets[1]);
                self.stack
                    .push_known(raw.from, raw.to, source, destination, [slot.tail; 2]);
                continue;
            }
            self.count_unknown(branch, index, (newer, newer_tails), of, spots);
        }
    }

    /// Counts a branch that the cache does not know, and makes it known if its row depends on nothing but the branch before it.
    fn count_unknown(
        &mut self,
        branch: Branch,
        index: usize,
        (newer, newer_tails): (Raw, [TailId; 2]),
        of: Of,
        spots: &mut Spots,
    ) {
        let raw = Raw {
            from: branch.from.0,
            to: branch.to.0,
        };
        if raw == NOTHING {
            self.tally.add(Loss::UnfilledSlot, 1);
            return;
        }
        let mispredicted = branch.flags.mispredicted();
        let (source, destination) = (spots.find(branch.from), spots.find(branch.to));
        if let (Spot::Elsewhere(a), Spot::Elsewhere(b)) = (source, destination) {
            let other = a == Loss::OtherMemory || b == Loss::OtherMemory;
            let loss = if other { Loss::OtherMemory } else { Loss::Unmapped };
            self.tally.add(loss, 1);
            return;
        }
        let last_is_in = |file| {
            let last = self.stack.last();
            // What is known of a long run holds for a branch of this file only.
            last.is_none_or(|last| last.from_spot.in_file(file).is_some() || newer.to != 0 && last.is_in(file))
        };
        let inside = match (source, destination) {
            (Spot::In(file, source), Spot::In(other, destination)) if file == other && last_is_in(file) => {
                Some((file, [source, destination]))
            }
            _ => None,
        };
        let tails = self.stack.push(raw.from, raw.to, source, destination, &mut self.tails);
        if let Some((file, offsets)) = inside {
            let new = Slot {
                branch: raw,
                newer,
                newer_tails,
                view: of.view,
                event: of.event,
                file,
                tail: tails[0],
                count: 1,
                mispredicted: u32::from(mispredicted),
                offsets,
            };
            let replaced = std::mem::replace(&mut self.slots[index], new);
            self.settle(&replaced);
            return;
        }
        let file_of = |spot| match spot {
            Spot::In(file, _) => Some(file),
            Spot::Elsewhere(_) => None,
        };
        let first = file_of(source).map(|file| (file, tails[0]));
        let second = file_of(destination).filter(|file| Some(*file) != file_of(source));
        for (file, tail) in first.into_iter().chain(second.map(|file| (file, tails[1]))) {
            let key = Key {
                file,
                event: of.event,
                tail,
                from: source.in_file(file),
                to: destination.in_file(file),
            };
            let counts = Counts {
                count: 1,
                mispredicted: u64::from(mispredicted),
            };
            add(&mut self.rows, key, counts);
        }
    }

    fn settle(&mut self, slot: &Slot) {
        if slot.count == 0 {
            return;
        }
        let [from, to] = slot.offsets.map(Some);
        let key = Key {
            file: slot.file,
            event: slot.event,
            tail: slot.tail,
            from,
            to,
        };
        let counts = Counts {
            count: u64::from(slot.count),
            mispredicted: u64::from(slot.mispredicted),
        };
        add(&mut self.rows, key, counts);
    }

    /// Forgets what the cache knows, for when numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        for index in 0..self.slots.len() {
            let slot = std::mem::replace(&mut self.slots[index], EMPTY);
            self.settle(&slot);
        }
    }

    /// How many rows there are at least, and how many things that rows are made of.
    pub(crate) fn len(&self) -> usize {
        self.rows.len().max(self.tails.len())
    }

    /// Adds the rows of another table, which has none then.
    pub(crate) fn take(&mut self, other: &mut Self) {
        self.flush();
        other.flush();
        self.tally.merge(&std::mem::take(&mut other.tally));
        let numbers = self.tails.adopt(&std::mem::take(&mut other.tails));
        for (key, counts) in std::mem::take(&mut other.rows) {
            let tail = numbers[key.tail as usize];
            add(&mut self.rows, Key { tail, ..key }, counts);
        }
    }

    /// All rows. Nothing is left.
    pub(crate) fn drain(&mut self) -> Drained {
        self.flush();
        Drained {
            rows: std::mem::take(&mut self.rows).into_iter().collect(),
            tails: std::mem::take(&mut self.tails),
        }
    }
}

fn add(rows: &mut FxHashMap<Key, Counts>, key: Key, counts: Counts) {
    let sum = rows.entry(key).or_default();
    sum.count += counts.count;
    sum.mispredicted += counts.mispredicted;
}

/// The top bits of the product depend on all bits of the addresses.
#[inline]
fn slot_of(branch: Raw, newer: Raw, [tail, _]: [TailId; 2], of: Of) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let addresses = branch.from ^ branch.to.rotate_left(23) ^ newer.from.rotate_left(41) ^ newer.to.rotate_left(11);
    let mixed = addresses ^ u64::from(of.view) ^ u64::from(of.event) << 16 ^ u64::from(tail).rotate_left(29);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}
