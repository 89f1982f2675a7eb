//! Remembers for each byte of code whether an instruction starts there, or that nothing is known yet.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of bytes of code whose states share one allocation.
const PAGE_BYTES: u32 = 1 << 14;
/// Number of bytes of code whose states share one word.
const WORD_BYTES: u32 = 32;

/// Bits of the state of one byte of code.
const KNOWN: u64 = 0b01;
const START: u64 = 0b10;

type Page = Box<[AtomicU64]>;

/// Two bits for each byte of code, in pages that are allocated when code in them is first decoded.
///
/// Bits are only ever set, and the two bits of a byte are set in one step. So a reader sees the state of a byte
/// either as unknown or as final, without locks and in any memory order.
pub(super) struct StartMap {
    pages: Box<[OnceLock<Page>]>,
}

impl StartMap {
    /// Makes a map of `span` bytes with unknown state.
    pub(super) fn new(span: u32) -> Self {
        Self {
            pages: (0..span.div_ceil(PAGE_BYTES)).map(|_| OnceLock::new()).collect(),
        }
    }

    /// Returns whether an instruction starts at `offset`; `None` if this is not known yet.
    #[inline]
    pub(super) fn get(&self, offset: u32) -> Option<bool> {
        let page = self.pages.get((offset / PAGE_BYTES) as usize)?.get()?;
        let word = page[(offset % PAGE_BYTES / WORD_BYTES) as usize].load(Ordering::Relaxed);
        let state = word >> shift(offset);
        (state & KNOWN != 0).then_some(state & START != 0)
    }

    /// Makes the state of all bytes from `start` up to `end` known. `starts` are the offsets at which instructions
    /// start, ascending.
    pub(super) fn fill(&self, start: u32, end: u32, starts: &[u32]) {
        let mut starts = starts.iter().copied().peekable();
        let mut offset = start;
        while offset < end {
            let word_end = (offset - offset % WORD_BYTES).saturating_add(WORD_BYTES).min(end);
            let count = 2 * (word_end - offset);
            let known = (KNOWN * (u64::MAX / 0b11)) & (u64::MAX >> (64 - count));
            let mut bits = known << shift(offset);
            while let Some(found) = starts.next_if(|&found| found < word_end) {
                bits |= START << shift(found);
            }
            if let Some(page) = self.pages.get((offset / PAGE_BYTES) as usize) {
                let page = page.get_or_init(new_page);
                page[(offset % PAGE_BYTES / WORD_BYTES) as usize].fetch_or(bits, Ordering::Relaxed);
            }
            offset = word_end;
        }
    }
}

/// Returns the position of the state of the byte at `offset` in its word, in bits.
fn shift(offset: u32) -> u32 {
    2 * (offset % WORD_BYTES)
}

fn new_page() -> Page {
    (0..PAGE_BYTES / WORD_BYTES).map(|_| AtomicU64::new(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_known_at_first_nor_beyond_the_end() {
        let map = StartMap::new(100);
        assert_eq!(map.get(0), None);
        assert_eq!(map.get(99), None);
        assert_eq!(map.get(u32::MAX), None);
    }

    proptest! {
        #[test]
        fn knows_what_was_filled_and_nothing_else(
            start in 0_u32..70_000,
            length in 0_u32..300,
            near_page_end in any::<bool>(),
            picks in proptest::collection::vec(any::<bool>(), 300),
        ) {
            let start = if near_page_end { 3 * PAGE_BYTES - length / 2 } else { start };
            let end = start + length;
            let starts: Vec<u32> = (start..end).filter(|o| picks[(o - start) as usize]).collect();
            let map = StartMap::new(140_000);
            map.fill(start, end, &starts);
            for offset in start.saturating_sub(40)..end + 40 {
                let want = (start..end).contains(&offset).then(|| starts.contains(&offset));
                prop_assert_eq!(map.get(offset), want, "{}", offset);
            }
        }

        #[test]
        fn neighbours_keep_their_states(cut in 1_u32..63) {
            let map = StartMap::new(64);
            map.fill(cut, 64, &[cut]);
            map.fill(0, cut, &[0]);
            for offset in 0..64 {
                prop_assert_eq!(map.get(offset), Some(offset == 0 || offset == cut));
            }
        }
    }
}
