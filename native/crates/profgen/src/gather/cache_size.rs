//! The size of the cache in front of the rows.

/// Number of entries after which the size is judged.
const PERIOD: usize = 1 << 17;

/// The part of a small cache in the whole cache.
const SMALL: usize = 8;

/// The size of the cache.
///
/// In a program with many functions, most entries are in no slot, however large the cache is. A small cache takes
/// less time then, because it leaves the second-level cache of the core to the rows and the tails.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CacheSize {
    is_small: bool,
    /// Number of entries of this period, and the number of these entries that were in no slot.
    entries: usize,
    misses: usize,
}

impl CacheSize {
    /// Notes the entries of a stack. Returns true if the size has changed. Then the caller empties the cache.
    #[inline]
    pub(crate) fn note_stack(&mut self, entries: usize) -> bool {
        self.entries += entries;
        self.entries >= PERIOD && self.judge()
    }

    /// Notes an entry that was in no slot.
    #[inline]
    pub(crate) fn note_miss(&mut self) {
        self.misses += 1;
    }

    #[cold]
    fn judge(&mut self) -> bool {
        // A small cache misses more entries, so the limits differ.
        let limit = if self.is_small {
            self.entries / 4
        } else {
            self.entries / 2
        };
        let is_small = self.misses > limit;
        let has_changed = is_small != self.is_small;
        *self = Self {
            is_small,
            ..Self::default()
        };
        has_changed
    }

    /// Returns the mask for the indices of an array that has `most` places, a power of two, at full size.
    #[inline]
    pub(crate) fn mask(self, most: usize) -> usize {
        if self.is_small { most / SMALL - 1 } else { most - 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_small_while_most_entries_are_in_no_slot() {
        let mut size = CacheSize::default();
        let mut period = |misses_in_100: usize| {
            let mut has_changed = false;
            for entry in 0..PERIOD {
                if entry % 100 < misses_in_100 {
                    size.note_miss();
                }
                has_changed |= size.note_stack(1);
            }
            (has_changed, size.mask(64))
        };
        assert_eq!(period(40), (false, 63));
        assert_eq!(period(60), (true, 7));
        assert_eq!(period(40), (false, 7));
        assert_eq!(period(10), (true, 63));
    }
}
