//! The call chain of a sample: where it was, and the return addresses further out.

use crate::byte_order::ByteOrder;

/// Values from here on are no addresses but say whose the following ones are (Linux: `PERF_CONTEXT_MAX`).
const FIRST_MARKER: u64 = 4095_u64.wrapping_neg();

/// The markers that perf knows: hypervisor, kernel, user (Linux: `enum perf_callchain_context`).
const KNOWN_MARKERS: [u64; 3] = [32_u64.wrapping_neg(), 128_u64.wrapping_neg(), 512_u64.wrapping_neg()];

/// A borrowed call chain, the innermost address first.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallChain<'a> {
    words: &'a [[u8; 8]],
    order: ByteOrder,
}

impl<'a> CallChain<'a> {
    pub(crate) fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self {
            words: bytes.as_chunks().0,
            order,
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.words.is_empty()
    }

    /// The addresses, those of the kernel first, as the kernel wrote them: where the sample was, then return addresses. Markers are left
    /// out. A chain with a marker that perf does not know has none: perf takes it for damaged.
    pub fn addresses(self) -> impl Iterator<Item = u64> {
        let words = self.words.iter().map(move |word| self.order.word(*word));
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
}
