//! Counted rows of branches.

use perfdata::{Branch, Speculation};
use rustc_hash::FxHashMap;
use traceshard::{Ends, Loss};

use crate::gather::chain::{End, Quick, Stack};
use crate::gather::files::FileId;
use crate::gather::spots::{Spot, Spots};

/// The number of an event, with the machine that it was recorded on.
pub(crate) type EventId = u16;

/// A branch of a file, and the run behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub file: FileId,
    pub event: EventId,
    /// Number of the branches in between; 0 for none.
    pub via: u32,
    pub from: Option<u64>,
    pub to: Option<u64>,
    pub end: End,
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

/// A branch within a file whose run ends at the next newer one: most are such, and they repeat.
#[derive(Debug, Clone, Copy)]
struct Slot {
    from: u64,
    to: u64,
    /// Where the next newer branch starts.
    newer: u64,
    view: u16,
    event: EventId,
    file: FileId,
    count: u32,
    mispredicted: u32,
    /// In the file: source, destination, end of the run.
    offsets: [u64; 3],
}

const EMPTY: Slot = Slot {
    from: 0,
    to: 0,
    newer: 0,
    view: 0,
    event: 0,
    file: 0,
    count: 0,
    mispredicted: 0,
    offsets: [0; 3],
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
    /// The branches in between, by the number that keys have for them.
    pub chains: Vec<Box<[Ends]>>,
}

/// Rows and their counts.
pub(crate) struct Table {
    slots: Box<[Slot]>,
    rows: FxHashMap<Key, Counts>,
    chains: FxHashMap<Box<[Ends]>, u32>,
    pub tally: Tally,
    stack: Stack,
    via: Vec<Ends>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            slots: vec![EMPTY; SLOTS].into(),
            rows: FxHashMap::default(),
            chains: FxHashMap::default(),
            tally: Tally::default(),
            stack: Stack::default(),
            via: Vec::new(),
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
            let (from, to) = (branch.from.0, branch.to.0);
            let mispredicted = u32::from(branch.flags.mispredicted());
            let quick = self.stack.quick(from, to);
            let slot = match quick {
                Quick::EndsAt(newer) => slot_of(from, to, newer, of),
                Quick::Look => SLOTS,
            };
            if let Quick::EndsAt(newer) = quick {
                let slot = &mut self.slots[slot];
                let known =
                    (slot.from, slot.to, slot.newer, slot.view, slot.event) == (from, to, newer, of.view, of.event);
                if known && slot.count.wrapping_sub(1) < u32::MAX - 1 {
                    slot.count += 1;
                    slot.mispredicted += mispredicted;
                    let [source, destination, _] = slot.offsets;
                    let file = slot.file;
                    self.stack
                        .push(from, to, Spot::In(file, source), Spot::In(file, destination));
                    continue;
                }
            }
            if from | to == 0 {
                self.tally.add(Loss::UnfilledSlot, 1);
                continue;
            }
            let (source, destination) = (spots.find(branch.from), spots.find(branch.to));
            let end = match (source, destination) {
                (Spot::In(file, source), Spot::In(other, destination)) if file == other && slot < SLOTS => {
                    let end = self.stack.newer_source(file);
                    end.map(|end| (file, [source, destination, end]))
                }
                _ => None,
            };
            if let (Some((file, offsets)), Quick::EndsAt(newer)) = (end, quick) {
                self.stack.push(from, to, source, destination);
                let new = Slot {
                    from,
                    to,
                    newer,
                    view: of.view,
                    event: of.event,
                    file,
                    count: 1,
                    mispredicted,
                    offsets,
                };
                let replaced = std::mem::replace(&mut self.slots[slot], new);
                self.settle(&replaced);
                continue;
            }
            if let (Spot::Elsewhere(a), Spot::Elsewhere(b)) = (source, destination) {
                let other = a == Loss::OtherMemory || b == Loss::OtherMemory;
                let loss = if other { Loss::OtherMemory } else { Loss::Unmapped };
                self.tally.add(loss, 1);
                continue;
            }
            self.stack.push(from, to, source, destination);
            self.count_slowly(source, destination, of, mispredicted);
        }
    }

    /// Counts the branch that was added last for each file that it touches.
    fn count_slowly(&mut self, source: Spot, destination: Spot, of: Of, mispredicted: u32) {
        let file_of = |spot| match spot {
            Spot::In(file, _) => Some(file),
            Spot::Elsewhere(_) => None,
        };
        let first = file_of(source);
        let second = file_of(destination).filter(|file| Some(*file) != first);
        for file in [first, second].into_iter().flatten() {
            let end = self.stack.end_in(file, &mut self.via);
            let key = Key {
                file,
                event: of.event,
                via: number_of(&mut self.chains, &self.via),
                from: source.in_file(file),
                to: destination.in_file(file),
                end,
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
        let [from, to, end] = slot.offsets;
        let key = Key {
            file: slot.file,
            event: slot.event,
            via: 0,
            from: Some(from),
            to: Some(to),
            end: End::At(end),
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

    /// How many rows there are at least.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds the rows of another table, which has none then.
    pub(crate) fn take(&mut self, other: &mut Self) {
        self.flush();
        other.flush();
        self.tally.merge(&std::mem::take(&mut other.tally));
        if self.rows.is_empty() && self.chains.is_empty() {
            std::mem::swap(&mut self.rows, &mut other.rows);
            std::mem::swap(&mut self.chains, &mut other.chains);
            return;
        }
        let mut numbers = vec![0; other.chains.len() + 1];
        for (chain, number) in other.chains.drain() {
            numbers[number as usize] = number_of(&mut self.chains, &chain);
        }
        for (key, counts) in std::mem::take(&mut other.rows) {
            let via = numbers[key.via as usize];
            add(&mut self.rows, Key { via, ..key }, counts);
        }
    }

    /// All rows, and the branches in between by number. Nothing is left.
    pub(crate) fn drain(&mut self) -> Drained {
        self.flush();
        let mut chains = vec![Box::default(); self.chains.len() + 1];
        for (chain, number) in self.chains.drain() {
            chains[number as usize] = chain;
        }
        Drained {
            rows: std::mem::take(&mut self.rows).into_iter().collect(),
            chains,
        }
    }
}

fn number_of(chains: &mut FxHashMap<Box<[Ends]>, u32>, chain: &[Ends]) -> u32 {
    if chain.is_empty() {
        return 0;
    }
    if let Some(known) = chains.get(chain) {
        return *known;
    }
    let number = u32::try_from(chains.len() + 1).unwrap_or_else(|_| unreachable!("fewer rows than that are kept"));
    chains.insert(chain.into(), number);
    number
}

fn add(rows: &mut FxHashMap<Key, Counts>, key: Key, counts: Counts) {
    let sum = rows.entry(key).or_default();
    sum.count += counts.count;
    sum.mispredicted += counts.mispredicted;
}

/// The top bits of the product depend on all bits of the addresses.
#[inline]
fn slot_of(from: u64, to: u64, newer: u64, of: Of) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let mixed = from ^ to.rotate_left(23) ^ newer.rotate_left(41) ^ u64::from(of.view) ^ u64::from(of.event) << 16;
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}
