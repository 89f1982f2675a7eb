//! The parts of call chains in user space that the kernel wrote later than the samples they belong to.
//!
//! Linux 6.19 can put off walking a user stack until the thread returns to user space (`perf record --call-graph fp,defer`). The call chain of
//! the sample then ends in `PERF_CONTEXT_USER_DEFERRED` and a cookie, and a record `PERF_RECORD_CALLCHAIN_DEFERRED` with that cookie has the
//! frames (Linux: include/uapi/linux/perf_event.h). perf joins those of one thread and one cookie. Samples of one stay in the kernel share
//! one record, so it may stand before some of them.

use std::collections::HashMap;
use std::ops::Range;

use crate::byte_order::ByteOrder;
use crate::record::HEADER_SIZE;

/// The user parts that were read in some stretch of the input.
#[derive(Debug, Default)]
pub(crate) struct DeferredChains {
    /// By thread and cookie: where in `words` the part is. The standard hasher is keyed at random: a file cannot be made to collide.
    parts: HashMap<(i32, u64), Range<usize>>,
    words: Vec<[u8; 8]>,
}

impl DeferredChains {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Takes in a record of the thread `tid`: u64 cookie, u64 nr, nr words, and a trailer. `None` if the record is too short for that.
    pub(crate) fn absorb(&mut self, record: &[u8], tid: i32, order: ByteOrder) -> Option<()> {
        const WORDS: usize = HEADER_SIZE + 16;
        let cookie = order.u64(record, HEADER_SIZE)?;
        let (words, _) = record.get(WORDS..)?.as_chunks();
        let count = usize::try_from(order.u64(record, HEADER_SIZE + 8)?).ok()?;
        let start = self.words.len();
        self.words.extend_from_slice(words.get(..count)?);
        self.parts.insert((tid, cookie), start..self.words.len());
        Some(())
    }

    /// The part of a thread's chain with this cookie.
    pub(crate) fn find(&self, tid: i32, cookie: u64) -> Option<&[[u8; 8]]> {
        Some(&self.words[self.parts.get(&(tid, cookie))?.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(words: &[u64]) -> Vec<u8> {
        let words = words.iter().flat_map(|word| word.to_le_bytes());
        [0; HEADER_SIZE].into_iter().chain(words).collect()
    }

    #[test]
    fn parts_are_told_apart_by_thread_and_cookie() {
        let mut chains = DeferredChains::default();
        assert!(chains.is_empty());
        let mut absorb = |words: &[u64], tid| chains.absorb(&record(words), tid, ByteOrder::Little);
        assert_eq!(absorb(&[7, 2, 11, 12, 99], 1), Some(()));
        assert_eq!(absorb(&[7, 1, 13], 2), Some(()));
        assert_eq!(absorb(&[8, 0], 1), Some(()));
        assert_eq!(absorb(&[9, 2, 11], 1), None, "one of two words");
        assert_eq!(absorb(&[9, u64::MAX], 1), None);
        assert_eq!(absorb(&[9], 1), None);
        let words = |words: &[u64]| -> Vec<[u8; 8]> { words.iter().map(|word| word.to_le_bytes()).collect() };
        assert_eq!(chains.find(1, 7), Some(&words(&[11, 12])[..]));
        assert_eq!(chains.find(2, 7), Some(&words(&[13])[..]));
        assert_eq!(chains.find(1, 8), Some(&[][..]));
        assert_eq!(chains.find(1, 9), None);
        assert_eq!(chains.find(2, 8), None);
    }
}
