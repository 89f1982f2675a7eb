//! The call chain of a sample: the sampled address, then the return addresses from the innermost frame on.

use crate::byte_order::ByteOrder;

/// Smallest value that is a marker and no address. A marker tells to whom the addresses after it belong (Linux:
/// `PERF_CONTEXT_MAX`).
const FIRST_MARKER: u64 = 4095_u64.wrapping_neg();

/// Markers that perf knows: hypervisor, kernel, user (Linux: `enum perf_callchain_context`).
const KNOWN_MARKERS: [u64; 3] = [32_u64.wrapping_neg(), 128_u64.wrapping_neg(), 512_u64.wrapping_neg()];

/// Marker in front of the cookie of a user part that was written later. The cookie ends the chain (Linux:
/// `PERF_CONTEXT_USER_DEFERRED`).
const USER_DEFERRED: u64 = 640_u64.wrapping_neg();

/// A borrowed call chain, the innermost address first.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallChain<'a> {
    words: &'a [[u8; 8]],
    /// The user part, if it was written later. Empty otherwise.
    later: &'a [[u8; 8]],
    /// The only known address of a chain that has no kernel part and whose user part is missing.
    sampled: Option<u64>,
    order: ByteOrder,
}

impl<'a> CallChain<'a> {
    pub(crate) fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self {
            words: bytes.as_chunks().0,
            order,
            ..Self::default()
        }
    }

    /// Returns the cookie of the user part. Returns `None` if the user part was not written later.
    pub(crate) fn cookie(self) -> Option<u64> {
        match *self.words {
            [.., marker, cookie] if self.order.word(marker) == USER_DEFERRED => Some(self.order.word(cookie)),
            _ => None,
        }
    }

    /// Returns the chain with its user part in place of the cookie.
    pub(crate) fn joined(self, later: &'a [[u8; 8]]) -> Self {
        Self {
            words: self.words_before_cookie(),
            later,
            ..self
        }
    }

    /// Returns the chain without its user part. If nothing else is left, `sampled` becomes the only address.
    pub(crate) fn cut(self, sampled: u64) -> Self {
        let words = self.words_before_cookie();
        Self {
            words,
            sampled: words.is_empty().then_some(sampled),
            ..self
        }
    }

    fn words_before_cookie(self) -> &'a [[u8; 8]] {
        &self.words[..self.words.len().saturating_sub(2)]
    }

    /// Returns true if the chain has no words.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.words.is_empty() && self.later.is_empty() && self.sampled.is_none()
    }

    /// Iterates over the addresses, those of the kernel first, in the order of the kernel: the sampled address, then
    /// return addresses. Leaves out markers. A chain with a marker that perf does not know has no addresses, because
    /// perf takes such a chain for damaged.
    pub fn addresses(self) -> impl Iterator<Item = u64> {
        let words = self.words.iter().chain(self.later);
        let words = words.map(move |word| self.order.word(*word)).chain(self.sampled);
        let is_marker = |word: u64| word >= FIRST_MARKER;
        let is_damaged = words
            .clone()
            .any(|word| is_marker(word) && !KNOWN_MARKERS.contains(&word));
        words.filter(move |&word| !is_damaged && !is_marker(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_no_addresses() {
        let addresses = |words: &[u64]| -> Vec<u64> {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            CallChain::new(&bytes, ByteOrder::Little).addresses().collect()
        };
        let [kernel, user, guest] = [128_u64, 512, 2048].map(u64::wrapping_neg);
        assert_eq!(addresses(&[]), [0u64; 0]);
        assert_eq!(
            addresses(&[kernel, u64::MAX - 4095, user, 1, 2]),
            [u64::MAX - 4095, 1, 2]
        );
        assert_eq!(addresses(&[user, 1, guest, 2]), [0u64; 0]);
    }

    #[test]
    fn a_user_part_that_came_later_stands_where_its_cookie_was() {
        let [kernel, user, deferred] = [128_u64, 512, 640].map(u64::wrapping_neg);
        let bytes = |words: &[u64]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
        let later = bytes(&[user, 5, 6]);
        let (later, _) = later.as_chunks();
        let chain = bytes(&[kernel, 1, 2, deferred, 77]);
        let chain = CallChain::new(&chain, ByteOrder::Little);
        assert_eq!(chain.cookie(), Some(77));
        assert_eq!(chain.joined(later).addresses().collect::<Vec<_>>(), [1, 2, 5, 6]);
        assert_eq!(chain.cut(9).addresses().collect::<Vec<_>>(), [1, 2]);
        let of_user_code = bytes(&[deferred, 77]);
        let of_user_code = CallChain::new(&of_user_code, ByteOrder::Little);
        assert_eq!(of_user_code.joined(later).addresses().collect::<Vec<_>>(), [5, 6]);
        assert_eq!(of_user_code.cut(9).addresses().collect::<Vec<_>>(), [9]);
        assert!(!of_user_code.cut(9).is_empty());
        // If this marker stands elsewhere, it has no cookie, and the chain is damaged.
        let damaged = bytes(&[deferred, 77, 1]);
        let damaged = CallChain::new(&damaged, ByteOrder::Little);
        assert_eq!((damaged.cookie(), damaged.addresses().count()), (None, 0));
    }
}
