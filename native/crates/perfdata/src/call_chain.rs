//! The call chain of a sample: where it was, and the return addresses further out.

use crate::byte_order::ByteOrder;

/// Values from here on are no addresses but say whose the following ones are (Linux: `PERF_CONTEXT_MAX`).
const FIRST_MARKER: u64 = 4095_u64.wrapping_neg();

/// The markers that perf knows: hypervisor, kernel, user (Linux: `enum perf_callchain_context`).
const KNOWN_MARKERS: [u64; 3] = [32_u64.wrapping_neg(), 128_u64.wrapping_neg(), 512_u64.wrapping_neg()];

/// Behind this marker stands the cookie of a user part that was written later, and nothing else (Linux: `PERF_CONTEXT_USER_DEFERRED`).
const USER_DEFERRED: u64 = 640_u64.wrapping_neg();

/// A borrowed call chain, the innermost address first.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallChain<'a> {
    words: &'a [[u8; 8]],
    /// The user part, if it was written later.
    later: &'a [[u8; 8]],
    /// The only address that is known of a chain whose user part is missing.
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

    /// The cookie of the user part, if that was written later.
    pub(crate) fn cookie(self) -> Option<u64> {
        match *self.words {
            [.., marker, cookie] if self.order.word(marker) == USER_DEFERRED => Some(self.order.word(cookie)),
            _ => None,
        }
    }

    /// The chain with its user part in place of the cookie.
    pub(crate) fn joined(self, later: &'a [[u8; 8]]) -> Self {
        Self {
            words: self.words_before_cookie(),
            later,
            ..self
        }
    }

    /// The chain without the part that its cookie stands for. If nothing else is in it, `sampled` is its only address.
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

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.words.is_empty() && self.later.is_empty() && self.sampled.is_none()
    }

    /// The addresses, those of the kernel first, as the kernel wrote them: where the sample was, then return addresses. Markers are left
    /// out. A chain with a marker that perf does not know has none: perf takes it for damaged.
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
        // A marker elsewhere has no cookie: the chain is damaged.
        let damaged = bytes(&[deferred, 77, 1]);
        let damaged = CallChain::new(&damaged, ByteOrder::Little);
        assert_eq!((damaged.cookie(), damaged.addresses().count()), (None, 0));
    }
}
