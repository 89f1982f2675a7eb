//! Addresses packed into bytes. Neighbouring addresses are near each other, so most take two bytes.
//!
//! Each address is packed as the distance from the last one: 0 stands for an address outside of the file, and any other
//! number, less 1, is the distance in zigzag encoding. The lowest bits of the first byte tell the number of bytes: the
//! lowest bit is set if it is one, the next one if they are two, up to eight; a first byte of 0 is followed by all eight
//! bytes of a number. Then the processor need not foresee how long a number is.

/// Bytes of a number of 64 bits.
const WORD: usize = size_of::<u64>();

/// Addresses that are being packed.
#[derive(Default)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
    last: u64,
}

impl Packed {
    /// Returns the bytes of the addresses.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.last = 0;
    }

    /// Adds an address below 2^63, or one outside of the file.
    #[inline]
    pub(crate) fn push(&mut self, address: Option<u64>) {
        let number = match address {
            None => 0,
            Some(address) => {
                let distance = address.wrapping_sub(self.last).cast_signed();
                self.last = address;
                // Addresses are below 2^63, so no distance is -2^63, and the sum fits.
                1 + ((distance << 1) ^ (distance >> 63)).cast_unsigned()
            }
        };
        let bits = u64::BITS - (number | 1).leading_zeros();
        let len = bits.div_ceil(7);
        if len > 8 {
            return self.push_large(number);
        }
        let end = self.bytes.len() + len as usize;
        let word = number << len | 1 << (len - 1);
        // A constant number of bytes is appended without a call.
        self.bytes.extend_from_slice(&word.to_le_bytes());
        self.bytes.truncate(end);
    }

    #[cold]
    fn push_large(&mut self, number: u64) {
        self.bytes.push(0);
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }
}

/// The addresses of packed bytes.
pub(crate) struct Unpacked<'a> {
    bytes: &'a [u8],
    last: u64,
}

impl<'a> Unpacked<'a> {
    /// Begins with the first address of `bytes`, which [`Packed`] made.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, last: 0 }
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let word = match self.bytes.first_chunk() {
            Some(word) => u64::from_le_bytes(*word),
            None => self.last_bytes()?,
        };
        let len = word.trailing_zeros() + 1;
        if word as u8 == 0 {
            let (_, rest) = self.bytes.split_first()?;
            let (number, rest) = rest.split_first_chunk()?;
            self.bytes = rest;
            return Some(u64::from_le_bytes(*number));
        }
        self.bytes = self.bytes.get(len as usize..)?;
        let behind = u64::BITS - 8 * len;
        Some(word << behind >> behind >> len)
    }

    /// Returns the bytes that are left, which are fewer than those of a word; `None` if none is left.
    fn last_bytes(&self) -> Option<u64> {
        let mut word = [0; WORD];
        word[..self.bytes.len()].copy_from_slice(self.bytes);
        (!self.bytes.is_empty()).then_some(u64::from_le_bytes(word))
    }
}

impl Iterator for Unpacked<'_> {
    type Item = Option<u64>;

    #[inline]
    fn next(&mut self) -> Option<Option<u64>> {
        let Some(distance) = self.number()?.checked_sub(1) else {
            return Some(None);
        };
        let distance = (distance >> 1) ^ (distance & 1).wrapping_neg();
        self.last = self.last.wrapping_add(distance);
        Some(Some(self.last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unpacked(addresses: &[Option<u64>]) -> Vec<Option<u64>> {
        let mut packed = Packed::default();
        addresses.iter().for_each(|address| packed.push(*address));
        Unpacked::new(packed.bytes()).collect()
    }

    #[test]
    fn the_largest_distances_are_unpacked_as_packed() {
        let most = (1 << 63) - 1;
        let mut addresses = vec![None, Some(most), Some(0), Some(most), None, None, Some(0), Some(0)];
        // Distances around those that take one byte more.
        addresses.extend((0..63).flat_map(|bits| [(1 << bits) - 1, 1 << bits, 0]).map(Some));
        assert_eq!(unpacked(&addresses), addresses);
    }

    proptest! {
        #[test]
        fn addresses_are_unpacked_as_packed(addresses in prop::collection::vec((any::<u64>(), 1..70u32), 0..20)) {
            let addresses: Vec<_> = addresses.iter().map(|(bits, shift)| bits.checked_shr(*shift)).collect();
            prop_assert_eq!(unpacked(&addresses), addresses);
        }
    }
}
