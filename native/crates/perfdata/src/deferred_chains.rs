//! The user parts of call chains that the kernel wrote later than the samples.
//!
//! Linux 6.19 can defer the walk of a user stack until the thread returns to user space (`perf record --call-graph
//! fp,defer`). The call chain of the sample then ends in `PERF_CONTEXT_USER_DEFERRED` and a cookie. A record
//! `PERF_RECORD_CALLCHAIN_DEFERRED` with the same cookie has the frames (Linux: include/uapi/linux/perf_event.h). perf
//! joins chains and records of the same thread and cookie. Samples of one stay in the kernel share one record, so the
//! record may stand before some of these samples.

use std::collections::HashMap;
use std::ops::Range;

use crate::byte_order::ByteOrder;
use crate::record::HEADER_SIZE;

/// The user parts that were read from one stretch of the input.
#[derive(Debug, Default)]
pub(crate) struct DeferredChains {
    /// Range in `words` of each part, by thread and cookie. The standard hasher has a random key, so a file cannot be
    /// made to collide.
    parts: HashMap<(i32, u64), Range<usize>>,
    words: Vec<[u8; 8]>,
}

impl DeferredChains {
    /// Returns true if there are no user parts.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Adds a record of the thread `tid`: u64 cookie, u64 nr, nr words, and a trailer. Returns `None` if the record is
    /// too short.
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

    /// Returns the user part of a chain of the thread `tid` with this cookie.
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
