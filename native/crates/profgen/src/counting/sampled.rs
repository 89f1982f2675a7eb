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
    /// Makes the counts of samples that are all exact, or all not.
    fn of(is_exact: bool, count: u64) -> Self {
        let (exact, skidded) = if is_exact { (count, 0) } else { (0, count) };
        Self { exact, skidded }
    }

    /// Returns the number of all samples.
    pub(crate) fn sum(self) -> u64 {
        self.exact + self.skidded
    }
}

/// The sampled instructions of a binary, in ascending order.
pub(crate) type TargetAddresses = Vec<(Svma, Hits)>;

/// A direct-mapped cache of raw addresses. Keys, counts and places are apart, so that the parts that each sample needs
/// fit into the fastest cache of a CPU.
struct Cache {
    /// Key of the address in each slot, or [`NO_KEY`].
    keys: [u64; SLOTS],
    /// Number of samples at the address in each slot.
    counts: [u32; SLOTS],
    /// Place of the address in each slot.
    places: [CachedPlace; SLOTS],
}

/// The place of an address.
#[derive(Clone, Copy)]
struct CachedPlace {
    /// Offset of the address, if `class` is [`EntryClass::Used`].
    offset: CodeOffset,
    class: EntryClass,
}

/// The key of an empty slot. No address has this key, because no view has this number.
const NO_KEY: u64 = u64::MAX;

/// Number of bits of an address that a key holds.
const ADDRESS_BITS: u32 = 48;

/// Returns the key of an address in the view with this number. The key holds the address, the number and `exact`.
/// Returns `None` if they are too large, which is rare: bits 47 to 63 of an address are equal on nearly all machines.
#[inline]
fn key_of(address: Avma, exact: bool, number: u16) -> Option<u64> {
    const MAX_VIEWS: u16 = (1 << (u64::BITS - ADDRESS_BITS - 1)) - 1;
    let shifted = address.0 << (u64::BITS - ADDRESS_BITS);
    let is_whole = shifted.cast_signed() >> (u64::BITS - ADDRESS_BITS) == address.0.cast_signed();
    (is_whole && number < MAX_VIEWS).then_some(shifted | u64::from(number) << 1 | u64::from(exact))
}

/// Returns the only slot that may have a key.
#[inline]
fn slot_of(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

impl Cache {
    fn new() -> Box<Self> {
        let nowhere = CachedPlace {
            offset: OUTSIDE,
            class: EntryClass::Unmapped,
        };
        Box::new(Self {
            keys: [NO_KEY; SLOTS],
            counts: [0; SLOTS],
            places: [nowhere; SLOTS],
        })
    }

    /// Counts a sample. Returns false, and counts nothing, if the cache does not have the key, or cannot count on.
    #[inline]
    fn count(&mut self, key: u64) -> bool {
        let slot = slot_of(key);
        if self.keys[slot] != key {
            return false;
        }
        let Some(count) = self.counts[slot].checked_add(1) else {
            return false;
        };
        self.counts[slot] = count;
        true
    }

    /// Returns true if the cache counts samples of an instruction.
    fn has_used(&self) -> bool {
        let mut slots = self.counts.iter().zip(&self.places);
        slots.any(|(count, place)| *count > 0 && place.class == EntryClass::Used)
    }

    /// Returns the sample counts of a slot, and its place, and empties the slot.
    fn take(&mut self, slot: usize) -> (Hits, CachedPlace) {
        let is_exact = std::mem::replace(&mut self.keys[slot], NO_KEY) & 1 != 0;
        let hits = Hits::of(is_exact, std::mem::take(&mut self.counts[slot]).into());
        (hits, self.places[slot])
    }
}

/// Counts of sampled addresses, with a direct-mapped cache of raw addresses in front.
#[derive(Default)]
pub(crate) struct AddressCounts {
    /// The cache. It is made on first use, because most jobs sample no addresses.
    cache: Option<Box<Cache>>,
    counts: FxHashMap<CodeOffset, Hits>,
    ledger: Ledger,
}

impl AddressCounts {
    /// Counts a sample at `address` in the view with this number.
    pub(crate) fn add(&mut self, address: Avma, exact: bool, view: &mut View<'_>, number: u16) {
        if self.add_known(std::iter::once((address, exact)), number) == 1 {
            return;
        }
        let place = view.locate_source(address);
        let Some(key) = key_of(address, exact, number) else {
            self.add_times(place, exact, 1);
            return;
        };
        self.ledger.read(1);
        let cache = self.cache.get_or_insert_with(Cache::new);
        let slot = slot_of(key);
        settle(&mut self.counts, &mut self.ledger, cache.take(slot));
        cache.keys[slot] = key;
        cache.counts[slot] = 1;
        cache.places[slot] = CachedPlace {
            offset: match place {
                Place::Code(offset, _) => offset,
                _ => OUTSIDE,
            },
            class: place.class(),
        };
    }

    /// Counts samples as [`AddressCounts::add`] does, up to the first sample that the cache does not have. Each
    /// sample is an address, and true if the address is exact. Returns the number of counted samples.
    #[inline]
    pub(crate) fn add_known(&mut self, samples: impl Iterator<Item = (Avma, bool)>, number: u16) -> u64 {
        let Some(cache) = &mut self.cache else { return 0 };
        let mut counted = 0;
        for (address, exact) in samples {
            if !key_of(address, exact, number).is_some_and(|key| cache.count(key)) {
                break;
            }
            counted += 1;
        }
        self.ledger.read(counted);
        counted
    }

    /// Returns true if any sample was counted or lost.
    pub(crate) fn has_samples(&self) -> bool {
        self.ledger.entries() > 0
    }

    /// Returns true if a sample of an instruction was counted.
    pub(crate) fn has_used(&self) -> bool {
        !self.counts.is_empty() || self.cache.as_ref().is_some_and(|cache| cache.has_used())
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
        if let Some(cache) = &mut self.cache {
            for slot in 0..SLOTS {
                settle(&mut self.counts, &mut self.ledger, cache.take(slot));
            }
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

/// Adds the samples at one place to the counts.
fn settle(counts: &mut FxHashMap<CodeOffset, Hits>, ledger: &mut Ledger, (hits, place): (Hits, CachedPlace)) {
    let count = hits.sum();
    if count == 0 {
        return;
    }
    ledger.add(place.class, count);
    if place.class == EntryClass::Used {
        add(counts, place.offset, hits);
    }
}

fn add(counts: &mut FxHashMap<CodeOffset, Hits>, offset: CodeOffset, hits: Hits) {
    let known = counts.entry(offset).or_default();
    known.exact = known.exact.wrapping_add(hits.exact);
    known.skidded = known.skidded.wrapping_add(hits.skidded);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address() -> impl Strategy<Value = u64> {
        let small = (0..64_u32, any::<u64>()).prop_map(|(bits, address)| address >> bits);
        (small, any::<bool>()).prop_map(|(address, high)| if high { !address } else { address })
    }

    proptest! {
        #[test]
        fn a_key_holds_all_that_it_is_made_of(address in address(), exact in any::<bool>(), number in any::<u16>()) {
            let fits = address.wrapping_add(1 << 47) < 1 << 48 && number < 0x7fff;
            let key = key_of(Avma(address), exact, number);
            prop_assert_eq!(key.is_some(), fits);
            if let Some(key) = key {
                prop_assert_ne!(key, NO_KEY);
                prop_assert_eq!((key.cast_signed() >> 16).cast_unsigned(), address);
                prop_assert_eq!(key & 0xffff, u64::from(number) << 1 | u64::from(exact));
            }
        }
    }

    #[test]
    fn a_full_count_is_added_up_before_the_next_sample() {
        let key = key_of(Avma(0x1234), true, 0).expect("a small address");
        let mut counts = AddressCounts::default();
        let mut cache = Cache::new();
        let slot = slot_of(key);
        (cache.keys[slot], cache.counts[slot]) = (key, u32::MAX - 1);
        counts.cache = Some(cache);
        let samples = std::iter::repeat_n((Avma(0x1234), true), 3);
        assert_eq!(counts.add_known(samples, 0), 1);
        counts.flush();
        assert_eq!(counts.ledger.entries(), 1);
        assert_eq!(counts.ledger[EntryClass::Unmapped], u64::from(u32::MAX));
    }
}
