//! Finds the rows of samples that were counted before.
//!
//! Loops repeat whole samples. To compare the addresses of two samples takes less time than to locate them.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use perfdata::{Branch, Sample};

use crate::gather::entry::Of;

/// Number of samples that are remembered. With 32 entries and few frames, they take 3 MiB.
const SLOTS: usize = 1 << 12;

/// Most addresses of a sample that is remembered. All samples together take at most 16 MiB.
const MOST_ADDRESSES: usize = 512;

/// The parts of a sample that its rows depend on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SampleKey {
    /// The event and the view, the number of addresses of branches, the source and the destination of each branch, and
    /// the call chain.
    words: Vec<u64>,
}

/// Number of words before the first address.
const HEAD: usize = 2;

impl SampleKey {
    /// Fills the key with a sample, of whose branches `counts` returns true for those that count.
    pub(crate) fn fill(&mut self, sample: &Sample<'_>, of: Of, counts: impl Fn(&Branch) -> bool) {
        let words = &mut self.words;
        words.resize(HEAD + 2 * sample.branches.len(), 0);
        let (pairs, _) = words[HEAD..].as_chunks_mut();
        let mut filled = 0;
        for (pair, branch) in pairs.iter_mut().zip(sample.branches.iter().filter(counts)) {
            *pair = [branch.from.0, branch.to.0];
            filled += 2;
        }
        words[0] = of.bits().into();
        words[1] = filled as u64;
        words.truncate(HEAD + filled);
        words.extend(sample.call_chain.addresses());
    }

    /// Returns the source and the destination of each branch that counts, the newest first.
    pub(crate) fn branches(&self) -> &[[u64; 2]] {
        self.words[HEAD..self.chain_start()].as_chunks().0
    }

    /// Returns the addresses of the call chain, the innermost first.
    pub(crate) fn call_chain(&self) -> &[u64] {
        &self.words[self.chain_start()..]
    }

    fn chain_start(&self) -> usize {
        // The cast loses no bits: the number is that of words in memory.
        HEAD + self.words[1] as usize
    }
}

/// A sample and the indices of its rows.
#[derive(Debug, Default)]
struct Slot {
    key: SampleKey,
    rows: Vec<u32>,
}

/// Number of samples after which it is judged whether samples are found.
const PERIOD: u32 = 1 << 12;

/// Number of periods in which no sample is looked for, if too few were found.
const PAUSE: u32 = 15;

/// A direct-mapped cache of samples.
#[derive(Default)]
pub(crate) struct KnownSamples {
    /// Empty until the first sample comes.
    slots: Vec<Slot>,
    hasher: DefaultHashBuilder,
    /// Number of samples until the next judgement, and the number that was not found in this period.
    rest: u32,
    missed: u32,
    is_paused: bool,
}

impl KnownSamples {
    /// Returns false if samples should not be looked for and not be remembered, because hardly any is found. This is
    /// called once for each sample.
    #[inline]
    pub(crate) fn are_found(&mut self) -> bool {
        if self.rest == 0 {
            self.judge();
        }
        self.rest -= 1;
        !self.is_paused
    }

    #[cold]
    fn judge(&mut self) {
        self.is_paused = self.missed > PERIOD - PERIOD / 8;
        self.rest = if self.is_paused { PAUSE * PERIOD } else { PERIOD };
        self.missed = 0;
    }

    /// Returns the slot of a sample.
    #[inline]
    pub(crate) fn slot_of(&self, key: &SampleKey) -> usize {
        self.hasher.hash_one(&key.words[..]) as usize % SLOTS
    }

    /// Returns the rows of a sample, if they are known.
    #[inline]
    pub(crate) fn rows(&mut self, slot: usize, key: &SampleKey) -> Option<&[u32]> {
        let known = self.slots.get(slot).filter(|slot| slot.key == *key);
        self.missed += u32::from(known.is_none());
        known.map(|slot| &slot.rows[..])
    }

    /// Remembers the rows of a sample. The key is empty or has another sample afterwards.
    pub(crate) fn remember(&mut self, slot: usize, key: &mut SampleKey, rows: impl IntoIterator<Item = u32>) {
        if key.words.len() > MOST_ADDRESSES {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, Slot::default);
        }
        let slot = &mut self.slots[slot];
        std::mem::swap(&mut slot.key, key);
        slot.rows.clear();
        slot.rows.extend(rows);
    }

    /// Forgets all samples.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sample_that_is_equal_in_all_parts_is_known() {
        let key = |words: &[u64]| SampleKey { words: words.to_vec() };
        let sample = [7, 2, 0x10, 0x20, 0x30];
        let first = key(&sample);
        assert_eq!(
            (first.branches(), first.call_chain()),
            (&[[0x10, 0x20]][..], &[0x30][..])
        );
        let mut known = KnownSamples::default();
        let slot = known.slot_of(&first);
        assert_eq!(known.rows(slot, &first), None);
        known.remember(slot, &mut key(&sample), [4, 5]);
        assert_eq!(known.rows(slot, &first), Some(&[4, 5][..]));
        for other in [
            [8, 2, 0x10, 0x20, 0x30],
            [7, 0, 0x10, 0x20, 0x30],
            [7, 2, 0x10, 0x21, 0x30],
            [7, 2, 0x10, 0x20, 0x31],
        ] {
            assert_eq!(known.rows(slot, &key(&other)), None);
        }
        known.remember(slot, &mut key(&[9; MOST_ADDRESSES + 1]), [6]);
        assert_eq!(
            known.rows(slot, &first),
            Some(&[4, 5][..]),
            "a long sample takes no slot"
        );
        known.clear();
        assert_eq!(known.rows(slot, &first), None);
    }

    #[test]
    fn samples_are_looked_for_now_and_then_while_hardly_any_is_found() {
        let key = SampleKey { words: vec![7, 0] };
        let mut known = KnownSamples::default();
        let slot = known.slot_of(&key);
        // Returns the number of samples that are looked for among so many.
        let mut looked_for = |samples: u32| {
            let looked_for = (0..samples).filter(|_| {
                let looks = known.are_found();
                if looks && known.rows(slot, &key).is_some() {
                    unreachable!("nothing was remembered");
                }
                looks
            });
            looked_for.count() as u32
        };
        assert_eq!(looked_for(PERIOD), PERIOD);
        assert_eq!(looked_for(PAUSE * PERIOD), 0);
        assert_eq!(looked_for(PERIOD), PERIOD);
        assert_eq!(looked_for(1), 0);
        known.rest = 0;
        assert!(known.are_found());
        known.remember(slot, &mut SampleKey { words: vec![7, 0] }, [1]);
        for sample in 0..2 * PERIOD {
            assert!(known.rows(slot, &key).is_some() && known.are_found(), "sample {sample}");
        }
    }
}
